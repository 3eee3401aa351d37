"""What happens at the same moment as a look at the rules: another look, an edit, a promotion, a failure to tell."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from experiments.alarms import checking, rolling_back, telling
from experiments.alarms.checking import alarms_check
from experiments.models import Alarm, AlarmRule, ModelVersion, Promotion, WebhookDelivery
from experiments.registry import live_version
from tests.concurrency import at_once
from tests.experiments.alarmed import HALF, answers, live, look, minutes, rule, states
from tests.experiments.rolled import after, up_to

pytestmark = pytest.mark.django_db
Version = Callable[..., ModelVersion]
Meanwhile = Callable[[Callable[[], Any]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """`meanwhile(act)`: it happens once, between the look at the figures and what is done about them."""

    def make(act: Callable[[], Any]) -> None:
        read = checking.reading_of

        def then_act(*given: Any) -> Any:
            found = read(*given)
            monkeypatch.setattr(checking, "reading_of", read)
            act()
            return found

        monkeypatch.setattr(checking, "reading_of", then_act)

    return make


@pytest.mark.parametrize(
    "change", [{"threshold": 0.9}, {"enabled": False}, {"for_minutes": 5}, {"action": "rollback"}], ids=str
)
def test_a_rule_that_was_changed_at_the_same_moment_is_not_acted_on(
    promoted: Version, meanwhile: Meanwhile, change: dict[str, Any]
) -> None:
    live(promoted)
    errors = rule()
    meanwhile(lambda: AlarmRule.objects.filter(pk=errors.pk).update(**change))
    minutes(0, 1, **HALF)
    assert states() == []


def test_a_rule_that_was_deleted_at_the_same_moment_fires_nothing(promoted: Version, meanwhile: Meanwhile) -> None:
    live(promoted)
    errors = rule()
    meanwhile(errors.delete)
    minutes(0, 1, **HALF)
    assert states() == []


def test_a_version_that_somebody_put_live_meanwhile_is_not_rolled_back(promoted: Version, meanwhile: Meanwhile) -> None:
    for days in (3, 2):
        live(promoted, after(days=-days))
    rule(action="rollback")
    meanwhile(lambda: live(promoted, after(minutes=1)))
    minutes(0, 1, version=2, **HALF)
    found = live_version("sentiment")
    assert found and found.version == 3
    assert not Promotion.objects.filter(kind="rollback").exists()
    assert Alarm.objects.get().action == "Not rolled back: sentiment 2 is no longer live."
    look(1.5)
    assert states() == ["resolved"]


def test_where_it_cannot_be_told_nothing_is_half_done(promoted: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**given: Any) -> None:
        raise RuntimeError

    live(promoted)
    rule()
    with monkeypatch.context() as patch:
        patch.setattr(telling, "webhook_send", fail)
        minutes(0, 1, **HALF)
    assert states() == []
    minutes(1, 2, **HALF)
    assert states() == ["firing"]


def test_a_worker_that_is_killed_before_it_rolled_back_leaves_it_to_the_next_look(
    promoted: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(**given: Any) -> None:
        raise SystemExit

    for days in (3, 2):
        live(promoted, after(days=-days))
    rule(action="rollback")
    with monkeypatch.context() as patch:
        patch.setattr(checking, "rollback_try", killed)
        answers(0, 2, **HALF)
        with pytest.raises(SystemExit):
            look(1)
    assert states() == ["firing"]
    minutes(1, 2, version=2, **HALF)
    assert Promotion.objects.filter(kind="rollback").count() == 1


def test_a_worker_that_is_killed_while_it_rolls_back_has_done_nothing(
    promoted: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*given: Any) -> None:
        raise SystemExit

    for days in (3, 2):
        live(promoted, after(days=-days))
    rule(action="rollback")
    with monkeypatch.context() as patch:
        patch.setattr(rolling_back, "alarm_send", killed)
        answers(0, 2, **HALF)
        with pytest.raises(SystemExit):
            look(1)
    found = live_version("sentiment")
    assert found and found.version == 2
    assert Alarm.objects.get().action == ""
    minutes(1, 2, version=2, **HALF)
    assert Promotion.objects.filter(kind="rollback").count() == 1
    assert Alarm.objects.get().action == "Rolled back from version 2 to 1."


@pytest.mark.django_db(transaction=True)
def test_looks_at_once_fire_it_once_and_roll_back_once(promoted: Version, settings: Any) -> None:
    settings.WEBHOOK_URL = "http://127.0.0.1:9/"
    for days in (3, 2):
        live(promoted, after(days=-days))
    rule(action="rollback")
    answers(0, 2, **HALF)
    up_to(after(minutes=1))
    at_once(*[lambda: alarms_check(now=after(minutes=1), counted=True)] * 4)
    assert states() in (["firing"], ["resolved"])  # a look that began after the rollback ends it
    assert Promotion.objects.filter(kind="rollback").count() == 1
    events = list(WebhookDelivery.objects.values_list("event", flat=True))
    assert (events.count("alarm.fired"), events.count("alarm.acted")) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_looks_at_once_resolve_it_once(promoted: Version, settings: Any) -> None:
    settings.WEBHOOK_URL = "http://127.0.0.1:9/"
    live(promoted)
    rule()
    minutes(0, 1, **HALF)
    answers(1)
    up_to(after(minutes=2))
    at_once(*[lambda: alarms_check(now=after(minutes=2), counted=True)] * 4)
    assert states() == ["resolved"]
    assert WebhookDelivery.objects.filter(event="alarm.resolved").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_look_waits_for_an_edit_and_goes_by_it(promoted: Version) -> None:
    live(promoted)
    errors = rule()
    answers(0, **HALF)
    up_to(after(minutes=1))
    written = threading.Event()

    def edit() -> None:
        with transaction.atomic():
            AlarmRule.objects.filter(pk=errors.pk).update(threshold=0.9)
            written.set()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.3)")

    def check() -> None:
        assert written.wait(10)
        alarms_check(now=after(minutes=1), counted=True)

    at_once(edit, check)
    assert states() == []


@pytest.mark.django_db(transaction=True)
def test_a_rule_is_deleted_while_a_look_is_at_its_alarm(
    promoted: Version, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    live(promoted)
    errors = rule()
    minutes(0, 1, **HALF)
    answers(1, **HALF)
    up_to(after(minutes=2))
    locked = threading.Event()
    as_read = checking._as_read

    class Held:
        """The rule's row is locked for a while before that of the alarm is."""

        def __init__(self, found: AlarmRule) -> None:
            self.found = found

        def select_for_update(self, **how: bool) -> list[AlarmRule]:
            rows = list(as_read(self.found).select_for_update(**how))
            locked.set()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.3)")
            return rows

    monkeypatch.setattr(checking, "_as_read", Held)

    def delete() -> None:
        assert locked.wait(10)
        AlarmRule.objects.get(pk=errors.pk).delete()

    at_once(lambda: alarms_check(now=after(minutes=2), counted=True), delete)
    assert "could not be looked at" not in caplog.text
    alarm = Alarm.objects.get()
    assert (alarm.rule, alarm.state, alarm.seen_at) == (None, "firing", after(minutes=2))
