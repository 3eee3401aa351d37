"""How good the answers were, as it is told: what was measured and what was estimated beside each other. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from experiments.monitoring.report import Measured
from experiments.wording import UNKNOWN, interval, number

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class QualityLine:
    """A figure of a version over a length of time; `measured_on` and `estimated_on` are the answers it rests on."""

    version: int
    name: str
    over: str
    until: datetime
    measured: str
    measured_on: str
    estimated: str
    estimated_on: str


def quality_lines(found: Iterable[Measured]) -> list[QualityLine]:
    """By version (the newest first), name and length of time."""
    pairs: dict[tuple[int, str, timedelta], list[Measured]] = {}
    for one in found:
        pairs.setdefault((-one.version, one.name, one.window_end - one.window_start), []).append(one)
    return [_line(pairs[key]) for key in sorted(pairs)]


def _line(both: Sequence[Measured]) -> QualityLine:
    measured = next((one for one in both if not one.estimated), None)
    estimated = next((one for one in both if one.estimated), None)
    one = both[0]
    return QualityLine(
        version=one.version, name=one.name.replace("_", " "), over=_length(one.window_end - one.window_start),
        until=min(each.window_end for each in both),  # the truths may have ended before
        measured=number(measured.value) if measured else UNKNOWN, measured_on=_rests_on(measured),
        estimated=_estimate(estimated) if estimated else UNKNOWN, estimated_on=_rests_on(estimated),
    )  # fmt: skip


def _estimate(one: Measured) -> str:
    if one.low is None or one.high is None:
        return number(one.value)
    return f"{number(one.value)} ({interval(one.low, one.high, number)})"


def _rests_on(one: Measured | None) -> str:
    return f"{one.n:,}" if one else UNKNOWN


def _length(length: timedelta) -> str:
    return f"{length / HOUR:g} h" if length <= DAY else f"{length / DAY:g} d"
