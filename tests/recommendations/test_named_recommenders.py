"""The parts by themselves: POST recommend/collaborative/, recommend/content/ and recommend/hybrid/."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from experiments.models import ModelVersion, Prediction
from reviews.models import Product
from tests import shop
from tests.problems import assert_problem
from tests.queries import pinned_queries
from tests.recommendations.conftest import ALL, ids

COLLABORATIVE = f"{shop.API}/recommend/collaborative/"
CONTENT = f"{shop.API}/recommend/content/"
HYBRID = f"{shop.API}/recommend/hybrid/"
Shelf = dict[int, Product]


def test_the_collaborative_part_answers_alone(odd: APIClient) -> None:
    body = odd.post(COLLABORATIVE, {"n": 2}).json()
    assert {one["id"] for one in body["recommendations"]} == {5, 7}
    assert (body["method"], body["model"], body["degraded"]) == ("collaborative", "ease", False)
    assert {one["reason"]["kind"] for one in body["recommendations"]} == {"collaborative"}
    assert Prediction.objects.get().input["weights"] == {"collaborative": 1.0, "content": 0.0, "trending": 0.0}


def test_content_is_like_the_product_that_is_named(odd: APIClient) -> None:
    body = odd.post(CONTENT, {"product_id": 2, "n": 2}).json()
    assert {one["id"] for one in body["recommendations"]} == {4, 6}
    assert body["method"] == "content"
    assert body["recommendations"][0]["reason"] == {"kind": "content", "product": 2, "text": "Similar to Lamp 2."}
    assert body["recommendations"][0]["similarity_score"] == pytest.approx(1, abs=1e-5)


def test_content_leaves_out_the_product_itself_and_what_one_rated_or_bought(odd: APIClient, shelf: Shelf) -> None:
    shop.event(shelf[12], "purchase", by=odd.user)
    assert set(ids(odd.post(CONTENT, {"product_id": 5, "n": 100}))) == set(range(ALL)) - {5, 0, 1, 3, 12}


def test_content_needs_no_history(mallory: APIClient, shelf: Shelf, live: Callable[..., ModelVersion]) -> None:
    live("recommend")
    body = mallory.post(CONTENT, {"product_id": 2, "n": 3}).json()
    assert ({one["id"] for one in body["recommendations"]}, body["method"]) == ({0, 4, 6}, "content")


def test_content_beside_a_product_without_words_or_likes_is_what_is_trending(odd: APIClient) -> None:
    body = odd.post(CONTENT, {"product_id": 13, "n": 2}).json()
    assert ([one["id"] for one in body["recommendations"]], body["method"]) == ([12, 11], "trending")


def test_the_hybrid_blends_as_it_learned_or_as_it_is_told(odd: APIClient) -> None:
    learned = odd.post(HYBRID, {"n": 2}).json()
    assert (learned["method"], {one["id"] for one in learned["recommendations"]}) == ("hybrid", {5, 7})
    told = odd.post(HYBRID, {"n": 2, "weights": {"collaborative": 1, "content": 2}}).json()
    assert (told["method"], {one["id"] for one in told["recommendations"]}) == ("hybrid", {5, 7})
    alone = odd.post(HYBRID, {"n": 2, "weights": {"content": 0.5}}).json()
    assert alone["method"] == "content"
    assert Prediction.objects.filter(input__weights__content=0.5).count() == 1


@pytest.mark.parametrize("value", [-1, -0.0001, "NaN", "Infinity", 1000.5, "x", None, [], True])
@pytest.mark.parametrize("name", ["collaborative", "content", "trending"])
def test_a_weight_out_of_its_bounds_is_refused(odd: APIClient, name: str, value: object) -> None:
    assert_problem(odd.post(HYBRID, {"weights": {name: value}}), 400, "invalid", f"weights.{name}")
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("weights", [{}, {"content": 0}, {"collaborative": 0, "content": 0.0, "trending": 0}])
def test_weights_that_are_all_zero_are_refused(odd: APIClient, weights: dict[str, float]) -> None:
    problem = assert_problem(odd.post(HYBRID, {"weights": weights}), 400, "invalid", "weights")
    assert "at least one weight over 0" in problem["detail"]


@pytest.mark.parametrize("weights", [[], "content", 7, None])
def test_weights_that_are_none_are_refused(odd: APIClient, weights: object) -> None:
    assert_problem(odd.post(HYBRID, {"weights": weights}), 400, "invalid", "weights")


@pytest.mark.parametrize("path", [COLLABORATIVE, HYBRID])
def test_staff_alone_may_ask_for_somebody_else(odd: APIClient, mallory: APIClient, staff: APIClient, path: str) -> None:
    mine = ids(odd.post(path, {"n": 4}))
    assert ids(staff.post(path, {"n": 4, "user_id": odd.user.pk})) == mine
    assert_problem(mallory.post(path, {"user_id": odd.user.pk}), 403, "permission_denied")
    assert_problem(staff.post(path, {"user_id": 999_999_999}), 404, "not_found")


@pytest.mark.parametrize("product_id", [99, 999_999_999, -1])
def test_content_of_an_unknown_product_is_not_found_by_name(odd: APIClient, product_id: int) -> None:
    problem = assert_problem(odd.post(CONTENT, {"product_id": product_id}), 404, "not_found")
    assert problem["detail"] == f"product_id: there is no product {product_id}."


@pytest.mark.parametrize("product_id", ["x", 1.5, 10**30, True, None, []])
def test_a_product_id_that_is_none_is_refused(odd: APIClient, product_id: object) -> None:
    assert_problem(odd.post(CONTENT, {"product_id": product_id}), 400, "invalid", "product_id")


def test_content_without_a_product_is_refused(odd: APIClient) -> None:
    assert_problem(odd.post(CONTENT, {}), 400, "invalid", "product_id")


@pytest.mark.parametrize("n", [0, -1, 101, 10**9])
@pytest.mark.parametrize(("path", "body"), [(COLLABORATIVE, {}), (CONTENT, {"product_id": 1}), (HYBRID, {})])
def test_n_out_of_its_bounds_is_refused(odd: APIClient, path: str, body: dict[str, Any], n: int) -> None:
    assert_problem(odd.post(path, {**body, "n": n}), 400, "invalid", "n")


def test_visitors_are_recommended_nothing(visitor: APIClient) -> None:
    for path in (COLLABORATIVE, CONTENT, HYBRID):
        assert_problem(visitor.post(path, {}), 401, "not_authenticated")


def test_the_number_of_queries_is_small(odd: APIClient) -> None:
    with pinned_queries("content beside a product"):
        odd.post(CONTENT, {"product_id": 2, "n": 2})
