"""The numbers of a recommender, chosen on each customer's last ratings, which were kept back for it.

First how ratings fade and what the parts count, by NDCG alone. Then how far products that stand in everybody's list are
held back: as far as more of the catalogue is shown at no loss of NDCG.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommendations.ml.blend import FEW, NEWEST, Blend, Chosen, Fading, Parts, blended, top
from recommendations.ml.sequences import Bools, Floats, Ints, Sequences

LIKED = 4.0  # stars from which a held-out product counts as relevant
TOP = 10
LONG = 80  # places of the lists that say what stands in everybody's
HALF_LIVES = (50.0, 100.0, 200.0, 400.0)
INDIFFERENT = (-0.2, 0.0, 0.2)
IMPLICIT = (0.25, 0.5, 1.0)
CONTENT = (0.0, 0.05, 0.1, 0.2, 0.4)
POPULAR = (0.0, 0.15, 0.4)
SPREAD = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
MOST_USERS = 1_000  # whom the numbers are chosen on
FEWEST_USERS = 30  # with fewer, chance would choose


@dataclass(frozen=True)
class _Case:
    """A customer's history, and the places of what was liked later."""

    rows: Sequences
    liked: Ints

    def unknown(self, parts: Parts, fading: Fading, size: int) -> Floats:
        """The parts' scores by the `size` newest ratings and events. What the customer knows is out of the question: no
        part speaks for it.
        """
        newest = self.rows.age < size
        weights = fading.weights(self.rows.stars, self.rows.event, self.rows.age)
        found, _ = parts.scores(self.rows.items[newest], weights[newest])
        found[:, self.rows.items] = 0
        return found


def _cases(found: Sequences, before: Bools) -> list[_Case]:
    relevant = ~before & (found.stars >= LIKED)
    users = np.intersect1d(found.users[relevant], found.users[before])
    drawn = _drawn(users)
    return [
        _Case(_slice(found, rows[before[rows]]), found.items[rows[relevant[rows]]]) for rows in _rows_of(found, drawn)
    ]


def _drawn(users: Ints) -> Ints:
    """Users in ascending order, MOST_USERS of them at random."""
    return np.sort(np.random.default_rng(0).permutation(users)[:MOST_USERS])


def _rows_of(found: Sequences, users: Ints) -> list[Ints]:
    starts, ends = (np.searchsorted(found.users, users, side=side) for side in ("left", "right"))
    return [np.arange(start, end) for start, end in zip(starts, ends, strict=True)]


def _slice(found: Sequences, rows: Ints) -> Sequences:
    part = Sequences(
        found.products, np.zeros(len(rows), np.int64), found.items[rows], found.stars[rows], found.event[rows],
        found.age[rows],
    )  # fmt: skip
    return part.taken(np.ones(len(rows), bool))


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
    fading = grid[_best([_judged(cases, parts, fading, NEWEST, [Blend()])[0] for fading in grid])]
    sizes = (*(few - 1 for few in FEW[1:]), NEWEST)
    blends = tuple(Blend(1.0, content, popular) for content in CONTENT for popular in POPULAR)
    best = [blends[_best(_judged(cases, parts, fading, size, blends))] for size in sizes]
    parts = replace(parts, crowd=_crowd(cases, parts, Chosen(fading, tuple(best))))
    return Chosen(fading, tuple(_spread(cases, parts, fading, *pair) for pair in zip(sizes, best, strict=True)))


def crowd(parts: Parts, found: Sequences, chosen: Chosen) -> Floats:
    """`Parts.crowd` of the lists of customers (a sample of MOST_USERS of many) with these histories."""
    cases = [_Case(_slice(found, rows), rows[:0]) for rows in _rows_of(found, _drawn(np.unique(found.users)))]
    return _crowd(cases, parts, chosen)


def _crowd(cases: Sequence[_Case], parts: Parts, chosen: Chosen) -> Floats:
    ids, counts = np.arange(len(parts.popular)), np.zeros(len(parts.popular))
    for case in cases:
        blend = chosen.blend(len(case.rows.items))
        counts[top(blended(case.unknown(parts, chosen.fading, NEWEST), blend, np.ones(len(ids))), LONG, ids)] += 1
    return np.log1p(counts)


def _judged(
    cases: Sequence[_Case], parts: Parts, fading: Fading, size: int, blends: Sequence[Blend]
) -> list[tuple[float, int]]:
    """For each of the blends the mean NDCG over the cases, and how many products were shown to anybody."""
    discount = 1 / np.log2(np.arange(TOP) + 2)
    ids = np.arange(len(parts.popular))
    gains, shown = np.zeros((len(cases), len(blends))), [set[int]() for _ in blends]
    held_back = [parts.held_back(blend.spread) for blend in blends]
    for row, case in enumerate(cases):
        one, ideal = case.unknown(parts, fading, size), discount[: len(case.liked)].sum()
        for column, blend in enumerate(blends):
            places = top(blended(one, blend, held_back[column]), TOP, ids)
            gains[row, column] = discount[: len(places)][np.isin(places, case.liked)].sum() / ideal
            shown[column].update(places.tolist())
    return [(float(gain), len(seen)) for gain, seen in zip(gains.mean(axis=0), shown, strict=True)]


def _best(judged: Sequence[tuple[float, int]]) -> int:
    """The first of the highest NDCG."""
    return max(range(len(judged)), key=lambda place: judged[place][0])


def _spread(cases: Sequence[_Case], parts: Parts, fading: Fading, size: int, blend: Blend) -> Blend:
    """The blend that shows the most products among those that rank no worse than without holding anything back."""
    blends = [replace(blend, spread=spread) for spread in SPREAD]
    judged = _judged(cases, parts, fading, size, blends)
    as_good = [(seen, -place) for place, (gain, seen) in enumerate(judged) if gain >= judged[0][0]]
    return blends[-max(as_good)[1]]
