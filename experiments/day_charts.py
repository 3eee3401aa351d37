"""Where the marks of the charts go that show an A/B test day by day: lifts, and users. Pure.

Each variant has a chart of its own. Places are as in charts.py.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from experiments.charts import AXIS, Scale, Tick, ticks_of
from experiments.results.judging import DailyLift

LIFTS, BARS = 160.0, 40.0  # heights that are drawn on
MOST_DAYS = 4  # that are named
WIDEST = 6.0  # a bar


@dataclass(frozen=True)
class Point:
    """The lift until a day, None where it lies outside of the chart, and its interval."""

    x: float
    y: float | None
    low: float
    high: float


@dataclass(frozen=True)
class Daily:
    """A variant's lift day by day. `cut`: some intervals go on beyond the chart."""

    name: str
    height: float
    bottom: float
    zero: float
    ticks: Sequence[Tick]
    days: Sequence[Tick]
    points: Sequence[Point]
    steps: Sequence[tuple[Point, Point]]
    cut: bool


@dataclass(frozen=True)
class Bar:
    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True)
class Traffic:
    """A variant's users by day, on a scale up to the `most` that any variant had on a day."""

    name: str
    height: float
    bottom: float
    most: int
    days: Sequence[Tick]
    bars: Sequence[Bar]


def daily(name: str, lifts: Mapping[date, DailyLift], text: Callable[[float], str]) -> Daily | None:
    """The lift over all users until each day, with its interval for any number of looks. None where no day has one.

    The first days know little, and their intervals would leave the others no room: what lies further out than the
    latest interval is wide is cut off.
    """
    if not lifts:
        return None
    across = _over(lifts)
    latest = lifts[max(lifts)]
    low, high = min(latest.low, 0.0), max(latest.high, 0.0)
    lowest, highest = min(0.0, *(one.low for one in lifts.values())), max(0.0, *(one.high for one in lifts.values()))
    down = Scale(max(lowest, 2 * low - high), min(highest, 2 * high - low), LIFTS, 0.0)
    points = [_point(across.at(day.toordinal()), one, down) for day, one in sorted(lifts.items())]
    steps = [(one, other) for one, other in pairwise(points) if one.y is not None and other.y is not None]
    return Daily(
        name=name, height=LIFTS + AXIS, bottom=LIFTS, zero=down.at(0.0), ticks=ticks_of(down, text), days=_days(across),
        points=points, steps=steps, cut=not (down.holds(lowest) and down.holds(highest)),
    )  # fmt: skip


def traffic(users: Mapping[date, Mapping[str, int]]) -> list[Traffic]:
    """Of each variant, from its users by day."""
    if not users:
        return []
    across = _over(users)
    most = max(max(one.values()) for one in users.values())
    down = Scale(0.0, most, BARS, 0.0)
    width = min(WIDEST, 0.8 * (across.end - across.start) / (across.high - across.low + 1))
    return [
        Traffic(
            name=name, height=BARS + AXIS, bottom=BARS, most=most, days=_days(across),
            bars=[_bar(across.at(day.toordinal()), width, down.at(one[name])) for day, one in sorted(users.items())],
        )
        for name in next(iter(users.values()))
    ]  # fmt: skip


def _point(x: float, one: DailyLift, down: Scale) -> Point:
    return Point(x, down.at(one.estimate) if down.holds(one.estimate) else None, down.at(one.low), down.at(one.high))


def _bar(middle: float, width: float, top: float) -> Bar:
    return Bar(round(middle - width / 2, 2), round(width, 2), top, round(BARS - top, 2))


def _over(days: Mapping[date, object]) -> Scale:
    """Time across, from the first day to the last one; to the left there is room for numbers."""
    return Scale(min(days).toordinal(), max(days).toordinal(), 18.0, 94.0)


def _days(across: Scale) -> list[Tick]:
    """The first day, the last one and some between them."""
    first, length = date.fromordinal(int(across.low)), int(across.high - across.low)
    gaps = min(MOST_DAYS - 1, length)
    days = [first + timedelta(days=round(length * place / max(gaps, 1))) for place in range(gaps + 1)]
    return [Tick(across.at(day.toordinal()), f"{day.day} {day:%b}") for day in days]
