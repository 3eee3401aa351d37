"""Time across the charts of a task: its buckets, the times that are named, and the promotions. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from experiments.charts import Scale, Tick
from experiments.monitoring.report import Promoted, Summary

LEFT, RIGHT = 18.0, 92.0
GAPS = 4  # between the times that are named
CHARACTER = 2.2  # of a name, on a phone
OF_A_DAY = {"1h": "%H:%M", "24h": "%H:%M"}


@dataclass(frozen=True)
class Mark:
    """A promotion. Its text is empty where another name is in the way, and `anchor` says which end of it is at it."""

    at: float
    text: str
    anchor: str


@dataclass(frozen=True)
class Axis:
    """`middles` are those of the buckets that are counted, `width` is a bucket's."""

    middles: Sequence[float]
    width: float
    times: Sequence[Tick]
    marks: Sequence[Mark]


def axis_of(summary: Summary, promotions: Sequence[Promoted]) -> Axis:
    scale = Scale(summary.start.timestamp(), summary.end.timestamp(), LEFT, RIGHT)
    length, bucket = summary.end - summary.start, timedelta(seconds=summary.bucket_seconds)
    times = [summary.start + length * place / GAPS for place in range(GAPS + 1)]
    written = OF_A_DAY.get(summary.window, "%-d %b")
    return Axis(
        middles=[scale.at((one + bucket / 2).timestamp()) for one in summary.buckets],
        width=(RIGHT - LEFT) * (bucket / length),
        times=[Tick(scale.at(one.timestamp()), f"{one:{written}}") for one in times],
        marks=list(_marks(promotions, scale)),
    )


def promotion_text(one: Promoted) -> str:
    return f"{'back ' if one.kind == 'rollback' else ''}to {one.to_version}"


def _marks(promotions: Sequence[Promoted], scale: Scale) -> Iterator[Mark]:
    taken = LEFT
    for one in promotions:
        at, text = scale.at(one.at.timestamp()), promotion_text(one)
        needed = CHARACTER * len(text)
        backwards = at + needed > 100
        start = at - needed if backwards else at
        room = start >= taken
        taken = start + needed if room else taken
        yield Mark(at, text if room else "", "end" if backwards else "start")
