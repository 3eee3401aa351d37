"""How good the live versions are now: estimated over all that they were asked, measured where truths have come.

The reference of an estimate is the test part of the task's examples, which the version did not learn from: a version
has it from its first hour, and no customer has to report anything. It is answered once by each process.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

import numpy as np
from django.db.models import Q
from django.utils import timezone

from experiments.discovery import dataset, quality_of, task_named, tasks
from experiments.errors import DomainError, NotFound
from experiments.estimates.quality import Estimate, Known, Quality
from experiments.loading import load, one_each
from experiments.log_sample import Window, sampled
from experiments.mltask import to_json
from experiments.models import ModelVersion, Outcome, Prediction, QualityMeasure
from experiments.registry import live_version
from experiments.uuid7 import uuid7_floor

logger = logging.getLogger(__name__)
WINDOWS = (timedelta(hours=24), timedelta(days=7))
KEPT_FOR = timedelta(days=90)
FEWEST = 30  # predictions in a window
LEAST_KNOWN, MOST_KNOWN = 100, 2_000  # rows of a reference
MOST_TRUTHS = 10_000  # of a window
READ = 500  # predictions in one query


def quality_measure(*, task: str) -> list[QualityMeasure]:
    """Estimate and measure the task's live version over each of WINDOWS, up to now, and keep the figures. Raises
    NotFound where there is no live version, or nothing tells whether its answers are right.
    """
    row, quality = live_version(task_named(task).name), quality_of(task)
    if not row or not quality:
        raise NotFound(f"{task} has no live version, or no quality.py says what the truth of its answers is.")
    now = timezone.now()
    windows = [Window(now - length, now) for length in WINDOWS]
    return QualityMeasure.objects.bulk_create(one for window in windows for one in _figures(row, quality, window))


def measured_tasks() -> list[str]:
    """Those with a live version of which somebody can tell whether it is right."""
    live = ModelVersion.objects.filter(live=True, task__in=tasks()).order_by("task").values_list("task", flat=True)
    return [name for name in live if quality_of(name)]


def measures_tidy(*, now: datetime) -> None:
    """Old ones go."""
    QualityMeasure.objects.filter(made_at__lt=now - KEPT_FOR).delete()


def _figures(row: ModelVersion, quality: Quality, window: Window) -> Iterator[QualityMeasure]:
    facts = {"task": row.task, "version": row.version, "window_start": window.start, "window_end": window.end}
    asked = [*_facts(row.task, row.version, quality, sampled(task=row.task, window=window)).values()]
    for name, one in _estimates(row, quality, asked).items():
        yield QualityMeasure(name=name, **asdict(one), n=len(asked), estimated=True, **facts)
    values, n = measured(task=row.task, quality=quality, window=window, version=row.version)
    for name, value in values.items():
        yield QualityMeasure(name=name, value=value, n=n, **facts)


def measured(
    *, task: str, quality: Quality, window: Window, version: int | None = None
) -> tuple[Mapping[str, float], int]:
    """What the truths that have come say of the answers of a window, by this version or by any, and how many they are.
    Nothing where none came.
    """
    known = _known(task, version, quality, window)
    return quality.measure(known) if len(known.truth) else {}, len(known.truth)


def _estimates(row: ModelVersion, quality: Quality, asked: Sequence[Sequence[float]]) -> Mapping[str, Estimate]:
    """Nothing where there is too little to estimate from."""
    if len(asked) < FEWEST:
        return {}
    try:
        return quality.estimate(_reference(row, quality), np.array(asked, float))
    except DomainError as error:
        logger.info("the quality of %s is not estimated: %s", row, error.detail)
        return {}


@lru_cache(maxsize=16)
def _reference(row: ModelVersion, quality: Quality) -> Known:
    """What the version answers on examples that it did not learn from. Raises DomainError where there are none."""
    rows = dataset(task_named(row.task)).test.rows
    if len(rows) < LEAST_KNOWN:
        raise NotFound(f"{row.task} has {len(rows)} examples in its test part; at least {LEAST_KNOWN} are needed.")
    inputs, truth = quality.asked(rows.sample(min(len(rows), MOST_KNOWN), random_state=0))
    with closing(load(row)) as model:
        outputs = one_each(model.predictor, inputs)
    logged = [(to_json(given), to_json(said)) for given, said in zip(inputs, outputs, strict=True)]
    return Known(np.array([quality.facts(*one) for one in logged], float), truth)


def _known(task: str, version: int | None, quality: Quality, window: Window) -> Known:
    """Answers of the window whose truth has come, the newest; of several truths of one, the last counts, and one that
    is none takes it back. What is reported of another task takes none of their places.
    """
    outcomes = Outcome.objects.filter(
        ~Q(kind="reported") | Q(subject=task),
        kind__in=quality.outcomes,
        prediction_id__gte=uuid7_floor(window.start),
        prediction_id__lt=uuid7_floor(window.end),
    )
    last = outcomes.order_by("-prediction_id", "-id").distinct("prediction_id")
    newest = last.values_list("prediction_id", "value")[:MOST_TRUTHS]
    truths = {one: truth for one, value in newest if one and (truth := quality.truth(value)) is not None}
    facts = _facts(task, version, quality, list(truths))
    return Known(np.array([*facts.values()], float), np.array([truths[one] for one in facts], float))


def _facts(task: str, version: int | None, quality: Quality, ids: Sequence[UUID]) -> dict[UUID, Sequence[float]]:
    """Of those predictions that the version answered, or any version, without what older code logged otherwise."""
    found: dict[UUID, Sequence[float]] = {}
    by = {"version__isnull": False} if version is None else {"version": version}
    answered = Prediction.objects.filter(task=task, status=Prediction.Status.OK, **by)
    for start in range(0, len(ids), READ):
        logged = answered.filter(pk__in=ids[start : start + READ]).values_list("id", "input", "output")
        for one, given, said in logged:
            with suppress(KeyError, TypeError, ValueError):
                found[one] = quality.facts(given, said or {})
    return found
