"""How many users a test needs is planned from the shop's own rows: from the users whom the task answered lately."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from experiments import ab_tests
from experiments.errors import Invalid
from experiments.models import Outcome, Prediction
from experiments.plans import ShopPlan, plan_of
from experiments.statistics.planning import Baseline, users_needed
from experiments.uuid7 import uuid7_floor
from tests.experiments.conftest import Drafted, Version
from tests.problems import assert_problem

NUMBERS = count(1)
LATER = 15  # days of the later half of four weeks, which touch 29
PATH = "/api/v1/experiments/plan/"


def answered(
    users: Iterable[int | None], days_ago: float = 20, task: str = "sentiment", **facts: Any
) -> list[Prediction]:
    at = timezone.now() - timedelta(days=days_ago)
    return [
        Prediction.objects.create(
            **{
                "id": _id(at), "task": task, "user_id": user, "input": {}, "output": {}, "latency_ms": 1.0,
                "created_at": at, **facts,
            }
        )
        for user in users
    ]  # fmt: skip


def _id(at: datetime) -> UUID:
    return UUID(int=uuid7_floor(at).int + next(NUMBERS))


def did(users: Iterable[int], kind: str = "click", days_ago: float = 19, **facts: Any) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    for user in users:
        Outcome.objects.create(**{"kind": kind, "value": 1, "user_id": user, "created_at": at, **facts})


def plan(metric: str = "click_rate", **facts: Any) -> ShopPlan:
    given = {"smallest_effect": 0.1, "variants": 2, "traffic": 1.0, "power": 0.8, "window_days": 7}
    return plan_of(**{"task": "sentiment", "metric": metric, **given, **facts})


def refused(**facts: Any) -> Invalid:
    with pytest.raises(Invalid) as raised:
        plan(**facts)
    return raised.value


@pytest.mark.django_db
def test_a_share_is_planned_from_who_did_it_within_the_window() -> None:
    answered(range(280))
    did(range(70))
    did(range(70), days_ago=18)  # twice is once
    did(range(70, 100), days_ago=21)  # before the answer
    did(range(100, 130), days_ago=12)  # after the window
    did(range(130, 160), kind="view")
    did(range(900, 999))  # of users whom nobody answered
    found = plan()
    assert (found.baseline, found.users_a_day) == (0.25, 280 / LATER)
    assert found.users_each == users_needed(Baseline(0.25), 0.025)
    assert found.users == 2 * found.users_each
    assert found.days == 1 + 2 * LATER - 2 + -(-(found.users - 280) // (280 / LATER))


@pytest.mark.django_db
def test_only_users_of_the_task_whose_window_is_over_count() -> None:
    answered(range(28))
    did(range(7))
    answered(range(100, 200), task="summary")
    answered(range(200, 300), days_ago=5)
    answered(range(300, 400), days_ago=36)
    answered(range(400, 500), status="error")
    answered([None] * 10)  # visitors
    found = plan()
    assert (found.baseline, found.users_a_day) == (0.25, 28 / LATER)
    assert plan(window_days=3).users_a_day == pytest.approx(100 / LATER)


@pytest.mark.django_db
def test_a_mean_is_planned_with_the_variance_of_its_users() -> None:
    answered(range(56))
    did(range(14), kind="click")
    did(range(7), kind="click")
    found = plan("clicks_per_user")
    counts = [2.0] * 7 + [1.0] * 7 + [0.0] * 42
    mean = sum(counts) / 56
    variance = sum((one - mean) ** 2 for one in counts) / 55
    assert found.baseline == pytest.approx(mean)
    assert found.users_each == users_needed(Baseline(mean, variance), 0.1 * mean)


@pytest.mark.django_db
def test_what_a_prediction_led_to_counts_where_it_was_of_the_task() -> None:
    rows = answered(range(56))
    others = answered(range(56), task="summary", days_ago=19.5)
    for row in rows[:14]:
        did([row.user_id], prediction_id=row.pk)
    for row in others[14:28]:
        did([row.user_id], prediction_id=row.pk)
    assert plan("hit_rate").baseline == 0.25
    assert plan("click_rate").baseline == 0.5


@pytest.mark.django_db
def test_answers_are_planned_from_those_of_the_live_version() -> None:
    for user in range(40):
        for turn in range(5):
            status = "fallback" if user < 20 and not turn else "ok"
            answered([user], days_ago=20 - turn, latency_ms=10.0 + user, status=status)
    answered(range(40), days_ago=18, variant="slow", latency_ms=1_000.0)
    latency = plan("latency_p50", smallest_effect=0.2)
    assert (latency.baseline, latency.users_a_day) == (31.5, 40 / LATER)  # of what the model answered itself
    assert latency.users_each > 1
    share = plan("fallback_rate", smallest_effect=0.01)  # a point, not a hundredth of it
    variance = 0.1**2 * 40 / 39  # half of the users have 0.2, the others 0
    assert share.baseline == pytest.approx(0.1)
    assert share.users_each == users_needed(Baseline(0.1, variance), 0.01)


@pytest.mark.django_db
def test_more_variants_and_less_traffic_take_longer() -> None:
    answered(range(280))
    did(range(70))
    two, three, half = plan(), plan(variants=3), plan(traffic=0.5)
    assert three.users_each > two.users_each
    assert three.users == 3 * three.users_each
    assert half.users == two.users
    assert half.days == 2 * LATER - 1 + -(-(2 * two.users - 280) // (280 / LATER))
    assert plan(traffic=0.0).days is None
    assert plan(power=0.95).users_each > two.users_each


@pytest.mark.django_db
def test_where_the_rows_do_not_say_the_field_is_named() -> None:
    assert refused(task="flavour").field == "task"
    assert refused(metric="joy").field == "metric"
    error = refused()
    assert (error.field, error.detail) == (
        "metric", "sentiment has answered no users lately of whom click_rate can be told."
    )  # fmt: skip
    answered(range(28))
    assert refused().field == "metric"  # nobody clicked
    did(range(28))
    assert refused().detail == "click_rate was 1 for every user lately: there is no variance."
    Outcome.objects.all().delete()
    did(range(21))
    error = refused(smallest_effect=0.5)
    assert (error.field, error.detail) == ("smallest_effect", "smallest_effect: no proportion is 1.125.")


def test_a_start_plans_what_was_left_out(promoted: Version, drafted: Drafted) -> None:
    promoted()
    answered(range(280))
    did(range(70))
    test = drafted(planned_users=None, smallest_effect=0.2)
    started = ab_tests.ab_test_start(test_id=test.pk, by=None)
    assert started.planned_users == plan(smallest_effect=0.2).users_each
    assert test.actions.first().facts["planned_users"] == started.planned_users


@pytest.mark.parametrize("clicks", [0, 280])
def test_what_cannot_be_planned_has_to_be_given(promoted: Version, drafted: Drafted, clicks: int) -> None:
    promoted()
    answered(range(280))
    did(range(clicks))
    test = drafted(planned_users=None)
    with pytest.raises(Invalid) as raised:
        ab_tests.ab_test_start(test_id=test.pk, by=None)
    assert raised.value.field == "planned_users"
    assert raised.value.detail.startswith("It cannot be planned, so give it. ")
    test.refresh_from_db()
    assert (test.state, test.planned_users) == ("draft", None)


def test_a_plan_that_nobody_lives_to_see_is_refused(promoted: Version, drafted: Drafted) -> None:
    promoted()
    answered(range(280))
    did(range(1))
    test = drafted(planned_users=None, smallest_effect=0.0001)
    with pytest.raises(Invalid) as raised:
        ab_tests.ab_test_start(test_id=test.pk, by=None)
    assert raised.value.field == "planned_users"
    assert "users a group are never reached" in raised.value.detail


def test_staff_read_the_plan_over_http(staff: APIClient) -> None:
    answered(range(280))
    did(range(70))
    body = staff.get(PATH, {"task": "sentiment", "smallest_effect": "0.1"}).json()
    assert body == vars(plan())
    assert staff.get(PATH, {"task": "sentiment", "variants": "3", "traffic": "0.5"}).json()["users"] > body["users"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"task": ""}, "task"),
        ({"task": "flavour"}, "task"),
        ({"metric": "joy"}, "metric"),
        ({"smallest_effect": "0"}, "smallest_effect"),
        ({"smallest_effect": "nan"}, "smallest_effect"),
        ({"variants": "1"}, "variants"),
        ({"variants": "11"}, "variants"),
        ({"traffic": "1.1"}, "traffic"),
        ({"power": "0.01"}, "power"),
        ({"power": "1"}, "power"),
        ({"window_days": "91"}, "window_days"),
        ({}, "metric"),
    ],
    ids=str,
)
def test_a_plan_that_cannot_be_made_is_a_400_that_names_the_field(
    staff: APIClient, query: dict[str, str], field: str
) -> None:
    assert_problem(staff.get(PATH, {"task": "sentiment", **query}), 400, "invalid", field)
