"""Predictions at times of their own, and what the rollups say of them."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from experiments.models import Prediction, PredictionRollup
from experiments.monitoring.histogram import CONFIDENCE, LATENCY, added
from experiments.monitoring.rollups import rollups_update
from experiments.prediction_log import prediction_record
from experiments.uuid7 import uuid7_floor

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)  # of the last day of a month


def after(**time: float) -> datetime:
    return NOON + timedelta(**time)


def prediction(at: datetime, **facts: Any) -> Prediction:
    """One of sentiment 1, whose id says the time; `created_at` is left at what it is, which nothing may rest on."""
    made = UUID(int=uuid7_floor(at).int | secrets.randbits(62))
    given = {"task": "sentiment", "algorithm": "tfidf", "version": 1, "input": {}, "output": {}, "latency_ms": 3.0}
    return Prediction(id=made, **{**given, **facts})


def log(*times: datetime, **facts: Any) -> None:
    for start in range(0, len(times), 1_000):
        prediction_record([prediction(at, **facts) for at in times[start : start + 1_000]])


def up_to(now: datetime) -> None:
    """Run the job until it has come so far."""
    rollups_update(now=now)


def counts(grain: str = "minute", **facts: Any) -> dict[datetime, int]:
    """How many predictions each minute (hour, day) has."""
    found: dict[datetime, int] = {}
    rows = PredictionRollup.objects.filter(grain=grain, **facts).order_by("at")
    for at, *by_status in rows.values_list("at", "ok", "fallbacks", "errors"):
        found[at] = found.get(at, 0) + sum(by_status)
    return found


def total(grain: str = "minute", **facts: Any) -> int:
    return sum(counts(grain, **facts).values())


def latencies(grain: str = "minute") -> np.ndarray:
    """The histogram of all."""
    packs = list(PredictionRollup.objects.filter(grain=grain).values_list("latency", flat=True))
    return added(LATENCY, packs, [0] * len(packs), 1)[0]


def confidences(grain: str = "minute") -> list[int]:
    packs = list(PredictionRollup.objects.filter(grain=grain).values_list("confidence", flat=True))
    return added(CONFIDENCE, packs, [0] * len(packs), 1)[0].tolist()
