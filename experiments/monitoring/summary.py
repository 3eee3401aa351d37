"""How each task and each of its versions does in a window of time: from the rollups, never from the log itself."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery

from experiments.errors import Invalid
from experiments.models import ModelVersion, PredictionRollup, Promotion, QualityMeasure
from experiments.monitoring import rollups, watermarks
from experiments.monitoring.figures import Rollup, counts_of, figures_of
from experiments.monitoring.report import LiveVersion, Measured, Promoted, Summary, TaskSummary, VersionSummary
from experiments.monitoring.windows import DAY, WINDOWS, Span

Series = tuple[str, int | None, str]  # task, version and algorithm
MEASURED_WITHIN = DAY  # what is older is of no use: it is measured every hour


@dataclass(frozen=True)
class Read:
    """All that a summary needs, each by the task."""

    rows: Mapping[str, Mapping[Series, Sequence[Rollup]]]
    live: Mapping[str, LiveVersion]
    promotions: Mapping[str, list[Promoted]]
    quality: Mapping[str, list[Measured]]


def summary_of(window: str, now: datetime) -> Summary:
    """Of all tasks that have a live version or any prediction in the window. Raises Invalid for a window that is none
    of WINDOWS.
    """
    if window not in WINDOWS:
        raise Invalid("window", f"Expected one of {', '.join(WINDOWS)}.", "invalid_choice")
    as_of = watermarks.reached(rollups.NAME)
    span = WINDOWS[window].span(now, as_of)
    read = Read(_rows(span), live_versions(), _promotions(span), _quality(now))
    return Summary(
        window=window, start=span.start, end=span.end, as_of=as_of, buckets=span.buckets,
        bucket_seconds=int(span.window.bucket.total_seconds()),
        tasks=[_task(name, read, span) for name in sorted({*read.rows, *read.live})],
    )  # fmt: skip


def _rows(span: Span) -> dict[str, dict[Series, list[Rollup]]]:
    found: dict[str, dict[Series, list[Rollup]]] = defaultdict(lambda: defaultdict(list))
    rows = PredictionRollup.objects.filter(grain=span.window.grain, at__gte=span.start, at__lt=span.until)
    sums = ("ok", "fallbacks", "errors", "latency_ms", "latency", "confidence")
    for task, version, algorithm, at, *facts in rows.values_list("task", "version", "algorithm", "at", *sums):
        found[task][task, version, algorithm].append(Rollup(span.place(at), *facts))
    return found


def live_versions() -> dict[str, LiveVersion]:
    """By the task."""
    last = Promotion.objects.filter(to_version=OuterRef("pk")).order_by("-at").values("at")[:1]
    rows = ModelVersion.objects.filter(live=True).annotate(since=Subquery(last))
    columns = ("task", "version", "algorithm", "since")
    return {task: LiveVersion(*facts) for task, *facts in rows.values_list(*columns)}


def _promotions(span: Span) -> dict[str, list[Promoted]]:
    """The oldest first."""
    found: dict[str, list[Promoted]] = defaultdict(list)
    rows = Promotion.objects.filter(at__gte=span.start, at__lt=span.end).order_by("at", "id")
    columns = ("task", "at", "kind", "from_version__version", "to_version__version")
    for task, *facts in rows.values_list(*columns):
        found[task].append(Promoted(*facts))
    return found


def _quality(now: datetime) -> dict[str, list[Measured]]:
    """The newest of each version, name and length of time."""
    newest: dict[Any, Measured] = {}
    rows = QualityMeasure.objects.filter(made_at__gte=now - MEASURED_WITHIN).order_by("made_at", "id")
    for task, *facts in rows.values_list("task", *(field.name for field in fields(Measured))):
        one = Measured(*facts)
        newest[task, one.version, one.name, one.estimated, one.window_end - one.window_start] = one
    found: dict[str, list[Measured]] = defaultdict(list)
    for (task, *_), one in sorted(newest.items()):
        found[task].append(one)
    return found


def _task(name: str, read: Read, span: Span) -> TaskSummary:
    live, series = read.live.get(name), read.rows.get(name, {})
    return TaskSummary(
        task=name, live=live, counts=counts_of((row for rows in series.values() for row in rows), span.minutes),
        versions=[
            _version(one, series[one], live, span) for one in sorted(series, key=lambda one: (one[1] or 0, one[2]))
        ],
        promotions=read.promotions.get(name, []), quality=read.quality.get(name, []),
    )  # fmt: skip


def _version(series: Series, rows: Sequence[Rollup], live: LiveVersion | None, span: Span) -> VersionSummary:
    _, version, algorithm = series
    latency, confidence, over_time = figures_of(rows, span)
    return VersionSummary(
        version=version, algorithm=algorithm, counts=counts_of(rows, span.minutes), latency=latency,
        live=live is not None and (version, algorithm) == (live.version, live.algorithm),
        confidence=confidence, over_time=over_time,
    )  # fmt: skip
