"""Rules of alarms, a live version of sentiment that has been so for two days, its minutes, and looks at them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from experiments.alarms.checking import alarms_check
from experiments.models import Alarm, AlarmRule, ModelVersion, Promotion
from tests.experiments.rolled import after, log, up_to

HALF = {"ok": 25, "error": 25}


def rule(name: str = "Errors", **facts: Any) -> AlarmRule:
    """A valid one; of errors over 5 % in a minute, unless the facts say otherwise. There is no other one."""
    AlarmRule.objects.exclude(name__startswith="mine").delete()
    given = {"metric": "error_rate", "threshold": 0.05, "window_minutes": 1, "least": 20, **facts}
    row = AlarmRule(name=f"mine: {name}", **given)
    row.full_clean()
    row.save()
    return row


def live(promoted: Callable[..., ModelVersion], since: datetime | None = None, **script: Any) -> ModelVersion:
    """A version of sentiment that was put live then."""
    row = promoted(**script)
    Promotion.objects.filter(to_version=row).update(at=since or after(days=-2))
    return row


def answers(minute: float, version: int | None = 1, *, ms: float = 3.0, **by_status: int) -> None:
    """As many of each status within that minute, unless said otherwise 50 that are well."""
    for status, count in (by_status or {"ok": 50}).items():
        log(*(after(minutes=minute, seconds=number % 60) for number in range(count)), version=version, status=status,
            algorithm="scripted", latency_ms=ms, input={"text": "A lamp.", "title": ""})  # fmt: skip


def look(minute: float) -> None:
    """What the worker does then."""
    now = after(minutes=minute)
    up_to(now)
    alarms_check(now=now, counted=True)
    alarms_check(now=now, counted=False)


def minutes(*span: int, version: int | None = 1, ms: float = 3.0, **by_status: int) -> None:
    """These minutes, each with answers and a look at its end."""
    for minute in range(*span):
        answers(minute, version, ms=ms, **by_status)
        look(minute + 1)


def states() -> list[str]:
    """Of all alarms, the oldest first."""
    return list(Alarm.objects.order_by("pk").values_list("state", flat=True))
