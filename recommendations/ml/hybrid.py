"""The recommender: one artifact with a collaborative part, the products' words, what is popular, and predicted stars.

The algorithms differ in the collaborative part alone; the first is the default. Every number that a request rests on
(how fast a rating fades, what a dislike weighs, the shares of the blend) is chosen in `fit` on each customer's last
ratings, which were kept back for it; then all parts are fitted again on everything.
"""

import inspect
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from experiments.errors import DomainError
from experiments.mltask import Examples, Progress
from recommendations.ml.blend import Blend, Chosen, Parts, blended, popularity, top
from recommendations.ml.choosing import choose, crowd, earlier
from recommendations.ml.collaborative import (
    Collaborative,
    Factors,
    UserNeighbours,
    fit_item_neighbours,
    fit_linear,
)  # fmt: skip
from recommendations.ml.content import Content
from recommendations.ml.item_item import ItemItem
from recommendations.ml.metrics import ranking_scores
from recommendations.ml.profile import Likeness, Profile, newcomers_of, profile_of
from recommendations.ml.recommend import (
    RECOMMEND,
    Method,
    Newcomers,
    Ranked,
    Rated,
    RecommendInput,
    RecommendOutput,
    Weights,
)  # fmt: skip
from recommendations.ml.sequences import Bools, Floats, Ints, Sequences, sequences
from recommendations.ml.stars import StarsModel

if TYPE_CHECKING:
    import pandas as pd

IMPLICIT = 0.5  # in training: see Fading
DRAFT_USERS = 20_000  # whom the parts are learned from that the numbers are chosen with
MOST_ANSWERS, LONGEST = 1_000, 50  # that are remembered, and products in one: 30 MB where histories are long
NOBODY = Newcomers()
NUMBERS = ("popular", "crowd")  # of a product, in Parts
PARTS: tuple[Method, ...] = ("collaborative", "content", "trending")


@dataclass(frozen=True)
class _New:
    """Newcomers as they were given, as `newcomers_of` has them, and what was answered since they were."""

    given: Newcomers
    ids: Ints
    likeness: Likeness
    answers: dict[Any, RecommendOutput] = field(default_factory=dict)


class Bundle:
    """Base of the algorithms: all but the collaborative part."""

    collaborative: ClassVar[Any]  # the class that loads it
    indifferent: ClassVar[float] = 0.0  # in training: see Fading

    def _fit_collaborative(self, found: Sequences, strengths: Floats, content: Content) -> Collaborative:
        raise NotImplementedError

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        """`examples` has the columns unit (the customer), product, kind, value (stars), at (seconds), in order of time
        where times are equal, and the side table `products` (product, name, category, description).
        """
        found = sequences(examples)
        if not (found.strength(0, 1) > 0).any():
            raise DomainError("Nobody rated anything 3.5 stars or more: there is nothing to learn from.")
        progress(0, 5, "reading the products' words")
        content = Content().fit(_catalogue(examples, found.products))
        progress(1, 5, "learning from all but the last ratings")
        before = earlier(found)
        draft = found.taken(before & (found.users < DRAFT_USERS))
        chosen = Chosen()
        if (draft.strength(0, 1) > 0).any():
            parts = self._parts(draft, content)
            progress(2, 5, "choosing on the last ratings")
            chosen = choose(parts, found, before)
        progress(3, 5, "learning from all ratings")
        parts = self._parts(found, content)
        parts = replace(parts, crowd=crowd(parts, found, chosen))
        progress(4, 5, "learning to predict stars")
        rated = found.stars > 0
        stars = StarsModel().fit(
            found.users[rated], found.items[rated], found.stars[rated], item_count=len(found.products)
        )
        self._use(found.products, parts, stars, chosen)
        progress(5, 5, "fitted")
        return self

    def _parts(self, found: Sequences, content: Content) -> Parts:
        strengths = found.strength(self.indifferent, IMPLICIT)
        learned = self._fit_collaborative(found, strengths, content)
        popular = popularity(found.matrix(found.strength(0, IMPLICIT)))
        return Parts(learned, content, popular, np.zeros_like(popular))

    def _use(self, products: Ints, parts: Parts, stars: StarsModel, chosen: Chosen) -> None:
        self.products, self.parts, self.stars, self.chosen = products, parts, stars, chosen
        self.places = {int(product): place for place, product in enumerate(products)}
        self.last_new = _New(NOBODY, *newcomers_of(NOBODY, self.places))
        self.held_back = {blend.spread: parts.held_back(blend.spread) for blend in (*chosen.blends, Blend())}

    def predict(self, batch: Sequence[RecommendInput]) -> list[RecommendOutput]:
        return [
            self._answer(one) if one.allowed is not None or one.n > LONGEST else self._remembered(one) for one in batch
        ]

    def _remembered(self, given: RecommendInput) -> RecommendOutput:
        """The answer depends on the input alone, and whoever looks at a shop asks with the same history many times, as
        everybody does who asks what is beside a product.
        """
        answers = self._new(given.newcomers).answers
        asked = (given.history, given.events, given.n, given.weights, given.exclude)
        answer = answers.get(asked)
        if answer is None:
            if len(answers) >= MOST_ANSWERS:
                answers.clear()
            answer = answers[asked] = self._answer(given)
        return answer

    def _answer(self, given: RecommendInput) -> RecommendOutput:
        new = self._new(given.newcomers)
        new_ids, likeness = new.ids, new.likeness
        profile = profile_of(given, self.places, self.chosen.fading, new_ids, likeness)
        blend = _asked_for(given.weights) or self.chosen.blend(len(profile.places))
        asked = (True, True) if given.weights is None else (blend.collaborative > 0, blend.content > 0)
        found, deviations = self.parts.scores(profile.places, profile.weights, asked)
        method = _method(deviations, given.weights)
        if not method:
            return RecommendOutput(())
        ids, scores = self.products, blended(found, blend, self.held_back[blend.spread])
        if len(new_ids):
            ids = np.concatenate([ids, new_ids])
            scores = np.concatenate([scores, likeness.of(scores, len(new_ids))])
        scores[~self._open(given, new_ids)] = -np.inf
        best = top(scores, given.n, ids)
        spoke = self._spoke(profile, likeness, best, blend.shares() / np.where(deviations > 0, deviations, 1))
        stars = self.predicted(given.history, ids[best].tolist())
        ranked = zip(ids[best].tolist(), scores[best].tolist(), stars.tolist(), *spoke, strict=True)
        return RecommendOutput(tuple(Ranked(*one) for one in ranked), method)

    def _new(self, given: Newcomers) -> "_New":
        """A process asks with the same newcomers until others come in."""
        if self.last_new.given is not given:
            self.last_new = _New(given, *newcomers_of(given, self.places))
        return self.last_new

    def _open(self, given: RecommendInput, new_ids: Ints) -> Bools:
        """Which of the products, newcomers last, may be recommended."""
        new = {product: place for place, product in enumerate(new_ids.tolist(), len(self.places))}

        def at(products: Iterable[int]) -> list[int]:
            found = (self.places.get(product, new.get(product, -1)) for product in products)
            return [place for place in found if place >= 0]

        found = np.full(len(self.places) + len(new), given.allowed is None)
        found[at(given.allowed or ())] = True
        found[at(one.product for one in given.history)] = False
        found[at(given.exclude)] = False
        return found

    def _spoke(
        self, profile: Profile, likeness: Likeness, best: Ints, shares: Floats
    ) -> tuple[list[float], list[int | None], list[str]]:
        """For each answer how alike it is to the product of the history that added most to its score, that product, and
        the part that it added most through.
        """
        if not len(profile.places) or not len(best):
            return [0.0] * len(best), [None] * len(best), ["trending"] * len(best)
        whole = _made_of(best, likeness, len(self.products))
        starts = np.searchsorted(whole.column, np.arange(len(best)))
        alike = np.stack([
            np.add.reduceat(part.between(profile.places, whole.place) * whole.share, starts, axis=1)
            for part in (self.parts.collaborative, self.parts.content.alike)
        ])  # fmt: skip
        added = (alike * shares[:2, None, None] * profile.weights[None, :, None]).reshape(-1, len(best))
        rows = added.argmax(axis=0)
        spoke = added[rows, np.arange(len(best))] > 0
        similarity = np.clip(alike.reshape(-1, len(best))[rows, np.arange(len(best))], 0, 1)
        part, row = np.divmod(rows, len(profile.places))
        return (
            np.where(spoke, similarity, 0.0).tolist(),
            [source if one else None for source, one in zip(profile.sources[row].tolist(), spoke, strict=True)],
            np.where(spoke, np.array(PARTS)[part], "trending").tolist(),
        )

    def predicted(self, history: Sequence[Rated], products: Sequence[int]) -> Floats:
        """The stars that a customer with this history, newest first, would give to the products."""
        items = np.array([self.places.get(one.product, -1) for one in history], np.int64)
        targets = np.array([self.places.get(product, -1) for product in products], np.int64)
        return self.stars.predict(items, np.array([one.value for one in history], float), targets)

    def nearest(self, products: "pd.DataFrame") -> Newcomers:
        """What products that came after the training are like: columns product, name, category, description."""
        return self.parts.content.nearest(products)

    def evaluate(self, examples: Examples) -> dict[str, float]:
        return ranking_scores(self, examples)

    def save(self, folder: Path) -> None:
        np.save(folder / "products.npy", self.products)
        for name in NUMBERS:
            np.save(folder / f"{name}.npy", getattr(self.parts, name))
        self.parts.collaborative.save(folder, "collaborative")
        self.parts.content.save(folder)
        self.stars.save(folder)
        (folder / "chosen.json").write_text(json.dumps(self.chosen.to_json()))
        parameters = {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}
        (folder / "params.json").write_text(json.dumps(parameters))

    @classmethod
    def load(cls, folder: Path) -> Self:
        self = cls(**json.loads((folder / "params.json").read_text()))
        parts = Parts(
            cls.collaborative.load(folder, "collaborative"), Content.load(folder),
            *(np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in NUMBERS),
        )  # fmt: skip
        chosen = Chosen.from_json(json.loads((folder / "chosen.json").read_text()))
        self._use(np.asarray(np.load(folder / "products.npy", mmap_mode="r")), parts, StarsModel.load(folder), chosen)
        return self


def _catalogue(examples: Examples, products: Ints) -> "pd.DataFrame":
    """The words of the products, in ascending order of their ids; none where the examples have no catalogue."""
    import pandas as pd

    if "products" in examples.side:
        return examples.side["products"].drop_duplicates("product").sort_values("product", ignore_index=True)
    return pd.DataFrame({"product": products, "name": "", "category": "", "description": ""})


def _method(deviations: Floats, asked: Weights | None) -> Method:
    """Which parts answer: those asked for that know something of the history."""
    blend = _asked_for(asked)
    if blend is None:
        return "hybrid" if deviations[0] > 0 else "content" if deviations[1] > 0 else ""
    spoke = [name for name, share, size in zip(PARTS, blend.shares(), deviations, strict=True) if share and size > 0]
    return "hybrid" if len(spoke) > 1 else spoke[0] if spoke else ""


def _asked_for(weights: Weights | None) -> Blend | None:
    return Blend(weights.collaborative, weights.content, weights.trending) if weights else None


def _made_of(best: Ints, likeness: Likeness, known: int) -> Likeness:
    """What each answer is made of: itself, or what it is like where it is a newcomer (a place from `known` on)."""
    if not len(likeness.column):
        return Likeness(np.arange(len(best)), best, np.ones(len(best)))
    entries = [
        (column, int(at), 1.0) if at < known else (column, int(likeness.place[k]), float(likeness.share[k]))
        for column, at in enumerate(best)
        for k in (np.flatnonzero(likeness.column == at - known) if at >= known else [0])
    ]
    column, place, share = (np.array(one) for one in zip(*entries, strict=True))
    return Likeness(column, place, share)


@RECOMMEND.algorithm("ease")
class Ease(Bundle):
    """The item-item linear model, which ranks best of the four.

    `l2` is its ridge penalty, `neighbours` how many products may speak for one, `ahead` how much a look ahead counts
    against a whole history, `side` how much the products' words count.
    """

    collaborative = ItemItem
    indifferent = 0.2

    def __init__(self, l2: float = 400.0, neighbours: int = 300, ahead: float = 0.5, side: float = 3.0) -> None:
        self.l2, self.neighbours, self.ahead, self.side = l2, neighbours, ahead, side

    def _fit_collaborative(self, found: Sequences, strengths: Floats, content: Content) -> Collaborative:
        return fit_linear(
            found, strengths, content.vectors(), l2=float(self.l2), neighbours=int(self.neighbours),
            ahead=float(self.ahead), side=float(self.side),
        )  # fmt: skip


@RECOMMEND.algorithm("als")
class Als(Bundle):
    """Matrix factorisation of implicit feedback, by the library `implicit`."""

    collaborative = Factors

    def __init__(self, factors: int = 64, confidence: float = 20.0, l2: float = 0.05) -> None:
        self.factors, self.confidence, self.l2 = factors, confidence, l2

    def _fit_collaborative(self, found: Sequences, strengths: Floats, content: Content) -> Collaborative:
        return Factors.fit(
            found, strengths, factors=int(self.factors), confidence=float(self.confidence), l2=float(self.l2)
        )


@RECOMMEND.algorithm("item_neighbours")
class ItemNeighbours(Bundle):
    """Products that were liked by the same customers."""

    collaborative = ItemItem

    def __init__(self, neighbours: int = 50, shrink: float = 10.0) -> None:
        self.neighbours, self.shrink = neighbours, shrink

    def _fit_collaborative(self, found: Sequences, strengths: Floats, content: Content) -> Collaborative:
        return fit_item_neighbours(found, strengths, neighbours=int(self.neighbours), shrink=float(self.shrink))


@RECOMMEND.algorithm("user_neighbours")
class UserNeighbourhood(Bundle):
    """What the most like-minded customers liked."""

    collaborative = UserNeighbours

    def __init__(self, neighbours: int = 50) -> None:
        self.neighbours = neighbours

    def _fit_collaborative(self, found: Sequences, strengths: Floats, content: Content) -> Collaborative:
        return UserNeighbours.fit(found, strengths, neighbours=int(self.neighbours))
