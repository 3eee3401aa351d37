"""Where the marks of a forest plot go: figures to plain geometry, which a template draws as SVG. Pure.

Across, a place is a percentage of the chart's width: so a chart fits a phone and a wide screen with text of one size.
Down, it is pixels. No colour says which variant is meant: each has a row of its own.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from experiments.results.figures import Lift

ROW = 48.0  # of a forest plot: a name and its interval
AXIS = 28.0  # below what is drawn, for text
MOST_TICKS = 5
NAMED = 40  # characters of a name


@dataclass(frozen=True)
class Scale:
    """Puts the numbers from `low` to `high` from `start` to `end`, and those beyond at the ends."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        if self.high == self.low:
            return (self.start + self.end) / 2
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 2)

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class Row:
    """A variant's lift; `y` is of its name, `line` of its intervals."""

    name: str
    y: float
    line: float
    estimate: float
    low: float
    high: float
    sequential_low: float
    sequential_high: float


@dataclass(frozen=True)
class Forest:
    """`zero` is where nothing is won or lost, `bound` as much as a guardrail lets go."""

    height: float
    bottom: float
    zero: float
    bound: float | None
    ticks: Sequence[Tick]
    rows: Sequence[Row]


def forest(lifts: Mapping[str, Lift], text: Callable[[float], str], bound: float | None = None) -> Forest | None:
    """A row a variant on one scale, whose ticks `text` writes. None where there is nothing to draw."""
    if not lifts:
        return None
    ends = [end for one in lifts.values() for end in (one.low, one.high, one.sequential_low, one.sequential_high)]
    marks = [0.0, *ends] if bound is None else [0.0, bound, *ends]
    scale = Scale(min(marks), max(marks), 8.0, 92.0)
    bottom = ROW * len(lifts)
    return Forest(
        height=bottom + AXIS, bottom=bottom, zero=scale.at(0.0), bound=None if bound is None else scale.at(bound),
        ticks=ticks_of(scale, text), rows=[_row(*one, place, scale) for place, one in enumerate(lifts.items())],
    )  # fmt: skip


def round_numbers(low: float, high: float) -> list[float]:
    """At most MOST_TICKS of them in between: multiples of 1, 2, 2.5 or 5 times a power of ten."""
    if not low < high:
        return [low]
    least = (high - low) / (MOST_TICKS - 1)
    power = 10.0 ** math.floor(math.log10(least))
    step = next(power * one for one in (1, 2, 2.5, 5, 10) if power * one >= least)
    return [step * place for place in range(math.ceil(low / step), math.floor(high / step) + 1)]


def ticks_of(scale: Scale, text: Callable[[float], str]) -> list[Tick]:
    return [Tick(scale.at(one), text(one)) for one in round_numbers(scale.low, scale.high)]


def _row(name: str, one: Lift, place: int, scale: Scale) -> Row:
    ends = (one.estimate, one.low, one.high, one.sequential_low, one.sequential_high)
    written = name if len(name) <= NAMED else f"{name[: NAMED - 1]}…"
    return Row(written, ROW * place + 16, ROW * place + 32, *(scale.at(end) for end in ends))
