"""The two routes for the caller go through the running A/B test; the named ones never do."""

import pytest
from rest_framework.test import APIClient

from experiments import serving
from experiments.models import ABTest, Exposure, Prediction
from tests import shop
from tests.recommendations.conftest import ids

PATH = f"{shop.API}/products/recommendations/"


@pytest.fixture
def words_alone(odd: APIClient) -> ABTest:
    """A test whose one variant recommends by words alone."""
    test = ABTest.objects.create(name="words", task="recommend", state="running")
    test.variants.create(name="words", config={"weights": {"content": 1.0}})
    serving.refresh()
    return test


def test_both_routes_serve_the_callers_variant_and_note_the_exposure(odd: APIClient, words_alone: ABTest) -> None:
    got, posted = odd.get(PATH, {"n": 2}), odd.post(f"{shop.API}/recommend/", {"n": 2})
    assert ids(got) == ids(posted)
    assert (got.json()["method"], posted.json()["method"]) == ("content", "content")
    assert set(Prediction.objects.values_list("variant", flat=True)) == {"words"}
    exposure = Exposure.objects.get()
    assert (exposure.user_id, str(exposure.prediction_id)) == (odd.user.pk, got.json()["prediction_id"])


@pytest.mark.parametrize(
    ("path", "body"),
    [("recommend/collaborative/", {}), ("recommend/hybrid/", {}), ("recommend/content/", {"product_id": 1})],
)
def test_the_named_routes_take_no_part(odd: APIClient, words_alone: ABTest, path: str, body: dict[str, int]) -> None:
    assert odd.post(f"{shop.API}/{path}", body).status_code == 200
    assert (Prediction.objects.get().variant, Exposure.objects.count()) == ("", 0)


def test_similar_products_take_no_part(odd: APIClient, words_alone: ABTest) -> None:
    odd.get(f"{shop.API}/products/1/similar/")
    assert not Exposure.objects.exists()


def test_whom_nothing_is_known_of_is_not_exposed(mallory: APIClient, words_alone: ABTest) -> None:
    assert mallory.get(PATH).json()["method"] == "trending"
    assert not Exposure.objects.exists()


def test_a_failing_variant_exposes_nobody(odd: APIClient, words_alone: ABTest) -> None:
    serving.live("recommend").predictor.places = None
    assert odd.get(PATH).json()["degraded"] is True
    assert not Exposure.objects.exists()


def test_what_stands_in_for_a_failing_variant_is_logged_by_its_name(odd: APIClient, words_alone: ABTest) -> None:
    """Else nobody would see how often it happens to which variant."""
    serving.live("recommend").predictor.places = None
    odd.get(PATH)
    odd.post(f"{shop.API}/recommend/collaborative/", {})
    logged = Prediction.objects.order_by("id").values_list("status", "variant")
    assert list(logged) == [
        *[("error", "words")] * 2, ("fallback", "words"), *[("error", "")] * 2, ("fallback", ""),
    ]  # fmt: skip


def test_filters_that_need_a_wider_ranking_are_answered_by_the_same_variant(
    odd: APIClient, words_alone: ABTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommendations.services.WIDER", 1)
    answer = odd.get(PATH, {"n": 1, "price_min": 7, "price_max": 7})
    assert (ids(answer), answer.json()["method"]) == ([7], "content")
