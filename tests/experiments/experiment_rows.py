"""A test that runs, and rows of its users, with times in days since its start."""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from experiments.models import ABTest, Exposure, Outcome, Prediction
from experiments.uuid7 import uuid7, uuid7_floor

START = datetime(2026, 3, 2, tzinfo=UTC)


def at(day: float) -> datetime:
    return START + timedelta(days=day)


def started(*variants: str, **facts: Any) -> ABTest:
    """Running since START with these variants, the control first (`control` and `new` where none are named)."""
    given = {"name": "which is better", "task": "recommend", "state": "running", "started_at": START,
             "planned_users": 2, **facts}  # fmt: skip
    test = ABTest.objects.create(**given)
    for name in variants or ("control", "new"):
        test.variants.create(name=name)
    return test


def expose(test: ABTest, variant: str, *users: int, day: float = 1.0) -> None:
    place = test.variants.get(name=variant)
    Exposure.objects.bulk_create(
        Exposure(test=test, variant=place, user_id=user, prediction_id=uuid7(), created_at=at(day)) for user in users
    )


def outcome(user: int, kind: str = "click", *, day: float = 1.0, value: Any = 1, **facts: Any) -> Outcome:
    return Outcome.objects.create(user_id=user, kind=kind, value=value, created_at=at(day), **facts)


def clicks(users: Iterable[int], *, day: float = 2.0) -> None:
    """One of each user."""
    Outcome.objects.bulk_create(Outcome(user_id=user, kind="click", value=1, created_at=at(day)) for user in users)


def prediction(user: int, variant: str, *, day: float = 1.0, shown: tuple[int, ...] = (), **facts: Any) -> Prediction:
    """An answer of the variant, with these products in it."""
    given = {
        "task": "recommend",
        "latency_ms": 10.0,
        "input": {},
        "output": {"products": [{"product": one} for one in shown]},
    }
    made = UUID(int=uuid7_floor(at(day)).int | secrets.randbits(62))
    return Prediction.objects.create(id=made, user_id=user, variant=variant, created_at=at(day), **{**given, **facts})
