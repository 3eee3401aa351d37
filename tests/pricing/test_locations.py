"""Places that the live version knows: listed for anyone, and the only ones that are priced unless any is allowed."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from experiments.models import ModelVersion, Prediction
from tests.pricing.conftest import LEVELS
from tests.problems import assert_problem
from tests.queries import pinned_queries
from tests.shop import API

pytestmark = pytest.mark.django_db
LOCATIONS, PREDICT = f"{API}/models/price/locations/", f"{API}/predict/price/"
HOME = {"bedrooms": 3, "bathrooms": 2.0, "sqft": 1_800, "location": "98101"}


def test_they_are_listed_for_anyone(visitor: APIClient, priced: ModelVersion) -> None:
    with pinned_queries("locations of price"):
        answer = visitor.get(LOCATIONS)
    assert answer.json() == {"version": priced.version, "count": 4, "locations": sorted(LEVELS)}
    assert visitor.get(LOCATIONS, HTTP_IF_NONE_MATCH=answer["ETag"]).status_code == 304


def test_they_are_listed_of_either_algorithm(
    visitor: APIClient, live: Callable[..., ModelVersion], fitted: Callable[..., Any]
) -> None:
    for algorithm in ("network", "boosting"):
        row = live("price", predictor=fitted("price", algorithm), algorithm=algorithm)
        body = visitor.get(LOCATIONS).json()
        assert body == {"version": row.version, "count": 4, "locations": ["Harbour", "Hill", "Meadow", "Station"]}


def test_without_a_live_version_there_are_none(visitor: APIClient) -> None:
    assert_problem(visitor.get(LOCATIONS), 503, "model_unavailable")


@pytest.mark.parametrize("location", ["99999", "alone 0", "98101 ", "x" * 100])
def test_another_one_is_refused_with_how_many_there_are_and_where_they_are_listed(
    alice: APIClient, priced: ModelVersion, location: str
) -> None:
    body = assert_problem(alice.post(PREDICT, {**HOME, "location": location}), 400, "invalid", "location")
    [error] = body["errors"]
    assert error["code"] == "unknown"
    assert error["detail"] == (
        f"'{location}' is none of the 4 known locations. GET {LOCATIONS} lists them;"
        " allow_unknown: true answers for any other."
    )
    assert not Prediction.objects.exists()


def test_in_a_batch_its_place_is_named_and_nothing_is_answered(alice: APIClient, priced: ModelVersion) -> None:
    sent = [HOME, HOME, {**HOME, "location": "99999", "allow_unknown": True}, {**HOME, "location": "99999"}]
    body = assert_problem(alice.post(PREDICT, {"instances": sent}), 400, "invalid")
    assert [error["field"] for error in body["errors"]] == ["instances.3.location"]
    assert not Prediction.objects.exists()


def test_where_any_is_allowed_it_is_answered(alice: APIClient, priced: ModelVersion) -> None:
    answer = alice.post(PREDICT, {**HOME, "location": "99999", "allow_unknown": True})
    assert answer.status_code == 200
    assert answer.json()["predicted_price"] > 0
