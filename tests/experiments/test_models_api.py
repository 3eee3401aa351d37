"""The registry over HTTP, for staff alone."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from rest_framework.test import APIClient

from experiments.models import Promotion
from tests.experiments.conftest import Version
from tests.problems import assert_problem
from tests.queries import pinned_queries

MODELS = "/api/v1/models"
SENTIMENT = f"{MODELS}/sentiment"
CALLS = [
    ("get", f"{MODELS}/"),
    ("get", f"{SENTIMENT}/versions/"),
    ("post", f"{SENTIMENT}/versions/1/promote/"),
    ("post", f"{SENTIMENT}/rollback/"),
    ("get", f"{SENTIMENT}/timeline/"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_customers_and_visitors_may_do_nothing_here(
    promoted: Version, alice: APIClient, visitor: APIClient, method: str, path: str
) -> None:
    promoted()
    assert_problem(getattr(alice, method)(path), 403, "permission_denied")
    assert_problem(getattr(visitor, method)(path), 401, "not_authenticated")
    assert Promotion.objects.count() == 1


def test_the_live_version_of_each_task_is_listed(
    promoted: Version, version: Version, candidate: Version, staff: APIClient
) -> None:
    candidate("recommend")
    promoted(positive=0.2)
    row = promoted(positive=0.3)
    version()
    body = staff.get(f"{MODELS}/").json()
    assert body["count"] == 1
    assert body["results"] == [
        {
            "task": "sentiment", "version": 2, "algorithm": "scripted", "live": True, "params": {}, "metrics": {},
            "data": {"fit": 32, "validation": 32, "test": 32, "sources": []}, "digest": row.digest,
            "created_by": "test", "created_at": row.created_at.isoformat().replace("+00:00", "Z"),
        }
    ]  # fmt: skip


def test_all_versions_of_a_task_are_listed_newest_first(promoted: Version, version: Version, staff: APIClient) -> None:
    version()
    promoted()
    version()
    with pinned_queries("versions of a task"):
        results = staff.get(f"{SENTIMENT}/versions/").json()["results"]
    assert [(one["version"], one["live"]) for one in results] == [(3, False), (2, True), (1, False)]


def test_promote_puts_a_version_live_and_answers_with_the_change(
    reviewed: None, promoted: Version, version: Version, staff: APIClient
) -> None:
    promoted(score=0.7)
    version(score=0.8)
    answer = staff.post(f"{SENTIMENT}/versions/2/promote/", {"reason": "better"})
    assert answer.status_code == 200
    body = answer.json()
    assert body["comparison"]["difference"] == pytest.approx(0.1)
    assert {**body, "comparison": None, "at": None} == {
        "task": "sentiment", "kind": "promote", "from_version": 1, "to_version": 2, "reason": "better",
        "forced": False, "comparison": None, "at": None,
    }  # fmt: skip
    assert Promotion.objects.first().by == staff.user
    assert staff.get(f"{MODELS}/").json()["results"][0]["version"] == 2


def test_the_first_promotion_comes_from_nothing(version: Version, staff: APIClient) -> None:
    version()
    body = staff.post(f"{SENTIMENT}/versions/1/promote/").json()
    assert (body["from_version"], body["to_version"], body["reason"]) == (None, 1, "")


def test_a_worse_version_is_a_conflict_with_the_figures_until_it_is_forced_with_a_reason(
    reviewed: None, promoted: Version, version: Version, staff: APIClient
) -> None:
    promoted(score=0.7)
    version(score=0.6)
    path = f"{SENTIMENT}/versions/2/promote/"
    body = assert_problem(staff.post(path), 409, "conflict")
    assert "macro_f1 0.6000 against 0.7000" in body["detail"]
    assert_problem(staff.post(path, {"force": True}), 400, "invalid", "reason")
    assert_problem(staff.post(path, {"force": True, "reason": " "}), 400, "invalid", "reason")
    assert staff.post(path, {"force": True, "reason": "faster"}).json()["forced"] is True


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"reason": "x" * 1001}, "reason"), ({"reason": "a\0b"}, "reason"), ({"reason": None}, "reason"),
        ({"reason": 7}, "reason"), ({"force": "perhaps"}, "force"), ({"force": None}, "force"), ([], ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("call", ["versions/1/promote", "rollback"])
def test_a_wrong_body_is_named(version: Version, staff: APIClient, call: str, given: object, field: str) -> None:
    version()
    assert_problem(staff.post(f"{SENTIMENT}/{call}/", given), 400, "invalid", field)
    assert not Promotion.objects.exists()


def test_rollback_goes_back_until_there_is_nothing(promoted: Version, staff: APIClient) -> None:
    promoted()
    promoted()
    body = staff.post(f"{SENTIMENT}/rollback/", {"reason": "complaints"}).json()
    assert (body["kind"], body["from_version"], body["to_version"]) == ("rollback", 2, 1)
    assert Promotion.objects.first().by == staff.user
    assert_problem(staff.post(f"{SENTIMENT}/rollback/"), 409, "conflict")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "flavour/versions"), ("get", "flavour/timeline"), ("post", "flavour/rollback"),
        ("post", "flavour/versions/1/promote"), ("post", "sentiment/versions/7/promote"),
        ("post", f"sentiment/versions/{10**30}/promote"), ("post", f"sentiment/versions/{'9' * 5000}/promote"),
        ("post", "sentiment/versions/-1/promote"), ("post", "sentiment/versions/x/promote"),
        ("get", f"{'x' * 5000}/versions"), ("get", "%00/versions"),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_not_found(version: Version, staff: APIClient, method: str, path: str) -> None:
    version()
    assert_problem(getattr(staff, method)(f"{MODELS}/{path}/"), 404, "not_found")


def test_the_timeline_tells_the_changes_and_what_was_live_when(promoted: Version, staff: APIClient) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    promoted()
    promoted()
    for hours, change in enumerate(Promotion.objects.order_by("id")):
        Promotion.objects.filter(pk=change.pk).update(at=start + timedelta(hours=hours))

    def live(at: str) -> int | None:
        found = staff.get(f"{SENTIMENT}/timeline/?{urlencode({'at': at})}").json()["live"]
        return found and found["version"]

    assert live("2025-12-31T23:59:59.999Z") is None
    assert live("2026-01-01T00:00:00Z") == 1
    assert live("2026-01-01T01:59:59+01:00") == 1
    assert live("2026-01-01T01:00:00") == 2
    body = staff.get(f"{SENTIMENT}/timeline/").json()
    assert body["live"]["version"] == 2
    assert [(one["from_version"], one["to_version"]) for one in body["changes"]] == [(1, 2), (None, 1)]


@pytest.mark.django_db
def test_the_timeline_of_a_task_that_never_was_live_is_empty(staff: APIClient) -> None:
    assert staff.get(f"{SENTIMENT}/timeline/").json() == {"live": None, "changes": []}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "at", ["yesterday", "9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+14:00", "2026-02-30", "\0", "9" * 400, "NaN"]
)
def test_a_moment_that_is_none_is_named(staff: APIClient, at: str) -> None:
    assert_problem(staff.get(f"{SENTIMENT}/timeline/?{urlencode({'at': at})}"), 400, "invalid", "at")
