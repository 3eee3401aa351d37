"""How the parts of a recommender make one score, and the best of them a list."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from recommendations.ml.collaborative import Collaborative
from recommendations.ml.content import Content
from recommendations.ml.sequences import Floats, Ints, strength

NEWEST = 500  # ratings of a history that are looked at, and as many events
FEW = (1, 5, 20)  # products in a history from which on a blend of its own is learned


@dataclass(frozen=True)
class Blend:
    """How much each part counts, and how far what stands in everybody's list anyway is held back (`spread`)."""

    collaborative: float = 1.0
    content: float = 0.0
    popular: float = 0.0
    spread: float = 0.0

    def shares(self) -> Floats:
        """Divided by the largest, so that only their ratios matter."""
        shares = np.array([self.collaborative, self.content, self.popular])
        return shares / (shares.max() or 1.0)


@dataclass(frozen=True)
class Fading:
    """`half_life` ratings (or events) later, one counts half; `indifferent` is what a rating weighs that is no like,
    `implicit` what a purchase weighs against a like.
    """

    half_life: float = 200.0
    indifferent: float = 0.0
    implicit: float = 0.5

    def weights(self, stars: Floats, event: Floats, age: Ints) -> Floats:
        found: Floats = strength(stars, event, self.indifferent, self.implicit) * 0.5 ** (age / self.half_life)
        return found


@dataclass(frozen=True)
class Chosen:
    """`blends` belong to histories of at least so many products, as in FEW."""

    fading: Fading = Fading()
    blends: tuple[Blend, ...] = (Blend(1.0, 0.4, 0.4), Blend(1.0, 0.2, 0.1), Blend(1.0, 0.1, 0.0))

    def blend(self, size: int) -> Blend:
        return self.blends[max(bisect_right(FEW, size) - 1, 0)]

    def to_json(self) -> dict[str, Any]:
        return {"fading": asdict(self.fading), "blends": [asdict(one) for one in self.blends]}

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> "Chosen":
        return cls(Fading(**said["fading"]), tuple(Blend(**one) for one in said["blends"]))


@dataclass(frozen=True)
class Parts:
    """`popular` and `crowd` are one number a product: how many liked it, on a log scale, with a deviation of 1; and
    the log of 1 + the number of long lists that it stands in (choosing.py).
    """

    collaborative: Collaborative
    content: Content
    popular: Floats
    crowd: Floats

    def scores(self, places: Ints, weights: Floats, asked: Sequence[bool] = (True, True)) -> tuple[Floats, Floats]:
        """3 x products: each part's scores for a history, in units of their standard deviation, so that shares of
        different parts can be compared; and these deviations (0 for a part that knows nothing of the history, or that
        is not `asked`).
        """
        found, deviations = np.zeros((3, len(self.popular)), np.float32), np.array([0.0, 0.0, 1.0])
        found[2] = self.popular
        for row, part in enumerate((self.collaborative, self.content.alike)):
            if len(places) and asked[row]:
                scores = part.scores(places, weights)
                deviations[row] = math.sqrt(max(float(scores @ scores) / len(scores) - float(scores.mean()) ** 2, 0))
                np.divide(scores, deviations[row] or 1, out=found[row], casting="same_kind")
        return found, deviations

    def held_back(self, spread: float) -> Floats:
        """What a product's score is multiplied by: (1 + c)**-spread for one that stands in c lists, as Paudel et al. do
        with popularity, "Updatable, Accurate, Diverse, and Scalable Recommendations for Interactive Applications"
        (2017).
        """
        return np.asarray(np.exp(-spread * self.crowd), np.float32)


def popularity(matrix: Any) -> Floats:
    """`Parts.popular` of a matrix users x items."""
    found: Floats = np.log1p(np.maximum(np.asarray(matrix.sum(axis=0), float).ravel(), 0))
    found -= found.min() if len(found) else 0
    return found / (found.std() or 1.0)


def blended(found: Floats, blend: Blend, held_back: Floats) -> Floats:
    """One score a product of the parts' scores, times `held_back`; -inf where no part that counts speaks for it."""
    shares, together = blend.shares().astype(np.float32), np.zeros_like(held_back)
    spoken = np.zeros(len(held_back), bool)
    for scores, share in zip(found, shares, strict=True):
        if share:
            together += share * scores
            spoken |= scores > 0
    together *= held_back
    together[~spoken] = -np.inf
    return together


def top(scores: Floats, n: int, ids: Ints) -> Ints:
    """Places of the n best scores, best first, equal ones in order of their ids; never one of -inf."""
    places = np.flatnonzero(scores > -np.inf)
    if len(places) > n:
        spoken = scores[places]
        places = places[spoken >= np.partition(spoken, -n)[-n]]
    found: Ints = places[np.lexsort((ids[places], -scores[places]))][:n]
    return found
