"""The shop still works where the model cannot answer, and says so."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from rest_framework.test import APIClient

from experiments import serving
from experiments.models import ModelVersion, Prediction
from reviews.models import Product
from tests import shop
from tests.recommendations.conftest import ids

PATH = f"{shop.API}/products/recommendations/"


def not_live() -> None:
    ModelVersion.objects.update(live=False)
    serving.refresh()


def artifact_lost() -> None:
    version = ModelVersion.objects.get()
    serving._loaded.clear()
    shutil.rmtree(project.DATA_DIR / "cache")
    shutil.rmtree(Path(project.STORAGES["models"]["OPTIONS"]["location"]) / version.artifact)


def fails() -> None:
    serving.live("recommend").predictor.places = None


@pytest.fixture(params=[not_live, artifact_lost, fails])
def broken(odd: APIClient, request: Any) -> APIClient:
    request.param()
    return odd


def test_a_customer_sees_what_is_trending(broken: APIClient) -> None:
    answer = broken.get(PATH, {"n": 3})
    assert ids(answer) == [13, 12, 11]
    body = answer.json()
    assert (body["method"], body["model"], body["version"]) == ("trending_fallback", "trending_fallback", None)
    assert (body["degraded"], body["shortfall"]) == (True, 0)
    assert {one["reason"]["kind"] for one in body["recommendations"]} == {"trending"}
    logged = Prediction.objects.get(pk=body["prediction_id"])
    assert (logged.status, logged.method, logged.user_id) == ("fallback", "trending_fallback", broken.user.pk)
    assert [one["product"] for one in logged.output["products"]] == [13, 12, 11]


def test_filters_and_what_one_has_seen_still_count(broken: APIClient, shelf: dict[int, Product]) -> None:
    shop.event(shelf[12], "purchase", by=broken.user)
    answer = broken.post(f"{shop.API}/recommend/", {"n": 9, "filters": {"price_min": 10}})
    assert ids(answer) == [13, 11, 10]
    assert (answer.json()["degraded"], answer.json()["shortfall"]) == (True, 6)
    assert set(ids(broken.get(PATH, {"n": 100}))) == set(shelf) - {0, 1, 3, 12}


def test_every_route_of_the_model_falls_back(broken: APIClient, visitor: APIClient) -> None:
    assert broken.post(f"{shop.API}/recommend/collaborative/", {}).json()["method"] == "trending_fallback"
    answer = visitor.get(f"{shop.API}/products/13/similar/?n=2")
    assert ids(answer) == [12, 11]
    assert (answer.json()["method"], answer.json()["degraded"]) == ("trending_fallback", True)


def test_a_failure_is_in_the_log_beside_its_fallback(odd: APIClient) -> None:
    fails()
    odd.get(PATH)
    logged = list(Prediction.objects.order_by("id").values_list("status", "method"))
    assert logged == [("error", ""), ("error", ""), ("fallback", "trending_fallback")]


def test_the_model_answers_again_when_it_is_back(odd: APIClient, live: Callable[..., ModelVersion]) -> None:
    fails()
    assert odd.get(PATH).json()["degraded"] is True
    live("recommend")
    assert odd.get(PATH).json()["degraded"] is False
