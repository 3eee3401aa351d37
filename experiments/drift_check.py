"""Drift of a live version: a reference window of its log against the last hours, kept as a row.

The reference does not move, else a slow change would never be seen: it is the version's first week, or as much of it
as lies before the current window, for as long as the log has its texts. A sample of each window is read, never all of
it.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.utils import timezone

from experiments.discovery import modules, task_named, tasks
from experiments.drift.columns import columns
from experiments.drift.fields import Field, watched
from experiments.drift.judging import LEAST, judge
from experiments.errors import Invalid, NotFound
from experiments.log_sample import Window, sampled
from experiments.models import DriftReport, ModelVersion, Prediction, Promotion
from experiments.monitoring.texts import has_texts
from experiments.registry import live_version
from experiments.uuid7 import EPOCH, uuid7_floor, uuid7_time

CURRENT = timedelta(hours=24)  # a whole day: what people ask in the morning is not what they ask at night
LONGEST = timedelta(days=90)
REFERENCE = timedelta(days=7)
KEPT_FOR = timedelta(days=90)
READ = 500  # predictions in one query


def drift_check(*, task: str, current: timedelta = CURRENT, reference: Window | None = None) -> DriftReport:
    """Compare the `current` time up to now with the reference and keep what was found. Where there is too little to
    compare, the report's `note` says so. Raises NotFound, and Invalid for windows that cannot be.
    """
    definition, row = task_named(task), live_version(task)
    if not row:
        raise NotFound(f"{task} has no live version, so there is nothing whose drift could be seen.")
    if not timedelta() < current <= LONGEST:
        raise Invalid("hours", f"Expected over 0 and at most {LONGEST // timedelta(hours=1):,} hours.")
    now = timezone.now()
    window = Window(now - current, now)
    before = _checked(reference, window) if reference else _first_week(row, window)
    report = DriftReport(
        task=task, version=row.version, reference_from=before.start, reference_to=before.end,
        current_from=window.start, current_to=window.end, note="" if reference else _too_young(before, current),
    )  # fmt: skip
    if not report.note:
        _compare(report, watched(definition), before, window)
    report.save()
    return report


def _checked(reference: Window, current: Window) -> Window:
    if reference.start < reference.end <= current.start:
        return reference
    raise Invalid("reference", f"The reference must end after it starts, and by {current.start:%Y-%m-%d %H:%M}.")


def _too_young(reference: Window, current: timedelta) -> str:
    """A reference of a part of a day differs from a whole day, whatever else does."""
    if reference.length >= current:
        return ""
    hours, ready = current / timedelta(hours=1), reference.start + 2 * current
    return f"The version is too young: two windows of {hours:g} hours are there from {ready:%Y-%m-%d %H:%M} on."


def _first_week(row: ModelVersion, current: Window) -> Window:
    """From the first prediction on that the log has since the version went live, and not beyond the current window."""
    promoted = Promotion.objects.filter(to_version=row).values_list("at", flat=True).first()
    start, kept_since = promoted or row.created_at, _texts_since(row.task, current)
    if kept_since > start:
        return Window(kept_since, min(kept_since + REFERENCE, current.start))
    rows = Prediction.objects.filter(task=row.task, version=row.version, id__gte=uuid7_floor(start))
    first = rows.order_by("id").values_list("id", flat=True).first()
    if first:
        start = uuid7_time(first)
    return Window(start, max(start, min(start + REFERENCE, current.start)))


def _texts_since(task: str, current: Window) -> datetime:
    """Where texts are taken out of old predictions, a week with texts moves along; a week without is compared where
    texts are kept for less than both windows take.
    """
    definition, since = task_named(task), current.end - timedelta(days=settings.PREDICTION_TEXT_DAYS)
    texts = has_texts(definition.input) or has_texts(definition.output)
    moves = settings.PREDICTION_TEXT_DAYS and texts and since + current.length <= current.start
    return since if moves else EPOCH


def _compare(report: DriftReport, fields: Sequence[Field], reference: Window, current: Window) -> None:
    """Fill the report in."""
    report.reference_rows, before = _read(report, fields, reference)
    report.current_rows, now = _read(report, fields, current)
    if min(report.reference_rows, report.current_rows) < LEAST:
        sizes = f"{report.reference_rows:,} in the reference, {report.current_rows:,} now"
        report.note = f"Too few predictions: {sizes}; at least {LEAST} are needed in each."
        return
    found = judge(list(columns(fields, before, now, _embed())))
    report.features = [asdict(one) for one in found]
    report.drifted = sum(one.drifted for one in found)


def _read(report: DriftReport, fields: Sequence[Field], window: Window) -> tuple[int, dict[str, list[Any]]]:
    """How many predictions of a sample the version answered itself, and the values of each field. What was logged is
    large and is let go of as soon as it was read.
    """
    count, values = 0, {field.name: list[Any]() for field in fields}
    ids = sampled(task=report.task, window=window)
    for start in range(0, len(ids), READ):
        rows = Prediction.objects.filter(pk__in=ids[start : start + READ], version=report.version)
        answers = rows.filter(status=Prediction.Status.OK).order_by("pk").values_list("input", "output")
        for given, answer in answers:
            count += 1
            for field in fields:
                values[field.name].append(field.of({"input": given, "output": answer}))
    return count, values


def _embed() -> Callable[[Sequence[str]], np.ndarray] | None:
    """What a higher room offers: `embed(texts)` in its quality.py, to vectors of shape (texts, dimensions)."""
    return next((module.embed for module in modules("quality") if hasattr(module, "embed")), None)


def live_tasks() -> list[str]:
    """Those that have something to check."""
    live = ModelVersion.objects.filter(live=True, task__in=tasks()).order_by("task")
    return list(live.values_list("task", flat=True))


def reports_tidy(*, now: datetime) -> None:
    """Old ones go."""
    DriftReport.objects.filter(made_at__lt=now - KEPT_FOR).delete()
