"""What happens at the same moment as a look at the guardrails: a step, an edit, another look, a failure to tell."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from experiments import ab_tests, guarding
from experiments.guarding import ab_tests_guard
from experiments.models import ABTest, WebhookDelivery
from tests.concurrency import at_once
from tests.experiments.guarded import (
    FAILING,
    at,
    guarded,
    minutes,
    state_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """`meanwhile(act)`: it happens once, between the look at a test's answers and what is done about it."""

    def make(act: Callable[[], Any]) -> None:
        look = guarding.lately

        def then_act(*given: Any) -> Any:
            found = look(*given)
            monkeypatch.setattr(guarding, "lately", look)
            act()
            return found

        monkeypatch.setattr(guarding, "lately", then_act)

    return make


@pytest.mark.parametrize("step", [ab_tests.ab_test_pause, ab_tests.ab_test_stop], ids=lambda step: step.__name__)
def test_what_somebody_did_at_the_same_moment_stays(
    meanwhile: Any, caplog: pytest.LogCaptureFixture, step: Callable[..., ABTest], django_user_model: Any, settings: Any
) -> None:
    settings.WEBHOOK_URL = "http://127.0.0.1:9/"
    user = django_user_model.objects.create_user("tess", "tess@example.com", "correct horse battery")
    test = guarded(guardrail_minutes=1)
    minutes(1, 2, new=FAILING)
    meanwhile(lambda: step(test_id=test.pk, by=user, reason="I saw it"))
    minutes(2, 3, new=FAILING)
    assert state_of(test) in ("paused", "stopped")
    assert [(one.by, one.reason) for one in test.actions.all()] == [(user, "I saw it")]
    assert not WebhookDelivery.objects.exists()
    assert not caplog.records


def test_a_look_that_a_pause_overtook_leaves_nothing_behind(meanwhile: Any) -> None:
    test = guarded()
    meanwhile(lambda: ab_tests.ab_test_pause(test_id=test.pk, by=None))
    minutes(1, 2, new=FAILING)
    assert (state_of(test), test.beyond) == ("paused", {})


@pytest.mark.parametrize(
    "changes", [{"guardrails": [{"metric": "error_rate", "bound": 0.9}]}, {"guardrail_minutes": 30}], ids=str
)
def test_a_guardrail_that_was_changed_at_the_same_moment_is_not_acted_on(
    meanwhile: Any, changes: dict[str, Any]
) -> None:
    test = guarded(guardrail_minutes=1)
    minutes(1, 2, new=FAILING)
    meanwhile(lambda: ab_tests.ab_test_edit(test_id=test.pk, by=None, **changes))
    minutes(2, 5, new=FAILING)
    assert state_of(test) == "running"
    assert {name: getattr(test, name) for name in changes} == changes


def test_where_it_cannot_be_told_nothing_is_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**given: Any) -> None:
        raise RuntimeError

    test = guarded(guardrail_minutes=1)
    minutes(1, 2, new=FAILING)
    with monkeypatch.context() as patch:
        patch.setattr(guarding, "webhook_send", fail)
        minutes(2, 3, new=FAILING)
    assert state_of(test) == "running"
    assert not test.actions.exists()
    minutes(3, 4, new=FAILING)
    assert state_of(test) == "paused"


@pytest.mark.django_db(transaction=True)
def test_two_looks_at_once_pause_it_once(settings: Any) -> None:
    settings.WEBHOOK_URL = "http://127.0.0.1:9/"
    test = guarded(guardrail_minutes=1)
    minutes(1, 2, new=FAILING)
    minutes(2, 3, new=FAILING, look=False)
    at_once(*[lambda: ab_tests_guard(now=at(2))] * 4)
    assert state_of(test) == "paused"
    assert test.actions.count() == WebhookDelivery.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_look_waits_for_an_edit_and_undoes_nothing_of_it() -> None:
    test = guarded(guardrail_minutes=1)
    minutes(1, 2, new=FAILING)
    minutes(2, 3, new=FAILING, look=False)
    written = threading.Event()

    def edit() -> None:
        with transaction.atomic():
            ab_tests.ab_test_edit(test_id=test.pk, by=None, guardrails=[], hypothesis="none is needed")
            written.set()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.3)")

    def look() -> None:
        assert written.wait(10)
        ab_tests_guard(now=at(2))

    at_once(edit, look)
    assert (state_of(test), test.guardrails, test.hypothesis) == ("running", [], "none is needed")


def test_a_test_that_was_paused_and_started_again_meanwhile_is_let_be(meanwhile: Any) -> None:
    test = guarded(guardrail_minutes=1)
    minutes(1, 2, new=FAILING)

    def anew() -> None:
        ab_tests.ab_test_pause(test_id=test.pk, by=None)
        ABTest.objects.filter(pk=test.pk).update(state="running")  # as a start does, but there is no model here

    meanwhile(anew)
    minutes(2, 3, new=FAILING)
    assert (state_of(test), test.beyond) == ("running", {})
