"""Whether two windows differ, and by enough to matter: a method for each column, and one correction for all.

Evidently looks at the size of the reference: up to 1,000 rows a test decides (p under .05), beyond them a distance (.1
and up), since with many rows a test finds differences that matter to nobody (_get_default_stattest in registry.py). Two
things go wrong there. Of twenty columns that are tested one drifts by chance, so p-values are corrected (Holm 1979).
And a distance has a floor of noise, which is over the threshold where the current window is small or the values are
many, whatever the size of the reference; so a distance is drift only where chance does not explain it either, by the
test that goes with it. With 1,000 rows or more in both windows that hardly ever takes anything back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from experiments.drift import distances
from experiments.drift.columns import Column
from experiments.drift.distances import Tested
from experiments.drift.embeddings import mean_distance
from experiments.statistics.effects import ALPHA, holm

LARGE = 1_000  # rows of the reference, beyond which a distance decides
FEW_NUMBERS = 5  # different ones: so few are categories
DISTANCE = 0.1  # threshold of both distances
LEAST = 100  # rows of each window

Method = Literal["kolmogorov_smirnov", "chi_squared", "z", "wasserstein", "jensen_shannon", "mean_distance", ""]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What became of a feature. `value` is the distance, with its `threshold`, or the statistic of the test. `p` and
    the corrected `adjusted_p` are of the test in either case; `psi` stands beside and decides nothing. `reference` and
    `current` are rows, `change` says in words what moved. Where nothing can be said, `missing` says why.
    """

    name: str
    method: Method = ""
    value: float | None = None
    threshold: float | None = None
    p: float | None = None
    adjusted_p: float | None = None
    psi: float | None = None
    drifted: bool = False
    reference: int
    current: int
    change: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Measured:
    column: Column
    method: Method
    tested: Tested
    distance: float | None
    psi: float | None


def judge(columns: Sequence[Column], *, least: int = LEAST) -> list[Finding]:
    """One finding a column, in their order. Among all that are judged one drifts by chance with probability ALPHA at
    most, where the windows are samples of the same.
    """
    enough = [column for column in columns if min(len(column.reference), len(column.current)) >= least]
    measured = [_measured(column) for column in enough]
    adjusted = holm([one.tested.p for one in measured]) if measured else []
    found = {one.column.name: _finding(one, p) for one, p in zip(measured, adjusted, strict=True)}
    return [found.get(column.name) or _too_few(column, least) for column in columns]


def method_of(kind: str, rows: int, different: int) -> Method:
    """Evidently's choice, by the rows of the reference and the different values in both windows."""
    if kind == "vectors":
        return "mean_distance"
    by_value = kind == "category" or different <= FEW_NUMBERS
    if rows > LARGE:
        return "jensen_shannon" if by_value else "wasserstein"
    if by_value:
        return "chi_squared" if different > 2 else "z"
    return "kolmogorov_smirnov"


def _measured(column: Column) -> Measured:
    first, second = column.reference, column.current
    if column.kind == "vectors":
        return Measured(column, "mean_distance", mean_distance(first, second), None, None)
    counts = distances.counted(first, second)
    different = len(counts[0])
    method = method_of(column.kind, len(first), different)
    if method in ("kolmogorov_smirnov", "wasserstein"):
        distance = distances.wasserstein(first, second) if method == "wasserstein" else None
        psi = distances.stability_index(*distances.binned(first, second))
        return Measured(column, method, distances.kolmogorov_smirnov(first, second), distance, psi)
    tested = distances.chi_squared(*counts) if different > 2 else distances.z_of_share(*_two(*counts))
    distance = distances.jensen_shannon(*counts) if method == "jensen_shannon" else None
    return Measured(column, method, tested, distance, distances.stability_index(*counts))


def _two(reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts of two values, where there may be one."""
    return np.pad(reference, (0, 2 - len(reference))), np.pad(current, (0, 2 - len(current)))


def _finding(one: Measured, adjusted: float) -> Finding:
    by_test = one.distance is None
    value = one.tested.statistic if one.distance is None else one.distance
    return Finding(
        name=one.column.name, method=one.method, value=value, threshold=None if by_test else DISTANCE,
        p=one.tested.p, adjusted_p=adjusted, psi=one.psi,
        drifted=adjusted < ALPHA and (by_test or value >= DISTANCE),
        reference=len(one.column.reference), current=len(one.column.current), change=_change(one.column),
    )  # fmt: skip


def _too_few(column: Column, least: int) -> Finding:
    sizes = len(column.reference), len(column.current)
    words = f"Fewer than {least:,} values: {sizes[0]:,} in the reference, {sizes[1]:,} now."
    return Finding(name=column.name, reference=sizes[0], current=sizes[1], missing=words)


def _change(column: Column) -> str:
    """The means of numbers; of categories the one whose share changed most."""
    first, second = column.reference, column.current
    if column.kind == "number":
        return f"mean {first.mean():.4g} to {second.mean():.4g}"
    if column.kind == "vectors":
        return ""
    names = np.unique(np.concatenate([first, second]))
    shares = [np.array([(window == name).mean() for name in names]) for window in (first, second)]
    most = int(np.abs(shares[1] - shares[0]).argmax())
    name = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in names[most])  # anybody's text
    return f"{name} {shares[0][most]:.1%} to {shares[1][most]:.1%}"
