"""Figures of a test as words: few digits, the unit, and for effects the sign. Pure."""

import math
from collections.abc import Callable

from experiments.results.report import MetricResult

UNKNOWN = "-"
Write = Callable[[float], str]


def number(value: float, sign: str = "") -> str:
    """With the three digits that say most, or all of a whole part that is longer; under a millionth it is 0."""
    if abs(value) < 1e-6:
        return "0"
    digits = 2 - math.floor(math.log10(abs(value)))
    written = f"{value:{sign},.{min(max(digits, 0), 6)}f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def relative(value: float) -> str:
    return f"{number(100 * value, '+')} %"


def points(value: float) -> str:
    """Of a share."""
    written = number(100 * value, "+")
    return f"{written} point{'' if written in ('+1', '-1') else 's'}"


def share(value: float) -> str:
    return f"{number(100 * value)} %"


def milliseconds(value: float) -> str:
    return f"{number(value)} ms"


def probability(p: float | None) -> str:
    if p is None:
        return UNKNOWN
    return "under 0.001" if p < 0.001 else f"{p:.3f}"


def interval(low: float, high: float, write: Write) -> str:
    return f"{write(low)} to {write(high)}"


def maybe(value: float | None, write: Write) -> str:
    return UNKNOWN if value is None else write(value)


def of_metric(metric: MetricResult) -> tuple[Write, Write]:
    """How its mean is written, and a difference of means."""
    if metric.kind == "proportion" or metric.in_points:
        return share, points
    if metric.kind == "quantile":
        return milliseconds, lambda value: f"{number(value, '+')} ms"
    return number, lambda value: number(value, "+")


def judged(metric: MetricResult) -> Write:
    """How the effect that the verdict reads is written."""
    return points if metric.in_points else relative
