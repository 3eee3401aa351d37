"""The figures that alarms are judged by: of the live version in the rule's window, and of the task before that.

Rates and latency are added up from the rollups by the minute, of which the current one counts as far as it is; so a
window is of its minutes and of as much of the current one as was counted. Quality is measured in the log; drift and
estimates are what the worker found last.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet, Sum

from experiments.alarms.metrics import COUNTED, DRIFTED, LEVELS, RATES, REQUESTS
from experiments.alarms.models import AlarmRule
from experiments.discovery import quality_of
from experiments.estimated_quality import measured
from experiments.estimates.quality import ESTIMATED
from experiments.log_sample import Window
from experiments.models import DriftReport, PredictionRollup, QualityMeasure
from experiments.monitoring import rollups, watermarks
from experiments.monitoring.histogram import LATENCY, added, quantiles
from experiments.monitoring.measures import measures_of
from experiments.monitoring.report import LiveVersion
from experiments.monitoring.windows import DAY, MINUTE, floor

LAGS = 2 * MINUTE  # rollups that are further behind say nothing of now


@dataclass(frozen=True)
class Figure:
    """`n` predictions, or truths, that it is of."""

    value: float
    n: int


@dataclass(frozen=True)
class Reading:
    figure: Figure
    window: Window


def reading_of(rule: AlarmRule, task: str, live: LiveVersion, now: datetime) -> Reading | None:
    """None where there is nothing to tell it from, or less than the rule asks for."""
    window = _window(rule, live, now)
    figure = window and figure_of(rule.metric, task, window, live.version)
    return Reading(figure, window) if window and figure and figure.n >= rule.least else None


def before(rule: AlarmRule, task: str, window: Window) -> float | None:
    """The figure in the 24 hours before the window, or since the task is asked, whichever version answered. A share is
    taken for as large as it may be by chance: 3 of the n, where there were none (the rule of three: Hanley and
    Lippman-Hand, 1983). An estimate is of a whole day, so the one before was made a day ago: a later one shares most
    of its predictions, and falls with it.
    """
    end = min(window.start, window.end - DAY) if rule.metric.startswith(ESTIMATED) else window.start
    start = max(end - DAY, _asked_since(task) or end)
    figure = figure_of(rule.metric, task, Window(start, end)) if start < end else None
    if not figure or figure.n < max(rule.least, 1):
        return None
    return max(figure.value, 3 / figure.n) if rule.metric in RATES else figure.value


def _asked_since(task: str) -> datetime | None:
    hours = PredictionRollup.objects.filter(grain="hour", task=task).order_by("at")
    return hours.values_list("at", flat=True).first()


def figure_of(metric: str, task: str, window: Window, version: int | None = None) -> Figure | None:
    """Of this version, or of all. None where there is none."""
    if metric == DRIFTED:
        return _drifted(task, window, version)
    if metric == REQUESTS:
        return _requests(task, window)
    if metric in LEVELS:
        return _latency(metric, task, window, version)
    if metric.startswith(ESTIMATED):
        return _estimated(metric.removeprefix(ESTIMATED), task, window, version)
    return _rate(metric, task, window, version) if metric in COUNTED else _quality(metric, task, window, version)


def _window(rule: AlarmRule, live: LiveVersion, now: datetime) -> Window | None:
    """Since the version went live, but for requests: who asks is nobody's merit."""
    length, end = timedelta(minutes=rule.window_minutes), now
    since = live.since
    if rule.metric in COUNTED:
        counted = watermarks.reached(rollups.NAME)
        if not counted or abs(now - counted) > LAGS:
            return None
        end = counted
        since = since and floor(since, MINUTE)
    start = (floor(end, MINUTE) if rule.metric in COUNTED else end) - length
    return Window(max(start, since) if since and rule.metric != REQUESTS else start, end)


def _rows(task: str, window: Window) -> QuerySet[PredictionRollup]:
    return PredictionRollup.objects.filter(grain="minute", task=task, at__gte=window.start, at__lt=window.end)


def _by(version: int | None) -> Q:
    """Answered by it, or by any: without a version are answers for which no model was asked."""
    return Q(version__isnull=False) if version is None else Q(version=version)


def _rate(metric: str, task: str, window: Window, version: int | None) -> Figure | None:
    """Who stands in may have no version, so all such answers count as fallbacks."""
    by = _by(version)
    sums = _rows(task, window).aggregate(
        ok=Sum("ok", filter=by),
        errors=Sum("errors", filter=by),
        fallbacks=Sum("fallbacks", filter=by | Q(version=None)),
    )
    part, ok = (sums["errors" if metric == "error_rate" else "fallbacks"] or 0), sums["ok"] or 0
    return Figure(part / (ok + part), ok + part) if ok + part else None


def _requests(task: str, window: Window) -> Figure | None:
    rows = _rows(task, window)
    sums = rows.aggregate(ok=Sum("ok"), fallbacks=Sum("fallbacks"), errors=Sum("errors"))
    count = sum(one or 0 for one in sums.values())
    length = window.end - max(window.start, _asked_since(task) or window.start)
    return Figure(count / (length / MINUTE), count) if length else None


def _latency(metric: str, task: str, window: Window, version: int | None) -> Figure | None:
    packs = list(_rows(task, window).filter(_by(version)).values_list("latency", flat=True))
    counts = added(LATENCY, packs, [0] * len(packs), 1)
    n = int(counts.sum())
    return Figure(float(quantiles(counts, [LEVELS[metric]])[0, 0]), n) if n else None


def _drifted(task: str, window: Window, version: int | None) -> Figure | None:
    """By the newest report that was made in the window and found enough to compare."""
    reports = DriftReport.objects.filter(task=task, note="", made_at__gte=window.start)
    found = reports.filter(_by(version), made_at__lte=window.end).first()
    return Figure(found.drifted, found.current_rows) if found else None


def _estimated(name: str, task: str, window: Window, version: int | None) -> Figure | None:
    """The newest estimate that was made in the window, of the day up to then."""
    made = {"made_at__gte": window.start, "made_at__lte": window.end}
    rows = QualityMeasure.objects.filter(_by(version), task=task, name=name, estimated=True, **made)
    found = rows.filter(window_end=F("window_start") + DAY).first()
    return Figure(found.value, found.n) if found else None


def _quality(name: str, task: str, window: Window, version: int | None) -> Figure | None:
    quality = quality_of(task)
    if quality and name in quality.names:
        values, n = measured(task=task, quality=quality, window=window, version=version)
        return Figure(values[name], n) if name in values else None
    ours = [one for one in measures_of(window) if (one.task, one.name) == (task, name)]
    ours = [one for one in ours if version in (None, one.version)]
    n = sum(one.n for one in ours)
    return Figure(sum(one.value * one.n for one in ours) / n, n) if n else None
