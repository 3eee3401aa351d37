"""`GET predictions/`: whose predictions who sees, filters, pages."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from rest_framework.test import APIClient

from experiments.models import Prediction
from experiments.prediction_log import prediction_record
from experiments.uuid7 import uuid7, uuid7_floor
from tests.experiments.test_prediction_log import prediction
from tests.problems import assert_problem
from tests.queries import pinned_queries

PREDICTIONS = "/api/v1/predictions/"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Log = Callable[..., Prediction]


@pytest.fixture
def log(alice: APIClient) -> Log:
    """`log(status="error")`: a logged prediction, alice's where nobody else is named."""

    def make(**facts: Any) -> Prediction:
        row = prediction(**{"id": uuid7(), "user_id": alice.user.pk, **facts})
        prediction_record([row])
        return row

    return make


def ids(client: APIClient, **query: object) -> list[str]:
    answer = client.get(f"{PREDICTIONS}?{urlencode(query)}")
    assert answer.status_code == 200, answer.content
    return [one["id"] for one in answer.json()["results"]]


def test_one_sees_ones_own_and_staff_sees_all(
    log: Log, alice: APIClient, mallory: APIClient, staff: APIClient, visitor: APIClient
) -> None:
    mine, theirs, nobodys = log(), log(user_id=mallory.user.pk), log(user_id=None)
    assert ids(alice) == [str(mine.pk)]
    assert ids(mallory) == [str(theirs.pk)]
    assert ids(staff) == [str(row.pk) for row in (nobodys, theirs, mine)]
    assert_problem(visitor.get(PREDICTIONS), 401, "not_authenticated")


def test_no_filter_shows_a_stranger_anything(log: Log, mallory: APIClient, alice: APIClient) -> None:
    row = log(request_id="mine")
    for query in ({"user": alice.user.pk}, {"request_id": "mine"}, {"task": "sentiment"}, {"id": row.pk}):
        assert ids(mallory, **query) == []


def test_a_prediction_shows_all_that_was_logged(log: Log, alice: APIClient) -> None:
    row = log(algorithm="tfidf", version=3, method="m", request_id="r", confidence=0.5, output={"a": 1})
    assert alice.get(PREDICTIONS).json()["results"] == [
        {
            "id": str(row.pk), "task": "sentiment", "algorithm": "tfidf", "version": 3, "variant": "", "method": "m",
            "user_id": alice.user.pk, "request_id": "r", "input": {"text": "fine"}, "output": {"a": 1},
            "confidence": 0.5, "latency_ms": 1.0, "status": "ok",
            "created_at": row.created_at.isoformat().replace("+00:00", "Z"),
        }
    ]  # fmt: skip


def test_pages_go_from_the_newest_to_the_oldest_also_while_new_ones_come(log: Log, alice: APIClient) -> None:
    rows = [str(log().pk) for _ in range(45)][::-1]
    seen, page = [], alice.get(PREDICTIONS).json()
    while True:
        seen += [one["id"] for one in page["results"]]
        log()
        if not page["next"]:
            break
        page = alice.get(page["next"]).json()
    assert seen == rows
    back = alice.get(page["previous"]).json()
    assert [one["id"] for one in back["results"]] == rows[20:40]


def test_a_page_has_up_to_a_hundred(log: Log, alice: APIClient) -> None:
    for _ in range(101):
        log()
    assert len(ids(alice)) == 20
    assert len(ids(alice, page_size=100)) == 100
    assert len(ids(alice, page_size=1_000_000)) == 100
    assert len(ids(alice, page_size="x")) == 20


def test_filters_on_columns(log: Log, staff: APIClient, alice: APIClient, mallory: APIClient) -> None:
    row = log(task="recommend", version=3, status="error", request_id="r-1", user_id=mallory.user.pk)
    log(version=4)
    for query in (
        {"task": "recommend"}, {"version": 3}, {"status": "error"}, {"request_id": "r-1"}, {"user": mallory.user.pk},
        {"task": "recommend", "version": 3, "status": "error"},
    ):  # fmt: skip
        assert ids(staff, **query) == [str(row.pk)]
    for query in (
        {"task": "flavour"}, {"version": 5}, {"status": "fallback"}, {"request_id": "r"}, {"user": 10**12},
        {"version": -1}, {"version": 2**31 - 1}, {"user": 2**63 - 1}, {"task": "recommend", "version": 4},
    ):  # fmt: skip
        assert ids(staff, **query) == []


def test_filters_on_time_go_through_the_id(log: Log, alice: APIClient) -> None:
    rows = [log(id=uuid7_floor(NOON + timedelta(hours=hours))) for hours in (0, 1, 2)]
    names = [str(row.pk) for row in rows]
    one = (NOON + timedelta(hours=1)).isoformat()
    assert ids(alice, since=one) == [names[2], names[1]]
    assert ids(alice, until=one) == [names[0]]
    assert ids(alice, since=one, until=one) == []
    assert ids(alice, since="2026-03-01T14:00:00+01:00") == [names[2], names[1]]  # the same moment in Paris
    assert ids(alice, since="2026-03-01T13:00") == [names[2], names[1]]  # UTC where nothing is said
    assert ids(alice, until="0001-01-01T00:00:00Z") == []
    assert len(ids(alice, since="0001-01-01T00:00:00Z", until="9999-12-31T23:59:59.999999Z")) == 3


def test_the_second_is_split_to_the_millisecond(log: Log, alice: APIClient) -> None:
    moments = [NOON + timedelta(milliseconds=number) for number in range(1_000)]
    prediction_record([prediction(id=uuid7_floor(moment), user_id=alice.user.pk) for moment in moments])
    for number in (1, 7, 249, 501, 999):
        assert len(ids(alice, since=moments[number].isoformat(), page_size=100)) == min(1_000 - number, 100)
        assert len(ids(alice, until=moments[number].isoformat(), page_size=100)) == min(number, 100)


def cursor(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version", "x"), ("version", "NaN"), ("version", "Infinity"), ("version", 2**31), ("version", "1e999"),
        ("version", 10**30), ("version", "3.5"), ("user", 2**63), ("user", "9" * 5000), ("user", "\0"),
        ("status", "fine"),
        ("since", "yesterday"), ("since", "2026-13-01"), ("since", "\0"), ("until", "9" * 400), ("task", "a\0b"),
        ("request_id", "\0"),
    ],
)  # fmt: skip
def test_a_wrong_filter_is_named(alice: APIClient, name: str, value: object) -> None:
    assert_problem(alice.get(f"{PREDICTIONS}?{urlencode({name: value})}"), 400, "invalid", name)


@pytest.mark.parametrize("value", ["x", cursor("p=1"), cursor("p=x&r=1"), cursor("p=a\0b"), cursor("o=-1")])
def test_a_forged_cursor_is_not_found(alice: APIClient, value: str) -> None:
    assert_problem(alice.get(f"{PREDICTIONS}?{urlencode({'cursor': value})}"), 404, "not_found")


@pytest.mark.parametrize("value", ["", "%", "\0", cursor("o=1000000"), cursor("r=1"), cursor("p=" + "0" * 32)])
def test_a_cursor_that_leads_nowhere_is_an_empty_page(alice: APIClient, value: str) -> None:
    assert ids(alice, cursor=value) == []


def test_the_list_is_read_only(log: Log, staff: APIClient) -> None:
    row = log()
    assert_problem(staff.post(PREDICTIONS, {}), 405, "method_not_allowed")
    assert_problem(staff.delete(f"{PREDICTIONS}{row.pk}/"), 404, "not_found")


def test_a_page_makes_as_few_queries_as_ever(log: Log, staff: APIClient) -> None:
    for _ in range(5):
        log()
    with pinned_queries("predictions page"):
        assert len(ids(staff)) == 5
