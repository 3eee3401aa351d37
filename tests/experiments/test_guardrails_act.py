"""A guardrail of errors, fallbacks or latency that is lost for long enough pauses its test, and says so."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from experiments import ab_tests, serving
from experiments.errors import ModelFailed
from experiments.guarding import ab_tests_guard
from experiments.models import ABTest, ABTestAction, Exposure, Prediction, WebhookDelivery
from experiments.schedule import jobs
from tests.experiments.asking import ask_tested
from tests.experiments.conftest import Drafted, Version
from tests.experiments.experiment_rows import started
from tests.experiments.guarded import (
    ERRORS,
    FAILING,
    FALLBACKS,
    FINE,
    P50,
    P95,
    answers,
    at,
    guarded,
    minutes,
    since,
    state_of,
)

pytestmark = pytest.mark.django_db


def test_a_variant_that_fails_for_the_stated_time_pauses_the_test_and_says_so(
    caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.WEBHOOK_URL = "http://127.0.0.1:9/"
    test = guarded()
    minutes(1, 11, new=FAILING)
    assert state_of(test) == "running"
    assert since(test) == at(1)
    minutes(11, 12, new=FAILING)
    assert state_of(test) == "paused"
    assert test.beyond == {}
    words = "For 10 minutes error_rate of new was 50.0% against 0.0% of control, where 5.0 points more is allowed."
    lost = {
        "variant": "new", "metric": "error_rate", "value": 0.5, "control": 0.0, "bound": 0.05,
        "since": at(1).isoformat(),
    }  # fmt: skip
    done = test.actions.get()
    assert (done.action, done.by, done.reason, done.facts) == ("pause", None, words, {"guardrails": [lost]})
    [record] = caplog.records
    assert (record.levelno, record.getMessage()) == (
        logging.WARNING, f"which is better was paused by a guardrail: {words}"
    )  # fmt: skip
    told = WebhookDelivery.objects.get()
    assert told.event == "experiment.paused"
    assert told.data == {
        "id": test.pk, "name": "which is better", "task": "recommend", "reason": words, "guardrails": [lost]
    }  # fmt: skip
    minutes(12, 14, new=FAILING)
    assert test.actions.count() == WebhookDelivery.objects.count() == 1


def test_without_a_receiver_it_is_paused_all_the_same() -> None:
    test = guarded(guardrail_minutes=1)
    minutes(1, 3, new=FAILING)
    assert state_of(test) == "paused"
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize("time", [1, 3, 25])
def test_it_acts_after_the_minutes_that_the_test_says(time: int) -> None:
    test = guarded(guardrail_minutes=time)
    minutes(1, time + 1, new=FAILING)
    assert state_of(test) == "running"
    minutes(time + 1, time + 2, new=FAILING)
    assert state_of(test) == "paused"


@pytest.mark.parametrize(
    ("guardrail", "facts", "words"),
    [
        (FALLBACKS, {"new": {"ok": 50, "fallback": 50}}, "fallback_rate of new was 50.0% against 0.0% of control"),
        (P95, {"ms": 15.0}, "latency_p95 of new was 16.2 ms against 10.8 ms of control, where 20.0% more is allowed"),
        (P50, {"ms": 15.0}, "latency_p50 of new was 14.9 ms against 9.9 ms of control"),
    ],
    ids=["fallback_rate", "latency_p95", "latency_p50"],
)
def test_each_metric_acts(guardrail: dict[str, Any], facts: dict[str, Any], words: str) -> None:
    test = guarded(guardrail, guardrail_minutes=2)
    minutes(1, 4, **facts)
    assert state_of(test) == "paused"
    assert words in test.actions.get().reason


@pytest.mark.parametrize(
    ("guardrail", "facts"),
    [
        (ERRORS, {"new": {"ok": 96, "error": 4}}),
        (ERRORS, {"new": {"ok": 50, "fallback": 50}}),
        (FALLBACKS, {"new": {"ok": 96, "fallback": 4}}),
        (FALLBACKS, {"new": {"ok": 50, "error": 50}}),
        (P95, {"ms": 11.5}),
        (P95, {"new": FAILING}),
        (P50, {"ms": 11.5}),
        ({"metric": "click_rate", "bound": 0.0}, {"new": FAILING, "ms": 100.0}),  # of what users do the results speak
    ],
    ids=str,
)
def test_what_is_within_its_bound_is_let_be(guardrail: dict[str, Any], facts: dict[str, Any]) -> None:
    test = guarded(guardrail, guardrail_minutes=1)
    minutes(1, 9, **facts)
    assert state_of(test) == "running"
    assert test.beyond == {}


def test_a_variant_that_is_back_within_its_bound_begins_anew() -> None:
    test = guarded()
    minutes(1, 5, new=FAILING)
    assert since(test) == at(1)
    minutes(5, 20)  # the failures leave the five minutes that are looked at
    assert test.pk and since(test) is None
    minutes(20, 30, new=FAILING)
    assert state_of(test) == "running"
    minutes(30, 33, new=FAILING)
    assert state_of(test) == "paused"


def test_a_share_that_chance_may_have_made_is_not_acted_on() -> None:
    """12 of 40 against 6 of 40: fifteen points over, where five are allowed."""
    test = guarded(guardrail_minutes=1)
    minutes(1, 2, new={"ok": 28, "error": 12}, control={"ok": 34, "error": 6})
    for minute in range(2, 5):
        ab_tests_guard(now=at(minute))
    assert state_of(test) == "running"
    assert test.beyond == {}


@pytest.mark.parametrize(("new", "control"), [({"error": 5}, FINE), (FAILING, {"ok": 5}), ({}, FINE), (FAILING, {})])
def test_of_too_few_answers_nothing_is_said(new: dict[str, int], control: dict[str, int]) -> None:
    test = guarded(guardrail_minutes=1)
    minutes(1, 8, new=new, control=control)
    assert state_of(test) == "running"
    assert test.beyond == {}


def test_a_rate_leaves_out_what_stood_in_for_a_failure() -> None:
    test = guarded(guardrail_minutes=1)
    minutes(1, 3, new={"ok": 50, "error": 50, "fallback": 50})
    assert state_of(test) == "paused"
    assert "error_rate of new was 50.0%" in test.actions.get().reason


def test_while_it_may_be_chance_it_stays_as_it_was_but_does_not_act() -> None:
    test = guarded(guardrail_minutes=3)
    minutes(1, 2, new=FAILING)
    minutes(4, 5, new={"ok": 800}, control={"ok": 800})  # 50 of 900 are over five in a hundred
    assert (state_of(test), since(test)) == ("running", at(1))
    minutes(5, 6, new=FAILING)
    assert state_of(test) == "paused"


def test_while_too_few_come_it_stays_as_it_was_but_does_not_act(caplog: pytest.LogCaptureFixture) -> None:
    test = guarded(guardrail_minutes=3)
    minutes(1, 2, new=FAILING)
    answers(6, "new", {"error": 9})
    for minute in range(6, 9):
        ab_tests_guard(now=at(minute))  # the first minute is out of sight
    assert not caplog.records
    assert (state_of(test), since(test)) == ("running", at(1))
    minutes(9, 10, new=FAILING)
    assert (state_of(test), since(test)) == ("running", at(9))  # what was for so long is not known


def test_time_in_which_nobody_looked_does_not_count() -> None:
    test = guarded()
    minutes(1, 4, new=FAILING)
    minutes(4, 60, new=FAILING, look=False)
    minutes(60, 70, new=FAILING)
    assert (state_of(test), since(test)) == ("running", at(60))
    minutes(70, 71, new=FAILING)
    assert state_of(test) == "paused"


def test_where_the_control_fails_as_often_nobody_is_to_blame() -> None:
    test = guarded(ERRORS, P95, guardrail_minutes=1)
    minutes(1, 5, new=FAILING, control=FAILING)
    minutes(5, 10, new={"error": 100}, control={"error": 100})
    minutes(10, 15, control={"error": 100})
    assert state_of(test) == "running"


def test_of_several_variants_and_guardrails_those_that_are_lost_are_named() -> None:
    test = started("control", "new", "newer", guardrails=[ERRORS, P95], guardrail_minutes=1)
    for minute in (1, 2):
        answers(minute, "newer", {"ok": 100, "error": 100}, 30.0)
        answers(minute, "control", FINE)
        answers(minute, "new", FINE)
        ab_tests_guard(now=at(minute))
    assert state_of(test) == "paused"
    lost = test.actions.get().facts["guardrails"]
    assert [(one["variant"], one["metric"]) for one in lost] == [("newer", "error_rate"), ("newer", "latency_p95")]


def test_only_answers_of_the_test_since_it_was_last_started_count() -> None:
    test = guarded(guardrail_minutes=1)
    for action, minute in (("start", 0), ("pause", 3), ("start", 5)):
        test.actions.create(action=action, at=at(minute))
    minutes(1, 5, new=FAILING, look=False)
    for minute in (6, 7, 8):
        answers(minute, "new", FAILING, task="sentiment")
        answers(minute, "newest", FAILING)
        answers(minute, "", FAILING)
        minutes(minute, minute + 1)
    assert state_of(test) == "running"
    assert test.beyond == {}


@pytest.mark.parametrize("state", ["draft", "paused", "stopped"])
def test_a_test_that_does_not_run_is_let_be(state: str) -> None:
    test = guarded(state=state, guardrail_minutes=1, stopped_at=at(1) if state == "stopped" else None)
    minutes(1, 4, new=FAILING)
    assert (state_of(test), test.beyond) == (state, {})
    assert not ABTestAction.objects.exists()


@pytest.mark.usefixtures("promoted")
def test_a_test_that_is_started_again_begins_anew(drafted: Drafted, promoted: Version) -> None:
    promoted()
    test = drafted(guardrails=[ERRORS])
    ab_tests.ab_test_start(test_id=test.pk, by=None)
    known = {"b": {"error_rate": {"since": at(1).isoformat(), "seen": at(9).isoformat()}}}
    ABTest.objects.update(beyond=known)
    assert ab_tests.ab_test_edit(test_id=test.pk, by=None, hypothesis="another one").beyond == known
    ab_tests.ab_test_pause(test_id=test.pk, by=None)
    assert (state_of(test), test.beyond) == ("paused", {})
    ab_tests.ab_test_start(test_id=test.pk, by=None)
    assert (state_of(test), test.beyond) == ("running", {})


def test_other_bounds_begin_anew() -> None:
    test = guarded(guardrail_minutes=3)
    minutes(1, 4, new=FAILING)
    ab_tests.ab_test_edit(test_id=test.pk, by=None, guardrails=[{"metric": "error_rate", "bound": 0.1}])
    minutes(4, 7, new=FAILING)
    assert (state_of(test), since(test)) == ("running", at(4))
    minutes(7, 8, new=FAILING)
    assert state_of(test) == "paused"


def test_one_that_cannot_be_looked_at_harms_no_other(caplog: pytest.LogCaptureFixture) -> None:
    started(name="broken", task="sentiment", started_at=None, guardrails=[ERRORS])  # when it was started is not known
    test = guarded(guardrail_minutes=1)
    minutes(1, 3, new=FAILING)
    assert state_of(test) == "paused"
    assert "the guardrails of broken could not be looked at" in caplog.messages


@pytest.fixture
def failing(drafted: Drafted, promoted: Version, version: Version) -> Iterator[ABTest]:
    """A test that runs, whose second variant has a model that fails."""
    promoted()
    test = drafted(
        {"name": "a"}, {"name": "b", "version": version(fails_on="lamp").version},
        guardrails=[ERRORS], guardrail_minutes=1,
    )  # fmt: skip
    ab_tests.ab_test_start(test_id=test.pk, by=None)
    serving.refresh()
    yield test
    serving.refresh()


def test_a_model_that_fails_on_customers_is_taken_away_from_them(failing: ABTest) -> None:
    def ask_many() -> int:
        failed = 0
        for user in range(100):
            try:
                ask_tested(user, "a fine lamp")
            except ModelFailed:
                failed += 1
        return failed

    assert ask_many() > 30
    jobs()["experiments.tasks.guard_tests"].run()
    assert state_of(failing) == "running"
    assert "error_rate" in failing.beyond["b"]
    ab_tests_guard(now=timezone.now() + timedelta(minutes=1))
    assert state_of(failing) == "paused"
    assert "error_rate of b was 100.0% against 0.0% of a" in failing.actions.first().reason
    serving.refresh()
    before = Exposure.objects.count()
    assert ask_many() == 0
    assert Exposure.objects.count() == before
    assert set(Prediction.objects.order_by("-pk").values_list("variant", flat=True)[:100]) == {""}
