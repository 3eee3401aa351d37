"""A/B tests over HTTP: staff read, permissions change and run, and every refusal names what it is about."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from experiments.ab_test_views import ABTestSerializer
from experiments.models import ABTest
from tests.experiments.conftest import Drafted, Version, may
from tests.hostile import accepted
from tests.problems import assert_problem
from tests.queries import pinned_queries

PATH = "/api/v1/experiments/"
GIVEN = {
    "name": "which is better", "task": "sentiment", "hypothesis": "b wins", "traffic": 0.5, "audience": "customers",
    "signed_up_before": "2026-01-01T00:00:00Z", "primary_metric": "click_rate", "secondary_metrics": ["cart_rate"],
    "guardrails": [{"metric": "latency_p95", "bound": 0.2}], "guardrail_minutes": 5,
    "smallest_effect": 0.1, "window_days": 14, "planned_users": 100,
    "variants": [
        {"name": "a", "weight": 1.0, "version": None, "config": {}},
        {"name": "b", "weight": 2.0, "version": 1, "config": {"title": "x"}},
    ],
}  # fmt: skip


def test_a_test_is_made_read_changed_started_paused_and_stopped(promoted: Version, tester: APIClient) -> None:
    promoted()
    made = tester.post(PATH, {**GIVEN, "reason": "to see"})
    assert made.status_code == 201
    at = made["Location"]
    body = made.json()
    shown = {**GIVEN, "id": body["id"], "state": "draft", "started_at": None, "stopped_at": None}
    assert body == {**shown, "created_at": body["created_at"]}
    assert tester.get(at).json() == body
    assert tester.patch(at, {"traffic": 1, "reason": "more"}).json() == {**body, "traffic": 1.0}
    assert tester.put(at, {"name": "bare", "task": "sentiment"}).json()["variants"] == []
    assert tester.put(at, GIVEN).json() == body
    started = tester.post(f"{at}start/", {"reason": "go"}).json()
    assert started == {**body, "state": "running", "started_at": started["started_at"]}
    weights = [{**one, "weight": 5.0} for one in GIVEN["variants"]]
    assert tester.patch(at, {"variants": weights}).json()["variants"] == weights
    assert tester.post(f"{at}pause/").json()["state"] == "paused"
    stopped = tester.post(f"{at}stop/").json()
    assert (stopped["state"], stopped["stopped_at"] > started["started_at"]) == ("stopped", True)
    history = tester.get(f"{at}actions/").json()
    assert history["count"] == 8
    assert [(one["action"], one["reason"]) for one in history["results"]] == [
        ("stop", ""), ("pause", ""), ("edit", ""), ("start", "go"), ("edit", ""), ("edit", ""), ("edit", "more"),
        ("create", "to see"),
    ]  # fmt: skip
    assert {one["by"] for one in history["results"]} == {"staff"}
    assert history["results"][2]["facts"] == {"weights": {"a": 5.0, "b": 5.0}}


def test_what_is_left_out_has_a_default(tester: APIClient) -> None:
    body = tester.post(PATH, {"name": "bare", "task": "sentiment", "variants": [{"name": "a"}]}).json()
    assert {name: value for name, value in body.items() if name not in ("id", "created_at")} == {
        "name": "bare", "task": "sentiment", "hypothesis": "", "state": "draft", "traffic": 1.0,
        "audience": "everyone", "signed_up_before": None, "primary_metric": "click_rate", "secondary_metrics": [],
        "guardrails": [], "guardrail_minutes": 10, "smallest_effect": 0.05, "window_days": 7, "planned_users": None,
        "started_at": None, "stopped_at": None,
        "variants": [{"name": "a", "weight": 1.0, "version": None, "config": {}}],
    }  # fmt: skip


READS = ["", "{id}/", "{id}/actions/", "plan/?task=sentiment"]
TAKES = {
    ("post", ""): "add_abtest",
    ("put", "{id}/"): "change_abtest",
    ("patch", "{id}/"): "change_abtest",
    ("delete", "{id}/"): "delete_abtest",
    ("post", "{id}/start/"): "run_abtest",
    ("post", "{id}/pause/"): "run_abtest",
    ("post", "{id}/stop/"): "run_abtest",
    ("post", "{id}/promote-winner/"): "run_abtest",
}  # the permission of each
WRITES = list(TAKES)


@pytest.mark.parametrize(("method", "path"), [*(("get", path) for path in READS), *WRITES])
def test_customers_and_visitors_may_do_nothing_here(
    drafted: Drafted, alice: APIClient, visitor: APIClient, method: str, path: str
) -> None:
    test = drafted()
    at = PATH + path.format(id=test.pk)
    assert_problem(getattr(alice, method)(at, {}), 403, "permission_denied")
    assert_problem(getattr(visitor, method)(at, {}), 401, "not_authenticated")
    assert ABTest.objects.get().state == "draft"


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_staff_without_the_permission_read_and_no_more(
    drafted: Drafted, staff: APIClient, method: str, path: str
) -> None:
    test = drafted()
    assert_problem(getattr(staff, method)(PATH + path.format(id=test.pk), {}), 403, "permission_denied")
    assert ABTest.objects.get().state == "draft"
    for read in READS[:3]:
        assert staff.get(PATH + read.format(id=test.pk)).status_code == 200


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_each_call_takes_its_own_permission_and_no_other(
    drafted: Drafted, staff: APIClient, method: str, path: str
) -> None:
    at = PATH + path.format(id=drafted().pk)
    needed = TAKES[method, path]
    may(staff, *set(TAKES.values()) - {needed})
    assert_problem(getattr(staff, method)(at, {}), 403, "permission_denied")
    staff.user.user_permissions.clear()
    may(staff, needed)
    assert getattr(staff, method)(at, {}).status_code != 403


def test_a_customer_with_the_permission_is_no_staff(drafted: Drafted, tester: APIClient) -> None:
    tester.user.is_staff = False
    assert_problem(tester.post(f"{PATH}{drafted().pk}/start/"), 403, "permission_denied")


def test_tests_are_listed_newest_first_by_task_and_state(drafted: Drafted, staff: APIClient) -> None:
    for name, task in [("1", "sentiment"), ("2", "summary"), ("3", "sentiment")]:
        drafted(name=name, task=task)
    ABTest.objects.filter(name="3").update(state="running")

    def names(**query: str) -> list[str]:
        return [one["name"] for one in staff.get(PATH, query).json()["results"]]

    assert names() == ["3", "2", "1"]
    assert names(task="sentiment") == ["3", "1"]
    assert names(state="running") == ["3"]
    assert names(task="sentiment", state="draft") == ["1"]
    assert staff.get(PATH, {"page_size": 2}).json()["next"]
    assert_problem(staff.get(PATH, {"state": "asleep"}), 400, "invalid", "state")


def test_a_list_costs_the_same_queries_however_long_it_is(drafted: Drafted, version: Version, staff: APIClient) -> None:
    version()
    for number in range(3):
        drafted({"name": "a"}, {"name": "b", "version": 1}, name=str(number))
    with pinned_queries("A/B tests list"):
        assert len(staff.get(PATH).json()["results"]) == 3


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"task": "flavour"}, "task"),
        ({"traffic": 1.01}, "traffic"),
        ({"smallest_effect": 0}, "smallest_effect"),
        ({"window_days": 91}, "window_days"),
        ({"guardrail_minutes": 0}, "guardrail_minutes"),
        ({"guardrail_minutes": 1441}, "guardrail_minutes"),
        ({"planned_users": 1}, "planned_users"),
        ({"primary_metric": "joy"}, "primary_metric"),
        ({"secondary_metrics": ["joy"]}, "secondary_metrics"),
        ({"guardrails": [{"metric": "joy", "bound": 1}]}, "guardrails"),
        ({"guardrails": [{"metric": "latency_p95", "bound": 10.5}]}, "guardrails.0.bound"),
        ({"variants": [{"name": "a", "weight": 0}]}, "variants.0.weight"),
        ({"variants": [{"name": "a", "weight": -1}]}, "variants.0.weight"),
        ({"variants": [{"name": "a"}, {"weight": 1}]}, "variants.1.name"),
        ({"variants": [{"name": "a"}] * 2}, "variants.1"),
        ({"variants": [{"name": "a", "version": 7}]}, "variants.0.version"),
        ({"variants": [{"name": "a", "config": {"\0": 1}}]}, "variants.0.config"),
        ({"variants": [{"name": "a", "config": {"title": "\0"}}]}, "variants.0.config"),
        ({"variants": [{"name": "a", "config": 7}]}, "variants.0.config"),
        ({"variants": [{"name": "a", "config": None}]}, "variants.0.config"),
    ],
    ids=str,
)
def test_what_is_wrong_is_a_400_that_names_the_field(
    tester: APIClient, drafted: Drafted, changes: dict[str, Any], field: str
) -> None:
    given = {"name": "another", "task": "sentiment", **changes}
    assert_problem(tester.post(PATH, given), 400, "invalid", field)
    test = drafted()
    assert_problem(tester.put(f"{PATH}{test.pk}/", given), 400, "invalid", field)
    assert_problem(tester.patch(f"{PATH}{test.pk}/", changes), 400, "invalid", field)
    assert ABTest.objects.count() == 1
    assert test.actions.count() == 1


@pytest.mark.parametrize("body", [[], "x", 7, None, [{"name": "a"}]])
def test_what_is_no_object_is_refused(tester: APIClient, drafted: Drafted, body: Any) -> None:
    at = f"{PATH}{drafted().pk}/"
    for method, path in [("post", PATH), ("put", at)]:
        assert getattr(tester, method)(path, body, format="json").status_code == 400
    assert tester.patch(at, body, format="json").status_code in (200, 400)
    assert ABTest.objects.get().name == "which is better"


def test_no_hostile_value_gets_in() -> None:
    serializer = ABTestSerializer()
    never_read = [name for name, field in serializer.fields.items() if field.read_only]
    assert [case for case in accepted(serializer, GIVEN) if case.split()[-1] not in never_read] == []


def test_steps_out_of_order_are_409s_that_name_the_state(
    promoted: Version, drafted: Drafted, tester: APIClient
) -> None:
    promoted()
    test, other = drafted(), drafted(name="another")
    at = f"{PATH}{test.pk}/"
    assert assert_problem(tester.post(f"{at}stop/"), 409, "conflict")["state"] == "draft"
    assert tester.post(f"{at}start/").status_code == 200
    assert assert_problem(tester.post(f"{at}start/"), 409, "conflict")["state"] == "running"
    assert assert_problem(tester.post(f"{PATH}{other.pk}/start/"), 409, "conflict")["running"] == test.pk
    body = assert_problem(tester.patch(at, {"task": "summary"}), 409, "conflict")
    assert (body["field"], body["state"]) == ("task", "running")
    assert assert_problem(tester.delete(at), 409, "conflict")["state"] == "running"
    assert_problem(tester.post(f"{at}pause/", {"reason": "x" * 1_001}), 400, "invalid", "reason")


def test_a_draft_is_deleted(drafted: Drafted, tester: APIClient) -> None:
    at = f"{PATH}{drafted().pk}/"
    assert tester.delete(at).status_code == 204
    assert_problem(tester.get(at), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", ""), ("put", ""), ("patch", ""), ("delete", ""), ("post", "start/"), ("get", "actions/")],
)
def test_a_test_that_is_not_there_is_a_404(tester: APIClient, method: str, path: str) -> None:
    for number in ["9999", "9" * 30]:
        answer = getattr(tester, method)(f"{PATH}{number}/{path}", {"name": "a", "task": "sentiment"})
        assert answer.status_code in (404, 400) if len(number) > 20 else answer.status_code == 404
