"""A day of a small shop, made up for the pictures of the docs: its sentiment model was replaced some hours ago by one
that is slower and fails at times.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from django.utils import timezone

from experiments import tasks
from experiments.models import ABTest, Alarm, DriftReport, Exposure, ModelVersion, Prediction, Promotion, QualityMeasure
from experiments.monitoring.rollups import rollups_update
from experiments.prediction_log import partitions_ensure, prediction_record
from experiments.uuid7 import uuid7, uuid7_floor

A_DAY = {"sentiment": 5_200, "recommend": 9_000}  # predictions
MS = {"sentiment": 3.2, "recommend": 9.0}
ALGORITHMS = {"sentiment": "tfidf", "recommend": "ease"}
PROMOTED_AGO = timedelta(hours=7)
FEATURES = ["input.text.words", "input.text.new_words", "input.text.language", "output.label", "output.confidence"]
QUALITY = [  # task, name, measured, on, estimated, on
    ("sentiment", "accuracy", 0.897, 412, 0.908, 4_870), ("sentiment", "macro_f1", 0.861, 412, 0.874, 4_870),
    ("recommend", "hit_rate", 0.183, 8_120, None, 0),
    ("recommend", "click_through", 0.041, 81_200, None, 0), ("recommend", "coverage", 0.62, 81_200, None, 0),
    ("recommend", "popular_share", 0.34, 81_200, None, 0),
    ("recommend", "rating_of_recommended", 4.21, 156, None, 0),
]  # fmt: skip


def make_day() -> None:
    now, draw = timezone.now(), np.random.default_rng(8)
    for month in (now - timedelta(days=1), now):
        partitions_ensure(now=month, ahead=0)
    for task, count in A_DAY.items():
        versions = _versions(task, now)
        times = [now - timedelta(hours=24 * float(share)) for share in _busy(draw, count)]
        rows = [_prediction(task, at, versions[-1], now, draw) for at in sorted(times)]
        for start in range(0, len(rows), 1_000):
            prediction_record(rows[start : start + 1_000])
    rollups_update(now=now)
    _quality(now)
    _drift(now)
    _test(now)
    _alarm(now)
    tasks.measure_outcomes.enqueue()


def _versions(task: str, now: datetime) -> list[int]:
    """One that was live for long and, of sentiment, the one that took over."""
    numbers = [2, 3] if task == "sentiment" else [1]
    before = None
    for number in numbers:
        made: dict[str, Any] = {"artifact": "-", "manifest": {}, "digest": "-", "algorithm": ALGORITHMS[task]}
        row = ModelVersion.objects.create(task=task, version=number, live=number == numbers[-1], **made)
        at = now - (PROMOTED_AGO if before else timedelta(days=40))
        Promotion.objects.create(task=task, kind="promote", from_version=before, to_version=row, at=at)
        before = row
    return numbers


def _busy(draw: np.random.Generator, count: int) -> np.ndarray:
    """Shares of the day, more of them in its middle."""
    found: np.ndarray = np.where(draw.random(count) < 0.5, draw.random(count), draw.beta(3, 3, count))
    return found


def _prediction(task: str, at: datetime, live: int, now: datetime, draw: np.random.Generator) -> Prediction:
    slow = task == "sentiment" and at > now - PROMOTED_AGO
    version = live if slow or task != "sentiment" else live - 1
    status = "error" if draw.random() < (0.03 if slow else 0.001) else "ok"
    fallback = task == "recommend" and draw.random() < 0.02
    return Prediction(
        id=UUID(int=uuid7_floor(at).int | secrets.randbits(62)), task=task, input={}, output={},
        version=None if fallback else version, algorithm="trending" if fallback else ALGORITHMS[task],
        status="fallback" if fallback else status, latency_ms=float(MS[task] * draw.lognormal(0, 0.5) * (1 + 5 * slow)),
        confidence=float(draw.beta(6, 1.2)) if task == "sentiment" else None,
    )  # fmt: skip


def _quality(now: datetime) -> None:
    for task, name, measured, n, estimated, on in QUALITY:
        version = 3 if task == "sentiment" else 1
        of = {"task": task, "version": version, "name": name, "window_start": now - timedelta(days=1)}
        QualityMeasure.objects.create(value=measured, n=n, window_end=now, **of)
        if estimated is not None:
            ends = {"low": estimated - 0.012, "high": estimated + 0.012}
            QualityMeasure.objects.create(value=estimated, n=on, estimated=True, window_end=now, **ends, **of)


def _drift(now: datetime) -> None:
    windows = {"reference_from": now - timedelta(days=30), "reference_to": now - timedelta(days=23),
               "current_from": now - timedelta(days=1), "current_to": now}  # fmt: skip
    moved = ["input.text.language", "output.confidence"]
    found = [{"name": name, "drifted": name in moved} for name in FEATURES]
    DriftReport.objects.create(task="sentiment", version=3, features=found, drifted=len(moved), **windows)
    found = [{"name": "input.history.items", "drifted": False}]
    DriftReport.objects.create(task="recommend", version=1, features=found, **windows)


def _test(now: datetime) -> None:
    test = ABTest.objects.create(
        name="more by words", task="recommend", state="running", started_at=now - timedelta(days=3), planned_users=1_000
    )
    variants = [test.variants.create(name=name) for name in ("control", "words")]
    Exposure.objects.bulk_create(
        Exposure(test=test, variant=variants[user % 2], user_id=user, prediction_id=uuid7()) for user in range(1, 624)
    )


def _alarm(now: datetime) -> None:
    Alarm.objects.create(
        name="sentiment fails", task="sentiment", version=3, metric="error_rate", state="firing", value=0.034,
        bound=0.02, n=1_212, since=now - timedelta(hours=6.9), fired_at=now - timedelta(hours=6.8), seen_at=now,
    )  # fmt: skip
