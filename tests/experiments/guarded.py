"""Running tests with guardrails, and their minutes: answers of both variants, and a look at the end of each."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from experiments.guarding import ab_tests_guard
from experiments.models import ABTest, Prediction
from experiments.uuid7 import uuid7_floor
from tests.experiments.experiment_rows import START, started

NUMBERS = count(1)
ERRORS, FALLBACKS, P95, P50 = (
    {"metric": metric, "bound": bound}
    for metric, bound in [("error_rate", 0.05), ("fallback_rate", 0.05), ("latency_p95", 0.2), ("latency_p50", 0.2)]
)
FINE = {"ok": 100}
FAILING = {"ok": 50, "error": 50}


def at(minute: float) -> datetime:
    """Since the test was started."""
    return START + timedelta(minutes=minute)


def answers(minute: float, variant: str, given: Mapping[str, int], ms: float = 10.0, **facts: Any) -> None:
    """As many with each status, half a minute before, each a tenth quicker or slower than `ms` at most."""
    moment = at(minute - 0.5)
    Prediction.objects.bulk_create(
        Prediction(
            **{
                "id": UUID(int=uuid7_floor(moment).int + next(NUMBERS)), "task": "recommend", "user_id": place,
                "variant": variant, "status": status, "latency_ms": ms * (0.9 + place % 20 / 100),
                "input": {}, "output": {}, "created_at": moment, **facts,
            }
        )
        for status, times in given.items()
        for place in range(times)
    )  # fmt: skip


def minutes(
    *span: int, new: Mapping[str, int] = FINE, control: Mapping[str, int] = FINE, ms: float = 10.0, look: bool = True
) -> None:
    """These minutes, each with the answers of both variants and a look at its end."""
    for minute in range(*span):
        answers(minute, "control", control)
        answers(minute, "new", new, ms)
        if look:
            ab_tests_guard(now=at(minute))


def guarded(*guardrails: Mapping[str, Any], **facts: Any) -> ABTest:
    return started(guardrails=list(guardrails or [ERRORS]), **facts)


def state_of(test: ABTest) -> str:
    test.refresh_from_db()
    return test.state


def since(test: ABTest, variant: str = "new", metric: str = "error_rate") -> datetime | None:
    test.refresh_from_db()
    kept = test.beyond.get(variant, {}).get(metric)
    return datetime.fromisoformat(kept["since"]) if kept else None
