"""`GET experiments/{id}/results/`, for staff."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from experiments.models import ABTest
from experiments.results.metrics import METRICS
from tests.experiments.experiment_rows import at, clicks, expose, prediction, started
from tests.problems import assert_problem
from tests.queries import pinned_queries

pytestmark = pytest.mark.django_db


def path(test: ABTest | int) -> str:
    return f"/api/v1/experiments/{test if isinstance(test, int) else test.pk}/results/"


def stopped(**facts: Any) -> ABTest:
    """Of last March, so that the days of its users are over."""
    return started(state="stopped", stopped_at=at(20), **facts)


def test_staff_read_what_a_test_says(staff: APIClient) -> None:
    test = stopped(
        secondary_metrics=["revenue_per_user"], planned_users=300,
        guardrails=[{"metric": "latency_p95", "bound": 0.2}, {"metric": "error_rate", "bound": 0.01}],
    )  # fmt: skip
    expose(test, "control", *range(400))
    expose(test, "new", *range(1000, 1400))
    clicks([*range(100), *range(1000, 1120)])
    prediction(1, "control")
    with pinned_queries("results of an A/B test"):
        answer = staff.get(path(test))
    assert answer.status_code == 200
    body = answer.json()
    assert list(body) == [
        "test", "name", "task", "state", "control", "started_at", "as_of", "planned_users", "verdict", "sample_ratio",
        "multiple_exposures", "metrics", "latency", "days", "missing",
    ]  # fmt: skip
    assert (body["test"], body["control"], body["planned_users"]) == (test.pk, "control", 300)
    assert (body["started_at"], body["as_of"]) == ("2026-03-02T00:00:00Z", "2026-03-22T00:00:00Z")
    assert set(body["verdict"]) == {"word", "reason", "variant"}
    groups = [{"variant": name, "users": 400, "expected": 400} for name in ("control", "new")]
    assert body["sample_ratio"] == {"p": 1, "alarm": False, "groups": groups}
    assert body["multiple_exposures"] == {"users": 0, "share": 0, "alarm": False}
    assert body["latency"] == [{"variant": "control", "answers": 1, "p50": 10, "p95": 10}]
    [day] = body["days"]
    assert (day["day"], day["users"], [one["variant"] for one in day["lifts"]]) == (
        "2026-03-03", {"control": 400, "new": 400}, ["new"],
    )  # fmt: skip
    primary = body["metrics"][0]
    assert (primary["name"], primary["role"], primary["kind"], primary["cuped"]) == (
        "click_rate", "primary", "proportion", None,
    )  # fmt: skip
    new = primary["variants"][1]
    assert set(new["absolute"]) == {
        "estimate", "low", "high", "p", "sequential_low", "sequential_high", "sequential_p",
    }  # fmt: skip
    assert (new["n"], new["mean"]) == (400, 0.3) and 0 < new["chance_to_win"] < 1 and new["expected_loss"] > 0


def test_a_test_that_nobody_met_is_an_empty_answer(staff: APIClient) -> None:
    body = staff.get(path(started())).json()
    assert (body["days"], body["latency"], body["verdict"]["word"]) == ([], [], "keep going")
    assert body["missing"] == ["Nobody was served a variant yet.", "The log has no predictions of the variants."]
    assert [one["missing"] for one in body["metrics"][0]["variants"]] == ["", "A variant has fewer than two users."]


@pytest.mark.django_db(transaction=True)
def test_all_figures_are_of_one_moment(staff: APIClient) -> None:
    """Who comes while they are read, and how the connection is set for that, is gone with the answer."""
    test = started()
    expose(test, "control", 1, 2)
    expose(test, "new", 7, 8)
    clicks([7])
    with CaptureQueriesContext(connection) as queries:
        assert staff.get(path(test)).json()["metrics"][0]["variants"][1]["mean"] == 0.5
    assert any("REPEATABLE READ, READ ONLY" in query["sql"] for query in queries)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('work_mem'), current_setting('transaction_isolation')")
        assert cursor.fetchone() == ("4MB", "read committed")


@pytest.mark.parametrize("metric", METRICS)
def test_any_metric_may_be_the_primary_one_and_a_guardrail(staff: APIClient, metric: str) -> None:
    test = started(primary_metric=metric, guardrails=[{"metric": metric, "bound": 0.1}])
    expose(test, "control", 1, 2)
    expose(test, "new", 7)
    clicks([1, 7])
    prediction(1, "control")
    answer = staff.get(path(test))
    assert answer.status_code == 200 and b"NaN" not in answer.content
    assert [one["name"] for one in answer.json()["metrics"]] == [metric, metric]


def test_a_draft_has_no_results(staff: APIClient) -> None:
    test = started(state="draft", started_at=None)
    body = assert_problem(staff.get(path(test)), 409, "conflict")
    assert "is draft" in body["detail"]


def test_there_is_nothing_to_compare_with_one_variant(staff: APIClient) -> None:
    assert_problem(staff.get(path(started("alone"))), 409, "conflict")


@pytest.mark.parametrize("test_id", [999_999, 10**30])
def test_an_unknown_test_is_not_found(staff: APIClient, test_id: int) -> None:
    assert_problem(staff.get(path(test_id)), 404, "not_found")


def test_only_staff_read_them(alice: APIClient, visitor: APIClient) -> None:
    test = started()
    assert_problem(alice.get(path(test)), 403, "permission_denied")
    assert_problem(visitor.get(path(test)), 401, "not_authenticated")


def test_names_are_data_and_never_sql(staff: APIClient) -> None:
    odd = """a'; DROP TABLE x; -- %s %(until)s {half} {spans} {limit}"""
    test = started(odd, "new", task="it's")
    expose(test, odd, 1, 2)
    prediction(1, odd, task="it's", status="error")
    body = staff.get(path(test)).json()
    assert (body["control"], body["days"][0]["users"]) == (odd, {odd: 2, "new": 0})
    assert body["latency"] == []


def test_the_shape_is_in_the_schema(staff: APIClient) -> None:
    schema = staff.get("/api/v1/schema/?format=json").json()
    answer = schema["paths"]["/api/v1/experiments/{test_id}/results/"]["get"]["responses"]["200"]
    named = answer["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    shape = schema["components"]["schemas"][named]
    assert {"verdict", "sample_ratio", "metrics", "days"} <= set(shape["properties"])
