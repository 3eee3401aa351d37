"""A test goes from draft to running, paused and running again, and is stopped; any other step is refused by name."""

from collections.abc import Callable
from typing import Any

import pytest

from experiments import ab_tests
from experiments.errors import Conflict, DomainError, NotFound
from experiments.models import ABTest, ABTestAction
from tests.experiments.conftest import Drafted, Version

START, PAUSE, STOP = ab_tests.ab_test_start, ab_tests.ab_test_pause, ab_tests.ab_test_stop
STEPS = {
    ("draft", START): "running",
    ("running", PAUSE): "paused",
    ("paused", START): "running",
    ("running", STOP): "stopped",
    ("paused", STOP): "stopped",
}
REFUSED = {
    START: "only a draft or paused test can be started",
    PAUSE: "only a running test can be paused",
    STOP: "only a running or paused test can be stopped",
}


@pytest.fixture(autouse=True)
def live(promoted: Version) -> None:
    promoted()


def actions(test: ABTest) -> list[str]:
    return list(test.actions.order_by("pk").values_list("action", flat=True))


@pytest.mark.parametrize("state", ["draft", "running", "paused", "stopped"])
@pytest.mark.parametrize("step", [START, PAUSE, STOP], ids=lambda step: step.__name__)
def test_a_step_leads_where_it_leads_and_from_no_other_state(
    drafted: Drafted, state: str, step: Callable[..., ABTest]
) -> None:
    test = drafted()
    ABTest.objects.filter(pk=test.pk).update(state=state)
    if (state, step) in STEPS:
        assert step(test_id=test.pk, by=None).state == STEPS[state, step]
    else:
        with pytest.raises(Conflict) as raised:
            step(test_id=test.pk, by=None)
        assert raised.value.detail == f"which is better is {state}, and {REFUSED[step]}."
        assert raised.value.extra == {"state": state}
    test.refresh_from_db()
    assert test.state == STEPS.get((state, step), state)
    assert len(actions(test)) == (2 if (state, step) in STEPS else 1)


def test_each_action_is_in_the_history_with_who_and_why(drafted: Drafted, django_user_model: Any) -> None:
    user = django_user_model.objects.create_user("tess", "tess@example.com", "correct horse battery")
    test = drafted({"name": "a", "weight": 3.0}, {"name": "b"})
    START(test_id=test.pk, by=user, reason="to see")
    PAUSE(test_id=test.pk, by=None, reason="too slow", facts={"latency_p95": 0.4})
    START(test_id=test.pk, by=user, reason="it was the network")
    STOP(test_id=test.pk, by=user, reason="enough")
    rows = list(test.actions.order_by("pk").values_list("action", "by__username", "reason", "facts"))
    weights = {"planned_users": 100, "weights": {"a": 3.0, "b": 1.0}}
    assert rows == [
        ("create", None, "", {}),
        ("start", "tess", "to see", weights),
        ("pause", None, "too slow", {"latency_p95": 0.4}),
        ("start", "tess", "it was the network", weights),
        ("stop", "tess", "enough", {}),
    ]


def test_the_first_start_and_the_stop_are_dated(drafted: Drafted) -> None:
    test = drafted()
    assert (test.started_at, test.stopped_at) == (None, None)
    first = START(test_id=test.pk, by=None).started_at
    PAUSE(test_id=test.pk, by=None)
    again = START(test_id=test.pk, by=None)
    assert (again.started_at, again.stopped_at) == (first, None)
    assert STOP(test_id=test.pk, by=None).stopped_at > first


def test_a_second_test_of_the_task_is_refused_and_the_first_one_named(drafted: Drafted) -> None:
    first, second = drafted(), drafted(name="another")
    START(test_id=first.pk, by=None)
    with pytest.raises(Conflict) as raised:
        START(test_id=second.pk, by=None)
    assert raised.value.detail == ("another cannot be started: another test of sentiment, which is better, is running.")
    assert raised.value.extra == {"running": first.pk}
    second.refresh_from_db()
    assert (second.state, second.started_at) == ("draft", None)
    assert actions(second) == ["create"]
    PAUSE(test_id=first.pk, by=None)
    START(test_id=second.pk, by=None)
    with pytest.raises(Conflict, match=r"another test of sentiment, another, is running"):
        START(test_id=first.pk, by=None)


@pytest.mark.parametrize("step", [START, PAUSE, STOP, ab_tests.ab_test_delete, ab_tests.ab_test_edit])
def test_a_test_that_is_not_there_is_named(step: Callable[..., Any]) -> None:
    facts = {} if step is ab_tests.ab_test_delete else {"by": None}
    with pytest.raises(NotFound, match=r"There is no A/B test 9999\."):
        step(test_id=9999, **facts)


def test_only_a_draft_is_deleted(drafted: Drafted) -> None:
    test = drafted()
    for state in ["running", "paused", "stopped"]:
        ABTest.objects.filter(pk=test.pk).update(state=state)
        with pytest.raises(Conflict, match=f"which is better is {state}, and only a draft test can be deleted"):
            ab_tests.ab_test_delete(test_id=test.pk)
    ABTest.objects.filter(pk=test.pk).update(state="draft")
    ab_tests.ab_test_delete(test_id=test.pk)
    assert not ABTest.objects.exists()


def test_an_action_that_fails_writes_nothing(drafted: Drafted) -> None:
    test = drafted({"name": "alone"})
    with pytest.raises(DomainError):
        START(test_id=test.pk, by=None)
    test.refresh_from_db()
    assert (test.state, test.started_at) == ("draft", None)
    assert ABTestAction.objects.count() == 1
