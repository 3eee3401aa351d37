"""Guardrails act: a running test with a variant that failed, was replaced or was slow beyond its bound for long enough
is paused, and says so in its history, in the log and by the webhook.

How long that is, is kept in the test's row, so that any worker can go on where another one stopped. It is written and
acted on only while the test is as it was read: of what somebody did meanwhile, nothing is undone.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from experiments.ab_tests import ab_test_pause
from experiments.models import ABTest
from experiments.results.lately import ACTED_ON, lately
from experiments.results.metrics import METRICS
from experiments.statistics.guardrail import Beyond, Known, Reading, beyond_after
from experiments.webhooks import webhook_send

logger = logging.getLogger(__name__)
MOST_WORDS = 1_000  # of a reason


@dataclass(frozen=True)
class Lost:
    """A guardrail that a variant is beyond now, since when, and the control that it is compared with."""

    variant: str
    metric: str
    reading: Reading
    since: datetime
    control: str

    def __str__(self) -> str:
        reading = self.reading
        if reading.in_points:
            figures = f"{reading.variant.value:.1%} against {reading.control.value:.1%}"
            more = f"{100 * reading.bound:.1f} points"
        else:
            figures = f"{reading.variant.value:.1f} ms against {reading.control.value:.1f} ms"
            more = f"{reading.bound:.1%}"
        return f"{self.metric} of {self.variant} was {figures} of {self.control}, where {more} more is allowed"

    def facts(self) -> dict[str, Any]:
        return {
            "variant": self.variant, "metric": self.metric, "value": self.reading.variant.value,
            "control": self.reading.control.value, "bound": self.reading.bound, "since": self.since.isoformat(),
        }  # fmt: skip


def ab_tests_guard(*, now: datetime) -> None:
    """Look at the guardrails of each running test. One that cannot be looked at harms no other."""
    for test in ABTest.objects.filter(state=ABTest.State.RUNNING).exclude(guardrails=[]).order_by("pk"):
        try:
            _guard(test, now)
        except Exception:
            logger.exception("the guardrails of %s could not be looked at", test)


def _guard(test: ABTest, now: datetime) -> None:
    bounds = {one["metric"]: one["bound"] for one in test.guardrails if one["metric"] in ACTED_ON}
    if not bounds:
        return
    found = lately(test, now)
    control, *variants = found
    beyond: dict[str, dict[str, Any]] = {}
    lost = []
    for variant in variants:
        for metric, bound in bounds.items():
            reading = _reading(found, control, variant, metric, bound)
            after = beyond_after(_was(test, variant, metric), reading, now)
            if not after:
                continue
            beyond.setdefault(variant, {})[metric] = {name: at.isoformat() for name, at in vars(after).items()}
            if reading and reading.beyond and now - after.since >= timedelta(minutes=test.guardrail_minutes):
                lost.append(Lost(variant, metric, reading, after.since, control))
    if lost:
        _pause(test, lost)
    elif beyond != test.beyond:
        _as_read(test).update(beyond=beyond)


def _reading(
    found: Mapping[str, Mapping[str, Known]], control: str, variant: str, metric: str, bound: float
) -> Reading | None:
    """None where too few answers of either came."""
    theirs, others = found[variant].get(metric), found[control].get(metric)
    if not theirs or not others:
        return None
    return Reading(variant=theirs, control=others, bound=bound, in_points=METRICS[metric].in_points)


def _was(test: ABTest, variant: str, metric: str) -> Beyond | None:
    kept = test.beyond.get(variant, {}).get(metric)
    return Beyond(*(datetime.fromisoformat(kept[name]) for name in ("since", "seen"))) if kept else None


def _as_read(test: ABTest) -> QuerySet[ABTest]:
    """The test's row, if it still runs, was not started anew, and has the guardrails that were looked at."""
    return ABTest.objects.filter(
        pk=test.pk, state=ABTest.State.RUNNING, beyond=test.beyond, guardrails=test.guardrails,
        guardrail_minutes=test.guardrail_minutes,
    )  # fmt: skip


def _pause(test: ABTest, lost: Sequence[Lost]) -> None:
    reason = f"For {test.guardrail_minutes} minutes {'; '.join(map(str, lost))}."[:MOST_WORDS]
    facts = {"guardrails": [one.facts() for one in lost]}
    with transaction.atomic():
        if not _as_read(test).select_for_update(no_key=True):  # somebody paused or changed it meanwhile
            return
        ab_test_pause(test_id=test.pk, by=None, reason=reason, facts=facts)
        told = {"id": test.pk, "name": test.name, "task": test.task, "reason": reason, **facts}
        webhook_send(event="experiment.paused", data=told)
    logger.warning("%s was paused by a guardrail: %s", test, reason)
