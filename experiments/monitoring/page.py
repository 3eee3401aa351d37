"""What the monitoring page shows of a summary: its figures in words, and its charts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from experiments.monitoring.bucket_table import bucket_rows
from experiments.monitoring.quality_table import QualityLine, quality_lines
from experiments.monitoring.report import (
    Counts,
    LatencyFigures,
    LiveVersion,
    Promoted,
    Summary,
    TaskSummary,
    VersionSummary,
)
from experiments.monitoring.time_axis import Axis, axis_of, promotion_text
from experiments.monitoring.time_charts import Chart, confidence, counts, latency
from experiments.wording import maybe, milliseconds, number, share

NO_LATENCY = LatencyFigures(None, None, None, None)
LATE = timedelta(minutes=5)  # the worker counts every 15 seconds
DRAWN = 6  # versions of a task that have charts: with hundreds nobody would find one, and the page would take seconds


@dataclass(frozen=True)
class Figures:
    requests: str
    per_minute: str
    p50: str
    p95: str
    p99: str
    errors: str
    fallbacks: str


@dataclass(frozen=True)
class VersionShown:
    name: str
    live: bool
    figures: Figures


@dataclass(frozen=True)
class VersionDrawn:
    """`buckets` are the rows of a table, `sure` those of the confidences."""

    name: str
    title: str
    live: bool
    charts: Sequence[Chart]
    buckets: str
    sure: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class TaskShown:
    """`figures` count all its versions; their latency is that of the live one. That stands first, then what was asked
    most; so many as DRAWN are `drawn`.
    """

    name: str
    figures: Figures
    live: LiveVersion | None
    versions: Sequence[VersionShown]
    drawn: Sequence[VersionDrawn]
    promotions: Sequence[tuple[datetime, str]]
    quality: Sequence[QualityLine]
    estimated: bool


@dataclass(frozen=True)
class Page:
    """`late` says how long ago the last figures are from, where that is too long."""

    summary: Summary
    late: str
    tasks: Sequence[TaskShown]


def page_of(summary: Summary, now: datetime) -> Page:
    return Page(summary, _late(summary.as_of, now), [_task(one, summary) for one in summary.tasks])


def _late(as_of: datetime | None, now: datetime) -> str:
    if not as_of or now - as_of <= LATE:
        return ""
    minutes = (now - as_of) // timedelta(minutes=1)
    return f"{minutes:,} minutes" if minutes < 120 else f"{minutes // 60:,} hours"


def _task(task: TaskSummary, summary: Summary) -> TaskShown:
    axis = axis_of(summary, task.promotions)
    versions = sorted(task.versions, key=lambda one: (not one.live, -one.counts.predictions))
    live = next((one for one in versions if one.live), None)
    return TaskShown(
        name=task.task, live=task.live, figures=_figures(task.counts, live.latency if live else NO_LATENCY),
        versions=[VersionShown(_name(one), one.live, _figures(one.counts, one.latency)) for one in versions],
        drawn=[_drawn(one, task, summary, axis) for one in versions[:DRAWN]],
        promotions=[(one.at, _promotion(one)) for one in task.promotions],
        quality=quality_lines(task.quality), estimated=any(one.estimated for one in task.quality),
    )  # fmt: skip


def _promotion(one: Promoted) -> str:
    return f"{promotion_text(one)}, from {one.from_version}" if one.from_version else promotion_text(one)


def _name(one: VersionSummary) -> str:
    return f"{one.version or 'none'} ({one.algorithm or 'nothing'})"


def _drawn(one: VersionSummary, task: TaskSummary, summary: Summary, axis: Axis) -> VersionDrawn:
    name = _name(one)
    return VersionDrawn(
        name=name, title=f"Version {name}" if one.version else f"No version {name.removeprefix('none ')}",
        live=one.live, charts=_charts(f"{task.task} {name}", one, axis),
        buckets=bucket_rows(summary.buckets, one.over_time),
        sure=[(f"{place / 20:g} to {(place + 1) / 20:g}", f"{n:,}") for place, n in enumerate(one.confidence) if n],
    )  # fmt: skip


def _figures(counted: Counts, took: LatencyFigures) -> Figures:
    return Figures(
        requests=f"{counted.predictions:,}", per_minute=maybe(counted.per_minute, number),
        p50=maybe(took.p50, milliseconds), p95=maybe(took.p95, milliseconds), p99=maybe(took.p99, milliseconds),
        errors=maybe(counted.error_rate, share), fallbacks=maybe(counted.fallback_rate, share),
    )  # fmt: skip


def _charts(of: str, one: VersionSummary, axis: Axis) -> list[Chart]:
    over = one.over_time
    troubles = {"errors": over.errors, "fallbacks": over.fallbacks}
    found = [
        latency(of, over, axis),
        counts("Requests", of, "Predictions over time.", {"all": over.predictions}, axis),
        counts("Errors, and fallbacks upon them", of, "How many over time.", troubles, axis),
        confidence(of, one.confidence),
    ]
    return [chart for chart in found if chart]
