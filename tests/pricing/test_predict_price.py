"""`POST predict/price/`: a price with its interval, or what is wrong with the home."""

import json
from typing import Any
from uuid import UUID

import pytest
from rest_framework.test import APIClient

from experiments.models import ModelVersion, Prediction
from tests.problems import assert_problem
from tests.queries import pinned_queries
from tests.shop import API

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("priced")]
PREDICT = f"{API}/predict/price/"
HOME = {"bedrooms": 3, "bathrooms": 2.0, "sqft": 1_800, "location": "98101"}


def test_a_home_has_a_price_an_interval_and_the_units_of_both(alice: APIClient, priced: ModelVersion) -> None:
    with pinned_queries("price of a home"):
        body = alice.post(PREDICT, HOME).json()
    assert set(body) == {"predicted_price", "currency", "area_unit", "interval", "coverage", "extrapolating",
                         "model", "version", "prediction_id"}  # fmt: skip
    low, high = body["interval"]
    assert 100_000 < low < body["predicted_price"] < high < 1_000_000
    assert (body["currency"], body["area_unit"], body["coverage"]) == ("USD", "sqft", 0.9)
    assert (body["model"], body["version"]) == ("network", priced.version)
    row = Prediction.objects.get(pk=UUID(body["prediction_id"]))
    assert (row.task, row.user_id, row.input["location"]) == ("price", alice.user.pk, "98101")
    assert row.output["predicted_price"] == body["predicted_price"]


def test_more_certainty_takes_a_wider_interval_around_the_same_price(alice: APIClient) -> None:
    narrow, wide = (alice.post(PREDICT, {**HOME, "coverage": coverage}).json() for coverage in (0.5, 0.99))
    assert narrow["predicted_price"] == wide["predicted_price"]
    assert wide["interval"][0] < narrow["interval"][0] < narrow["interval"][1] < wide["interval"][1]


def test_a_thousand_homes_are_answered_at_once_and_no_more(alice: APIClient) -> None:
    sent = [{**HOME, "sqft": 1_000 + number} for number in range(1_001)]
    results = alice.post(PREDICT, {"instances": sent[:-1]}).json()["results"]
    prices = [one["predicted_price"] for one in results]
    assert (len(prices), len(set(prices))) == (1_000, 1_000)
    assert prices[7] == alice.post(PREDICT, sent[7]).json()["predicted_price"]
    body = assert_problem(alice.post(PREDICT, {"instances": sent}), 400, "invalid", "instances")
    assert "Expected 1 to 1000 instances, got 1001." in body["detail"]


@pytest.mark.parametrize(
    ("change", "code", "bound"),
    [
        ({"sqft": 0}, "min_value", "20"),
        ({"sqft": -1_800}, "min_value", "20"),
        ({"sqft": 10**12}, "max_value", "100000"),
        ({"sqft": "large"}, "invalid", "number"),
        ({"sqft": None}, "null", "null"),
        ({"sqft": True}, "invalid", "number"),
        ({"sqft": "NaN"}, "invalid", "number"),
        ({"sqft": [1_800]}, "invalid", "number"),
        ({"bedrooms": -1}, "min_value", "0"),
        ({"bedrooms": 101}, "max_value", "100"),
        ({"bedrooms": 2.5}, "invalid", "integer"),
        ({"bedrooms": False}, "invalid", "integer"),
        ({"bedrooms": None}, "null", "null"),
        ({"bedrooms": "three"}, "invalid", "integer"),
        ({"bathrooms": 0}, "min_value", "0.25"),
        ({"bathrooms": 1e9}, "max_value", "100"),
        ({"bathrooms": {}}, "invalid", "number"),
        ({"coverage": 1.5}, "max_value", "0.99"),
        ({"coverage": 0}, "min_value", "0.5"),
        ({"coverage": None}, "null", "null"),
        ({"location": 98101}, "invalid", "string"),
        ({"location": None}, "null", "null"),
        ({"location": ""}, "blank", "blank"),
        ({"location": " \t"}, "blank", "blank"),
        ({"location": "x" * 101}, "max_length", "100"),
        ({"location": "981\0"}, "null_characters_not_allowed", "Null"),
        ({"location": ["98101"]}, "invalid", "string"),
        ({"allow_unknown": "perhaps"}, "invalid", "boolean"),
        ({"allow_unknown": None}, "null", "null"),
        ({"bedroom": 3}, "unknown_field", "There are bedrooms, bathrooms, sqft, location"),
        ({"zipcode": "98101"}, "unknown_field", "There is no such field."),
    ],
)
def test_what_is_wrong_is_named_with_its_bound(alice: APIClient, change: dict[str, Any], code: str, bound: str) -> None:
    [field] = change
    for body, place in [
        ({**HOME, **change}, field),
        ({"instances": [HOME, {**HOME, **change}]}, f"instances.1.{field}"),
    ]:
        problem = assert_problem(alice.post(PREDICT, body), 400, "invalid", place)
        [error] = problem["errors"]
        assert error["code"] == code
        assert bound in error["detail"]
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("field", list(HOME))
def test_what_is_missing_is_named(alice: APIClient, field: str) -> None:
    sent = {name: value for name, value in HOME.items() if name != field}
    body = assert_problem(alice.post(PREDICT, sent), 400, "invalid", field)
    assert [error["code"] for error in body["errors"]] == ["required"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "1" + "0" * 400, "0x10", "1_800"])
def test_what_is_no_number_of_json_is_refused(alice: APIClient, number: str) -> None:
    body = json.dumps(HOME).replace("1800", number)
    assert_problem(alice.generic("POST", PREDICT, body, "application/json"), 400, "parse_error")


def test_a_lone_surrogate_is_refused(alice: APIClient) -> None:
    body = json.dumps({**HOME, "location": "\ud800"})
    assert_problem(alice.generic("POST", PREDICT, body, "application/json"), 400, "parse_error")


def test_of_many_fields_that_there_are_not_a_few_are_named_and_not_at_length(alice: APIClient) -> None:
    sent = HOME | {f"{number:02}" * 5_000: number for number in range(50)}
    body = assert_problem(alice.post(PREDICT, sent), 400, "invalid")
    assert len(body["errors"]) == 5
    assert all(len(error["field"]) == 100 for error in body["errors"])


@pytest.mark.parametrize("sent", [[HOME], "home", 7, None, [], {"instances": [[HOME]]}, {"instances": ["home"]}])
def test_what_is_no_home_is_refused(alice: APIClient, sent: Any) -> None:
    assert_problem(alice.post(PREDICT, sent), 400, "invalid")


@pytest.mark.parametrize(
    ("change", "beyond"),
    [
        ({}, False),
        ({"bedrooms": 60}, True),
        ({"bathrooms": 0.25}, True),
        ({"sqft": 100_000}, True),
        ({"sqft": 20}, True),
    ],
)
def test_it_is_said_whether_the_home_lies_beyond_the_examples(
    alice: APIClient, change: dict[str, Any], beyond: bool
) -> None:
    assert alice.post(PREDICT, {**HOME, **change}).json()["extrapolating"] is beyond


def test_only_who_is_logged_in_is_answered(visitor: APIClient) -> None:
    assert_problem(visitor.post(PREDICT, HOME), 401, "not_authenticated")
