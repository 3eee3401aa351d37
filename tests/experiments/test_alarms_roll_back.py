"""An alarm whose rule says so puts the version before back, once, and says what was done or why nothing was."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from experiments.models import Alarm, ModelVersion, Promotion, WebhookDelivery
from experiments.registry import live_version, version_rollback
from tests.experiments.alarmed import HALF, live, minutes, rule
from tests.experiments.rolled import after

pytestmark = pytest.mark.django_db
Version = Callable[..., ModelVersion]
ROLLS_BACK = {"action": "rollback"}


@pytest.fixture
def two(promoted: Version) -> list[ModelVersion]:
    """Versions 1 and 2 of sentiment, of which 2 is live since the minute 0."""
    return [live(promoted, after(days=-2)), live(promoted, after())]


def rolled_back(at: datetime) -> Promotion:
    """The newest change of the live version, moved to that moment of the test's own time."""
    Promotion.objects.filter(pk=Promotion.objects.order_by("-id").first().pk).update(at=at)
    found = Promotion.objects.order_by("-id").first()
    assert found and found.kind == "rollback"
    return found


def version() -> int:
    found = live_version("sentiment")
    assert found
    return found.version


def test_the_version_before_is_put_back_and_it_is_said(
    two: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.WEBHOOK_URL = "http://127.0.0.1:9/"
    rule(**ROLLS_BACK)
    minutes(0, 1, version=2, **HALF)
    assert version() == 1
    alarm = Alarm.objects.get()
    done = Promotion.objects.get(kind="rollback")
    assert (done.from_version, done.to_version, done.by) == (two[1], two[0], None)
    assert done.reason == "The alarm mine: Errors fired: error_rate is 50.0%, over 5.0%."
    assert (alarm.action, alarm.rollback) == ("Rolled back from version 2 to 1.", done)
    assert (alarm.state, alarm.ended) == ("resolved", "sentiment 2 is no longer live.")  # at the next look
    events = WebhookDelivery.objects.order_by("pk")
    assert [(one.event, one.data["action"]) for one in events] == [
        ("alarm.fired", ""), ("alarm.acted", "Rolled back from version 2 to 1."),
        ("alarm.resolved", "Rolled back from version 2 to 1."),
    ]  # fmt: skip
    said = {one.getMessage(): one.levelno for one in caplog.records if one.name == "experiments.alarms.telling"}
    assert said["the alarm mine: Errors of sentiment 2 acted: Rolled back from version 2 to 1."] == logging.WARNING
    assert said["the alarm mine: Errors of sentiment 2 resolved: sentiment 2 is no longer live."] == logging.INFO


def test_without_the_action_nothing_is_put_back(two: Any) -> None:
    rule()
    minutes(0, 3, version=2, **HALF)
    assert version() == 2
    assert Alarm.objects.get().action == ""


def test_nothing_is_put_back_before_the_alarm_fires(two: Any) -> None:
    rule(for_minutes=3, **ROLLS_BACK)
    minutes(0, 3, version=2, **HALF)
    assert version() == 2
    minutes(3, 4, version=2, **HALF)
    assert version() == 1


def test_never_twice_in_a_row(promoted: Version) -> None:
    for days in (3, 2, 1):
        live(promoted, after(days=-days))
    rule(cooldown_minutes=1, **ROLLS_BACK)
    minutes(0, 1, version=3, **HALF)
    assert version() == 2
    rolled_back(after(minutes=1))
    minutes(1, 200, version=2, **HALF)
    assert version() == 2
    alarm = Alarm.objects.get(version=2)
    assert alarm.state == "firing"
    assert alarm.action == (
        "Not rolled back: an alarm did so at 2026-03-31 12:01 UTC, and nobody has promoted a version since."
    )
    assert Promotion.objects.filter(kind="rollback").count() == 1


def test_after_somebody_promoted_again_and_the_cool_down_is_over_it_may(promoted: Version, two: Any) -> None:
    rule(cooldown_minutes=60, **ROLLS_BACK)
    minutes(0, 1, version=2, **HALF)
    rolled_back(after(minutes=1))
    live(promoted, after(minutes=61))
    minutes(61, 62, version=3, **HALF)
    assert version() == 1
    assert Promotion.objects.filter(kind="rollback").count() == 2


def test_within_the_cool_down_it_waits_and_does_it_then_if_it_is_still_so(
    promoted: Version, two: Any, settings: Any
) -> None:
    settings.WEBHOOK_URL = "http://127.0.0.1:9/"
    rule(cooldown_minutes=60, **ROLLS_BACK)
    minutes(0, 1, version=2, **HALF)
    rolled_back(after(minutes=1))
    live(promoted, after(minutes=30))
    minutes(30, 60, version=3, **HALF)
    assert version() == 3
    alarm = Alarm.objects.get(version=3)
    words = "Not rolled back before 2026-03-31 13:01 UTC: an alarm did so shortly before."
    assert (alarm.state, alarm.action, alarm.acted_at) == ("firing", words, None)
    minutes(60, 61, version=3, **HALF)
    assert version() == 1
    alarm.refresh_from_db()
    assert alarm.action == "Rolled back from version 3 to 1."
    said = [one.data["action"] for one in WebhookDelivery.objects.filter(event="alarm.acted").order_by("pk")]
    assert said == ["Rolled back from version 2 to 1.", words, "Rolled back from version 3 to 1."]


def test_another_alarms_rollback_counts_too(promoted: Version) -> None:
    for days in (3, 2, 1):
        live(promoted, after(days=-days))
    rule("Errors", **ROLLS_BACK)
    rule("Slow", metric="latency_p50", threshold=1.0, **ROLLS_BACK)
    minutes(0, 1, version=3, **HALF)
    assert version() == 2
    assert {*Alarm.objects.values_list("version", flat=True)} == {3}  # what is live now was not looked at yet
    rolled_back(after(minutes=1))
    minutes(1, 2, version=2)
    actions = dict(Alarm.objects.values_list("name", "action"))
    assert actions["mine: Errors"] == "Rolled back from version 3 to 2."
    assert actions["mine: Slow"].startswith("Not rolled back: an alarm did so")


def test_a_rollback_by_somebody_is_none_by_an_alarm(promoted: Version) -> None:
    for days in (3, 2, 1):
        live(promoted, after(days=-days))
    version_rollback(task="sentiment")
    rolled_back(after(minutes=-1))
    rule(**ROLLS_BACK)
    minutes(0, 1, version=2, **HALF)
    assert version() == 1


def test_with_no_version_before_it_goes_on_firing_and_says_why(promoted: Version) -> None:
    live(promoted)
    rule(**ROLLS_BACK)
    minutes(0, 5, **HALF)
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.action) == (
        "firing", "Not rolled back: sentiment has no version before the live one to go back to."
    )  # fmt: skip
    assert alarm.acted_at == after(minutes=1)


def test_a_version_before_that_fails_its_proof_is_not_put_back(promoted: Version, settings: Any) -> None:
    settings.WEBHOOK_URL = "http://127.0.0.1:9/"
    first = live(promoted, after(days=-2))
    live(promoted, after())
    ModelVersion.objects.filter(pk=first.pk).update(manifest={**first.manifest, "script.json": ["0" * 64, 1]})
    rule(**ROLLS_BACK)
    minutes(0, 3, version=2, **HALF)
    assert version() == 2
    alarm = Alarm.objects.get()
    assert alarm.state == "firing"
    assert alarm.action.startswith("Not rolled back: sentiment 1 (scripted) was not put live.")
    assert WebhookDelivery.objects.filter(event="alarm.acted").count() == 1
