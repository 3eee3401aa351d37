"""A request in the arrays that the parts of a recommender work on: the history as places and weights, and what the
newcomers are like.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recommendations.ml.blend import NEWEST, Fading
from recommendations.ml.recommend import Newcomers, RecommendInput
from recommendations.ml.sequences import KINDS, MOST_STRENGTH, Floats, Ints

DOUBT = 0.05  # a newcomer that is like nothing in particular counts less: this much likeness halves it


@dataclass(frozen=True)
class Likeness:
    """What products stand for: entry k says that product `column[k]` is `share[k]` of the one at `place[k]`. Entries of
    one product stand together.
    """

    column: Ints
    place: Ints
    share: Floats

    def of(self, scores: Floats, count: int) -> Floats:
        """Scores of `count` products, made of the scores of what they are like; -inf where all of those are."""
        mine = scores[self.place]
        spoken = np.isfinite(mine)
        found = np.bincount(self.column[spoken], (self.share * mine)[spoken], count).astype(float)
        return np.where(np.bincount(self.column[spoken], minlength=count) > 0, found, -np.inf)


def newcomers_of(given: Newcomers, places: Mapping[int, int]) -> tuple[Ints, Likeness]:
    """Ids of the products that are new to the model, and what they are like."""
    entries = [
        (product, places[like], similarity)
        for product, like, similarity in zip(given.products, given.like, given.similarity, strict=False)
        if like in places and product not in places
    ]
    if not entries:
        return np.zeros(0, np.int64), Likeness(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    product, place, similarity = (np.array(column) for column in zip(*entries, strict=True))
    ids, column = np.unique(product, return_inverse=True)
    order = np.argsort(column, kind="stable")
    share = similarity / (np.bincount(column, similarity) + DOUBT)[column]
    return ids, Likeness(column[order], place[order], share[order])


@dataclass(frozen=True)
class Profile:
    """Each entry of a history: its place in the model, its weight, and the customer's product that it comes from (which
    is another one only where that is a newcomer, which stands for what it is like).
    """

    places: Ints
    weights: Floats
    sources: Ints


def profile_of(
    given: RecommendInput, places: Mapping[int, int], fading: Fading, new_ids: Ints, likeness: Likeness
) -> Profile:
    """The newest ratings and events; of a product that was rated twice the newest rating counts, and the same sort of
    event counts once.
    """
    ratings = list({one.product: one.value for one in reversed(given.history)}.items())[::-1][:NEWEST]
    events = list({(one.product, one.kind): None for one in given.events})[:NEWEST]
    products = np.array([product for product, _ in ratings + events], np.int64)
    stars = np.array([value for _, value in ratings] + [0.0] * len(events))
    event = np.array([0.0] * len(ratings) + [KINDS[kind] for _, kind in events])
    age = np.concatenate([np.arange(len(ratings)), np.arange(len(events))])
    weights = fading.weights(stars, event, age)
    place = np.array([places.get(product, -1) for product in products.tolist()], np.int64)
    known = place >= 0
    if not events and known.all():  # nothing to merge, as in most requests
        return Profile(place, np.minimum(weights, MOST_STRENGTH), products)
    rows, entries = np.nonzero(products[~known][:, None] == new_ids[likeness.column][None, :])
    return _merged(
        np.concatenate([place[known], likeness.place[entries]]),
        np.concatenate([weights[known], weights[~known][rows] * likeness.share[entries]]),
        np.concatenate([products[known], products[~known][rows]]),
    )


def _merged(places: Ints, weights: Floats, sources: Ints) -> Profile:
    """One entry a place, of MOST_STRENGTH at most; of several sources the first."""
    found, first, entry = np.unique(places, return_index=True, return_inverse=True)
    return Profile(found, np.minimum(np.bincount(entry, weights, len(found)), MOST_STRENGTH), sources[first])
