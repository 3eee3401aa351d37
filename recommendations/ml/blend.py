"""How the parts of a recommender make one score, and how the numbers in it are chosen on held-out ratings."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from recommendations.ml.collaborative import Collaborative
from recommendations.ml.content import Content
from recommendations.ml.sequences import Bools, Floats, Ints, Sequences, strength

LIKED = 4.0  # stars from which a held-out product counts as relevant
TOP = 10
NEWEST = 500  # ratings of a history that are looked at, and as many events
FEW = (1, 5, 20)  # products in a history from which on a blend of its own is learned
HALF_LIVES = (50.0, 100.0, 200.0, 400.0)
INDIFFERENT = (-0.2, 0.0, 0.2)
IMPLICIT = (0.25, 0.5, 1.0)
CONTENT = (0.0, 0.05, 0.1, 0.2, 0.4)
POPULAR = (-0.8, -0.6, -0.45, -0.3, -0.15, 0.0, 0.15, 0.4)
MOST_USERS = 1_000  # whom the numbers are chosen on
FEWEST_USERS = 30  # with fewer, chance would choose
AS_GOOD = 0.98  # of the best NDCG: of the blends that are, the one that shows the most products is taken


@dataclass(frozen=True)
class Blend:
    """How much each part counts. A negative share of what is popular holds back what everybody finds anyway."""

    collaborative: float = 1.0
    content: float = 0.0
    popular: float = 0.0

    def shares(self) -> Floats:
        """Divided by the largest, so that only their ratios matter."""
        shares = np.array([self.collaborative, self.content, self.popular])
        return shares / (np.abs(shares).max() or 1.0)


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
    """`popular` is one number a product: how many liked it, on a log scale, with a deviation of 1."""

    collaborative: Collaborative
    content: Content
    popular: Floats

    def scores(self, places: Ints, weights: Floats) -> tuple[Floats, Floats]:
        """3 x products: each part's scores for a history, in units of their standard deviation, so that shares of
        different parts can be compared; and these deviations (0 for a part that knows nothing of the history).
        """
        if not len(places):
            return np.stack([np.zeros_like(self.popular)] * 2 + [self.popular]), np.array([0.0, 0.0, 1.0])
        found = [self.collaborative.scores(places, weights), self.content.alike.scores(places, weights)]
        deviations = np.array([*(float(one.std()) for one in found), 1.0])
        return np.stack([*found, self.popular]) / np.where(deviations > 0, deviations, 1)[:, None], deviations


def popularity(matrix: Any) -> Floats:
    """`Parts.popular` of a matrix users x items."""
    found: Floats = np.log1p(np.maximum(np.asarray(matrix.sum(axis=0), float).ravel(), 0))
    found -= found.min() if len(found) else 0
    return found / (found.std() or 1.0)


def blended(found: Floats, blend: Blend) -> Floats:
    """One score a product of the parts' scores; -inf where no part that counts speaks for it."""
    shares = blend.shares()
    spoken = (found[shares > 0] > 0).any(axis=0)
    return np.where(spoken, shares @ found, -np.inf)


def top(scores: Floats, n: int, ids: Ints) -> Ints:
    """Places of the n best scores, best first, equal ones in order of their ids; never one of -inf."""
    n = min(n, len(scores))
    if not n:
        return np.zeros(0, np.int64)
    least = max(float(np.partition(scores, -n)[-n]), float(np.finfo(float).min))
    places = np.flatnonzero(scores >= least)
    found: Ints = places[np.lexsort((ids[places], -scores[places]))][:n]
    return found


@dataclass(frozen=True)
class _Case:
    """A customer whose later likes are known: the history and the places of what was liked later."""

    rows: Sequences
    liked: Ints

    def scores(self, parts: Parts, fading: Fading, size: int) -> Floats:
        """Of the `size` newest ratings and events."""
        newest = self.rows.age < size
        weights = fading.weights(self.rows.stars, self.rows.event, self.rows.age)
        found, _ = parts.scores(self.rows.items[newest], weights[newest])
        return found


def earlier(found: Sequences, share: float = 0.2, fewest: int = 5) -> Bools:
    """Which rows stand before the last `share` of a customer's ratings, where there are at least `fewest`."""
    rated = found.stars > 0
    counts = np.bincount(found.users[rated], minlength=found.user_count)
    held = np.where(counts >= fewest, counts - (counts * (1 - share)).astype(int), 0)[found.users]
    later = rated & (found.age < held)
    starts = np.full(found.user_count, len(later))
    np.minimum.at(starts, found.users[later], np.flatnonzero(later))
    before: Bools = np.arange(len(later)) < starts[found.users]
    return before


def choose(parts: Parts, found: Sequences, before: Bools) -> Chosen:
    """The numbers that rank best what customers liked after the rows `before`, from which `parts` were learned."""
    cases = _cases(found, before)
    if len(cases) < FEWEST_USERS:
        return Chosen()
    grid = [
        Fading(half_life, indifferent, implicit)
        for half_life in HALF_LIVES
        for indifferent in INDIFFERENT
        for implicit in (IMPLICIT if found.event.any() else IMPLICIT[1:2])
    ]
    judged = [_judged(cases, parts, fading, NEWEST, [Blend()])[0] for fading in grid]
    fading = grid[max(range(len(grid)), key=lambda place: judged[place][0])]
    grid_of_blends = [Blend(1.0, content, popular) for content in CONTENT for popular in POPULAR]
    sizes = (*(few - 1 for few in FEW[1:]), NEWEST)
    best = (_best(_judged(cases, parts, fading, size, grid_of_blends)) for size in sizes)
    return Chosen(fading, tuple(grid_of_blends[place] for place in best))


def _cases(found: Sequences, before: Bools) -> list[_Case]:
    relevant = ~before & (found.stars >= LIKED)
    users = np.unique(found.users[relevant])
    users = np.intersect1d(users, found.users[before])
    chosen = np.sort(np.random.default_rng(0).permutation(users)[:MOST_USERS])
    starts, ends = (np.searchsorted(found.users, chosen, side=side) for side in ("left", "right"))
    mine = [np.arange(start, end) for start, end in zip(starts, ends, strict=True)]
    return [_Case(_slice(found, rows[before[rows]]), found.items[rows[relevant[rows]]]) for rows in mine]


def _slice(found: Sequences, rows: Ints) -> Sequences:
    part = Sequences(
        found.products, np.zeros(len(rows), np.int64), found.items[rows], found.stars[rows], found.event[rows],
        found.age[rows],
    )  # fmt: skip
    return part.taken(np.ones(len(rows), bool))


def _judged(
    cases: Sequence[_Case], parts: Parts, fading: Fading, size: int, blends: Sequence[Blend]
) -> list[tuple[float, int]]:
    """For each of the blends the mean NDCG over the cases, and how many products were shown to anybody."""
    discount = 1 / np.log2(np.arange(TOP) + 2)
    ids = np.arange(len(parts.popular))
    gains, shown = np.zeros((len(cases), len(blends))), [set[int]() for _ in blends]
    for row, case in enumerate(cases):
        one, ideal = case.scores(parts, fading, size), discount[: len(case.liked)].sum()
        one[:, case.rows.items] = 0  # what the customer knows is out of the question: no part speaks for it
        for column, blend in enumerate(blends):
            places = top(blended(one, blend), TOP, ids)
            gains[row, column] = discount[: len(places)][np.isin(places, case.liked)].sum() / ideal
            shown[column].update(places.tolist())
    return [(float(gain), len(seen)) for gain, seen in zip(gains.mean(axis=0), shown, strict=True)]


def _best(judged: Sequence[tuple[float, int]]) -> int:
    enough = AS_GOOD * max(gain for gain, _ in judged)
    good = [(seen, gain, -place) for place, (gain, seen) in enumerate(judged) if gain >= enough]
    return -max(good)[2]
