"""Where the marks of the monitoring charts go: latency and counts over time, and how sure the answers were. Pure.

Places are as in experiments/charts.py. What has a mark in each of many buckets is one path across 0 to 100, which the
page stretches to the chart's width.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.charts import AXIS, MOST_TICKS, Scale, Tick, ticks_of
from experiments.monitoring.report import OverTime
from experiments.monitoring.time_axis import LEFT, RIGHT, Axis, Mark
from experiments.wording import milliseconds, number

TOP, BOTTOM = 20.0, 150.0  # between them is drawn; above, promotions are named
FILLED = 0.8  # of a bucket's width


@dataclass(frozen=True)
class Path:
    """`kind` says what it is of, such as p95."""

    kind: str
    d: str


@dataclass(frozen=True)
class Chart:
    """`heading` stands above it. `title` says also whose it is, and `says` what it shows: for who cannot see it."""

    heading: str
    title: str
    says: str
    ticks: Sequence[Tick]
    across: Sequence[Tick]
    paths: Sequence[Path]
    marks: Sequence[Mark] = ()
    top: float = TOP
    bottom: float = BOTTOM
    height: float = BOTTOM + AXIS


def latency(of: str, over: OverTime, axis: Axis) -> Chart | None:
    """Three quantiles on a logarithmic scale. None where no bucket has any."""
    quantiles = {"p50": over.p50, "p95": over.p95, "p99": over.p99}
    known = [value for values in quantiles.values() for value in values if value is not None]
    if not known:
        return None
    levels = round_levels(min(known), max(known))
    scale = Scale(math.log10(levels[0]), math.log10(levels[-1]), BOTTOM, TOP)
    named = levels if len(levels) <= MOST_TICKS else [one for one in levels if _leading(one) == 1]
    return Chart(
        heading="Latency: thick p50, thin p95, dashed p99", title=f"Latency of {of}",
        says="Median, 95th and 99th percentile over time, on a logarithmic scale.",
        ticks=[Tick(scale.at(math.log10(one)), milliseconds(one)) for one in named], across=axis.times,
        paths=[Path(name, _line(values, axis, scale)) for name, values in quantiles.items()], marks=axis.marks,
    )  # fmt: skip


def counts(heading: str, of: str, says: str, by_kind: Mapping[str, Sequence[int]], axis: Axis) -> Chart | None:
    """Bars of a bucket each, the kinds one upon the other. None where all are 0."""
    most = max(map(sum, zip(*by_kind.values(), strict=True)), default=0)
    if not most:
        return None
    scale, reached, paths = Scale(0.0, most, BOTTOM, TOP), [0] * len(axis.middles), []
    for kind, values in by_kind.items():
        above = [low + value for low, value in zip(reached, values, strict=True)]
        paths.append(Path(kind, _bars(axis.middles, axis.width * FILLED, reached, above, scale)))
        reached = above
    return Chart(
        heading=heading, title=f"{heading} of {of}", says=says, ticks=[Tick(TOP, f"{most:,}")], across=axis.times,
        paths=paths, marks=axis.marks,
    )  # fmt: skip


def confidence(of: str, found: Sequence[int]) -> Chart | None:
    """How many answers were how sure, in equal parts of 0 to 1. None where none has a confidence."""
    if not any(found):
        return None
    across, down = Scale(0.0, 1.0, LEFT, RIGHT), Scale(0.0, max(found), BOTTOM, TOP)
    middles = [across.at((place + 0.5) / len(found)) for place in range(len(found))]
    width = FILLED * (RIGHT - LEFT) / len(found)
    return Chart(
        heading="Confidence", title=f"Confidence of {of}",
        says=f"Answers by their confidence, in {len(found)} equal parts of 0 to 1.",
        ticks=[Tick(TOP, f"{max(found):,}")], across=ticks_of(across, number),
        paths=[Path("all", _bars(middles, width, [0] * len(found), found, down))],
    )  # fmt: skip


def round_levels(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten: from the last one up to `low` to the first one over `high`. Both are over 0."""
    powers = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 2)
    levels = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    first = max(place for place, one in enumerate(levels) if one <= low)
    last = min(place for place, one in enumerate(levels) if one > high)
    return levels[first : last + 1]


def _leading(value: float) -> int:
    return int(f"{value:e}"[0])


def _line(values: Sequence[float | None], axis: Axis, scale: Scale) -> str:
    """A step as wide as its bucket each, so that one between two gaps is seen too."""
    steps, joined = [], False
    for middle, value in zip(axis.middles, values, strict=True):
        y = f"{scale.at(math.log10(value)):g}" if value is not None else ""
        start = f"V{y}" if joined else f"M{middle - axis.width / 2:.2f} {y}"
        steps.append(f"{start}H{middle + axis.width / 2:.2f}" if y else "")
        joined = bool(y)
    return "".join(steps)


def _bars(middles: Sequence[float], width: float, low: Sequence[int], high: Sequence[int], scale: Scale) -> str:
    at = scale.at
    return "".join(
        f"M{middle - width / 2:.2f} {at(start):g}V{at(end):g}h{width:.2f}V{at(start):g}z"
        for middle, start, end in zip(middles, low, high, strict=True) if end > start
    )  # fmt: skip
