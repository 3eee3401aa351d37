"""`POST predictions/{id}/outcome/`: the truth for a prediction."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from rest_framework.test import APIClient

from experiments.models import Outcome, Prediction
from experiments.outcomes import outcome_record
from experiments.prediction_log import prediction_record
from experiments.uuid7 import uuid7
from tests.experiments.test_prediction_log import prediction
from tests.problems import assert_problem


@pytest.fixture
def mine(alice: APIClient) -> Prediction:
    row = prediction(user_id=alice.user.pk)
    prediction_record([row])
    return row


def tell(client: APIClient, prediction_id: UUID, value: Any) -> Any:
    return client.post(f"/api/v1/predictions/{prediction_id}/outcome/", {"value": value})


@pytest.mark.parametrize("value", [4.5, 0, -3, 1e14, 10**14, "positive", "a size, 200 characters long".ljust(200, "x")])
def test_a_number_or_a_label_is_kept(alice: APIClient, mine: Prediction, value: Any) -> None:
    answer = tell(alice, mine.pk, value)
    assert (answer.status_code, answer.content) == (202, b"")
    row = Outcome.objects.get()
    assert (row.kind, row.subject, row.value) == ("reported", "sentiment", value)
    assert (row.user_id, row.prediction_id) == (alice.user.pk, mine.pk)


@pytest.mark.parametrize(
    "value",
    [None, True, False, {}, {"a": 1}, [], [1], "", "x" * 201, "a\0b", 10**15, -(10**15), 1e300, 10**30, [[[[1]]]]],
)
def test_anything_else_is_refused(alice: APIClient, mine: Prediction, value: Any) -> None:
    assert_problem(tell(alice, mine.pk, value), 400, "invalid", "value")
    assert not Outcome.objects.exists()


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", r'"\ud800"'])
def test_what_is_no_json_is_refused(alice: APIClient, mine: Prediction, text: str) -> None:
    path = f"/api/v1/predictions/{mine.pk}/outcome/"
    body = f'{{"value": {text}}}'.encode()
    assert_problem(alice.generic("POST", path, body, "application/json"), 400, "parse_error")
    assert not Outcome.objects.exists()


@pytest.mark.parametrize("given", [{}, {"valu": 1}])
def test_a_truth_needs_a_value(alice: APIClient, mine: Prediction, given: dict[str, Any]) -> None:
    answer = alice.post(f"/api/v1/predictions/{mine.pk}/outcome/", given)
    assert assert_problem(answer, 400, "invalid", "value")["errors"][0]["code"] == "required"


def test_only_its_owner_and_staff_know_the_truth(
    alice: APIClient, mallory: APIClient, staff: APIClient, visitor: APIClient, mine: Prediction
) -> None:
    stranger, missing = tell(mallory, mine.pk, 1), tell(mallory, uuid7(), 1)
    for answer in (stranger, missing):
        body = assert_problem(answer, 404, "not_found")
        assert body["detail"].startswith("There is no prediction ")
    assert_problem(tell(visitor, mine.pk, 1), 401, "not_authenticated")
    assert not Outcome.objects.exists()
    assert tell(staff, mine.pk, 1).status_code == 202
    assert Outcome.objects.get().user_id == staff.user.pk


@pytest.mark.django_db
def test_a_prediction_that_never_was_is_not_found(staff: APIClient) -> None:
    for prediction_id in (uuid4(), UUID(int=0), UUID(int=2**128 - 1)):
        assert_problem(tell(staff, prediction_id, 1), 404, "not_found")


@pytest.mark.django_db
def test_outcomes_are_written_downwards() -> None:
    outcome_record(kind="purchase", subject="product:7", value=1, user_id=3)
    outcome_record(kind="rating", subject="product:7", value=4.5, user_id=4)
    row = Outcome.objects.get(user_id=3)
    assert (row.kind, row.value, row.prediction_id) == ("purchase", 1, None)
