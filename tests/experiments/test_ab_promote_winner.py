"""The winner of a stopped test goes live through the registry's gate, where it has a version that can."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from experiments import ab_tests
from experiments.errors import Conflict, Invalid
from experiments.models import ABTest
from experiments.registry import live_version
from tests.experiments.conftest import Drafted, Version, may
from tests.problems import assert_problem


@pytest.fixture
def stopped(reviewed: None, promoted: Version, version: Version, drafted: Drafted) -> ABTest:
    """Of the live version, a better one, a worse one, and a config."""
    promoted(score=0.7)
    version(score=0.8)
    version(score=0.6)
    test = drafted(
        {"name": "live"}, {"name": "better", "version": 2, "config": {"title": "x"}}, {"name": "worse", "version": 3},
        {"name": "titled", "config": {"title": "So good"}},
    )  # fmt: skip
    ABTest.objects.filter(pk=test.pk).update(state="stopped")
    return test


def promote(test: ABTest, variant: str, **facts: Any) -> ab_tests.Winner:
    return ab_tests.ab_test_promote_winner(test_id=test.pk, variant=variant, by=None, **facts)


def live() -> int:
    row = live_version("sentiment")
    assert row
    return row.version


def test_a_better_version_goes_live_and_the_history_says_so(stopped: ABTest) -> None:
    done = promote(stopped, "better", reason="it won")
    assert live() == 2
    found = done.promotion
    assert (found.to_version.version, found.reason, found.forced, done.config) == (2, "it won", False, {"title": "x"})
    row = stopped.actions.first()
    assert (row.action, row.reason) == ("promote", "it won")
    assert row.facts == {"variant": "better", "version": 2, "config": {"title": "x"}}


def test_the_gate_refuses_a_worse_one_and_nothing_is_written(stopped: ABTest) -> None:
    with pytest.raises(Conflict, match="sentiment 3 is worse than the live version 1"):
        promote(stopped, "worse")
    assert live() == 1
    assert not stopped.actions.filter(action="promote").exists()


def test_what_is_live_already_is_not_promoted_again(stopped: ABTest) -> None:
    promote(stopped, "better")
    with pytest.raises(Conflict, match="sentiment 2 is live already"):
        promote(stopped, "better")
    assert stopped.actions.filter(action="promote").count() == 1


@pytest.mark.parametrize("state", ["draft", "running", "paused"])
def test_only_a_stopped_test_has_a_winner(stopped: ABTest, state: str) -> None:
    ABTest.objects.filter(pk=stopped.pk).update(state=state)
    with pytest.raises(Conflict) as raised:
        promote(stopped, "better")
    assert raised.value.detail == f"which is better is {state}, and only a stopped test has a winner."
    assert raised.value.extra == {"state": state}
    assert live() == 1


def test_of_a_config_alone_it_is_said_what_to_set_instead(stopped: ABTest) -> None:
    with pytest.raises(Conflict) as raised:
        promote(stopped, "titled")
    assert raised.value.detail == (
        "titled is whichever version of sentiment is live: there is none to promote. "
        "Have title set where it is asked, as the config says."
    )
    assert raised.value.extra == {"config": {"title": "So good"}}
    with pytest.raises(Conflict, match=r"live: there is none to promote\.$"):
        promote(stopped, "live")


def test_a_variant_that_is_not_there_is_refused_and_those_that_are_named(stopped: ABTest) -> None:
    with pytest.raises(Invalid) as raised:
        promote(stopped, "best")
    assert raised.value.field == "variant"
    assert raised.value.detail == "which is better has no variant best. It has: live, better, worse, titled."


def test_over_http_it_takes_the_permission_to_run_tests(stopped: ABTest, staff: APIClient) -> None:
    path = f"/api/v1/experiments/{stopped.pk}/promote-winner/"
    may(staff, "change_abtest", "change_modelversion")
    assert_problem(staff.post(path, {"variant": "better"}), 403, "permission_denied")
    assert live() == 1
    may(staff, "run_abtest")
    assert_problem(staff.post(path, {}), 400, "invalid", "variant")
    assert_problem(staff.post(path, {"variant": "best"}), 400, "invalid", "variant")
    body = assert_problem(staff.post(path, {"variant": "titled"}), 409, "conflict")
    assert body["config"] == {"title": "So good"}
    answer = staff.post(path, {"variant": "better", "reason": "it won"})
    assert answer.status_code == 200
    assert (answer.json()["from_version"], answer.json()["to_version"]) == (1, 2)
    assert answer.json()["config"] == {"title": "x"}
    assert stopped.actions.first().by == staff.user
