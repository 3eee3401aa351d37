"""Many predictions in the log at once, at times of their own."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from experiments.models import Prediction
from experiments.uuid7 import uuid7_floor


def predictions(
    inputs: Sequence[Any], outputs: Iterable[Any], *, start: datetime, end: datetime, **facts: Any
) -> list[Prediction]:
    """One of each pair, evenly over the time from `start` to `end`; of sentiment 1 unless the facts say otherwise."""
    step = (end - start) / max(len(inputs), 1)
    given = {"task": "sentiment", "version": 1, "algorithm": "tfidf", "latency_ms": 1.0, **facts}
    return Prediction.objects.bulk_create(
        Prediction(id=_id(start + step * number), input=one, output=answer, created_at=start + step * number, **given)
        for number, (one, answer) in enumerate(zip(inputs, outputs, strict=True))
    )


def _id(at: datetime) -> UUID:
    return UUID(int=uuid7_floor(at).int | secrets.randbits(62))


def ago(**time: float) -> datetime:
    from django.utils import timezone

    return timezone.now() - timedelta(**time)
