"""What a customer is recommended: GET products/recommendations/, POST recommend/ and POST recommend/collaborative/."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from experiments.models import ModelVersion, Prediction
from recommendations import selectors
from reviews.models import Product
from tests import shop
from tests.problems import assert_problem
from tests.queries import pinned_queries
from tests.recommendations.conftest import ALL, ids

PATH = f"{shop.API}/products/recommendations/"
POST = f"{shop.API}/recommend/"
COLLABORATIVE = f"{shop.API}/recommend/collaborative/"
Shelf = dict[int, Product]
Live = Callable[..., ModelVersion]


def test_products_of_ones_taste_come_first_each_with_its_reason(odd: APIClient, shelf: Shelf) -> None:
    body = odd.get(PATH, {"n": 2}).json()
    version = ModelVersion.objects.get()
    assert {name: value for name, value in body.items() if name != "recommendations"} == {
        "method": "hybrid",
        "model": "ease",
        "version": version.version,
        "prediction_id": str(Prediction.objects.get().pk),
        "degraded": False,
        "shortfall": 0,
    }
    assert {one["id"] for one in body["recommendations"]} == {5, 7}
    first, second = body["recommendations"]
    assert first["score"] >= second["score"] > 0
    product = odd.get(f"{shop.API}/products/{first['id']}/").json()
    because = first["reason"]["product"]
    assert because in (1, 3)
    assert first == {
        **product,
        "score": first["score"],
        "predicted_rating": first["predicted_rating"],
        "similarity_score": first["similarity_score"],
        "reason": {"kind": "collaborative", "product": because, "text": f"Liked by those who like Lamp {because}."},
    }
    assert 3.5 < first["predicted_rating"] <= 5
    assert 0 < first["similarity_score"] <= 1


def test_what_the_model_does_not_know_follows_by_what_is_trending(odd: APIClient) -> None:
    answer = odd.get(PATH, {"n": 8})
    assert set(ids(answer)[:2]) == {5, 7}
    assert set(ids(answer)[2:5]) == {2, 4, 6}
    assert ids(answer)[5:] == [13, 12, 11]
    assert answer.json()["recommendations"][5] == {
        **odd.get(f"{shop.API}/products/13/").json(),
        "score": None,
        "predicted_rating": None,
        "similarity_score": None,
        "reason": {"kind": "trending", "text": "Many customers look at this now."},
    }


@pytest.mark.parametrize("filters", [{}, {"category": "new"}, {"price_min": 4, "price_max": 7.5}])
def test_both_routes_give_the_same(odd: APIClient, filters: dict[str, Any]) -> None:
    got = odd.get(PATH, {"n": 4, **filters}).json()
    posted = odd.post(POST, {"n": 4, "filters": filters}).json()
    assert posted.pop("prediction_id") != got.pop("prediction_id")
    assert posted == got
    assert len(got["recommendations"]) + got["shortfall"] == 4


def test_the_collaborative_route_gives_the_models_answer(odd: APIClient) -> None:
    assert ids(odd.post(COLLABORATIVE, {"n": 3})) == ids(odd.get(PATH, {"n": 3}))
    assert odd.post(COLLABORATIVE, {}).json()["method"] == "collaborative"


def test_ten_are_given_where_nobody_says_how_many(odd: APIClient) -> None:
    assert [len(ids(answer)) for answer in (odd.get(PATH), odd.get(f"{PATH}?n="), odd.post(POST, {}))] == [10, 10, 10]


@pytest.mark.parametrize("rated", [0, 1, 2])
def test_with_fewer_than_three_ratings_one_sees_what_is_trending(
    alice: APIClient, shelf: Shelf, live: Live, rated: int
) -> None:
    live("recommend")
    for number in range(rated):
        shop.rating(shelf[13 - number], 5.0, by=alice.user)
    body = alice.get(PATH, {"n": 3}).json()
    assert [one["id"] for one in body["recommendations"]] == [13 - rated, 12 - rated, 11 - rated]
    assert (body["method"], body["model"], body["version"], body["degraded"]) == ("trending", "trending", None, False)
    logged = Prediction.objects.get()
    assert (str(logged.pk), logged.method, logged.status) == (body["prediction_id"], "trending", "ok")
    assert [one["product"] for one in logged.output["products"]] == [13 - rated, 12 - rated, 11 - rated]


def test_a_rating_counts_in_the_next_request_without_training(alice: APIClient, shelf: Shelf, live: Live) -> None:
    live("recommend")

    def rate(product: int, value: float) -> None:
        sent = alice.post(f"{shop.API}/ratings/", {"product": product, "value": value})
        assert sent.status_code in (200, 201)

    rate(0, 1)
    rate(1, 5)
    assert alice.get(PATH).json()["method"] == "trending"
    rate(3, 5)
    assert set(ids(alice.get(PATH))[:2]) == {5, 7}
    rate(5, 5)
    assert ids(alice.get(PATH))[0] == 7
    for product, value in ((0, 5), (2, 5), (1, 1), (3, 1), (5, 1)):
        rate(product, value)
    assert set(ids(alice.get(PATH))[:2]) == {4, 6}


def test_what_one_rated_or_bought_is_never_recommended(odd: APIClient, shelf: Shelf) -> None:
    shop.rating(shelf[13], 0.5, by=odd.user)
    for product, kind in ((5, "purchase"), (12, "purchase"), (7, "view"), (11, "cart"), (10, "click")):
        shop.event(shelf[product], kind, by=odd.user)
    for answer in (odd.get(PATH, {"n": 100}), odd.post(COLLABORATIVE, {"n": 100})):
        assert set(ids(answer)) == set(range(ALL)) - {0, 1, 3, 13, 5, 12}


def test_what_others_did_excludes_nothing(odd: APIClient, shelf: Shelf) -> None:
    before = ids(odd.get(PATH, {"n": 100}))
    for product in (5, 13):
        shop.event(shelf[product], "purchase")
        shop.rating(shelf[product], 1.0)
    assert ids(odd.get(PATH, {"n": 100})) == before


def test_not_even_what_one_rated_or_bought_long_ago_is_recommended(
    odd: APIClient, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond as many rows as the model is told of."""
    monkeypatch.setattr(selectors, "MOST_ROWS", 3)
    for product in (13, 12, 7, 5):
        shop.event(shelf[product], "purchase", by=odd.user)
    for product in (2, 4, 6, 8):
        shop.rating(shelf[product], 5.0, by=odd.user)
    assert sorted(ids(odd.get(PATH, {"n": 100}))) == [9, 10, 11]


@pytest.mark.parametrize(
    ("filters", "matching"),
    [
        ({"category": "known"}, {2, 4, 5, 6, 7}),
        ({"category": "new"}, {8, 9, 10, 11, 12, 13}),
        ({"category": ""}, {2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}),
        ({"price_min": 7}, {7, 8, 9, 10, 11, 12, 13}),
        ({"price_max": 5}, {2, 4, 5}),
        ({"price_max": 4.99}, {2, 4}),
        ({"price_min": 6.5, "price_max": 9, "category": "new"}, {8, 9}),
        ({"price_min": 9, "price_max": 6}, set()),
        ({"category": "none"}, set()),
        ({"category": "Known"}, set()),
    ],
)
@pytest.mark.parametrize("n", [1, 2, 5, 50])
def test_with_filters_there_are_exactly_n_while_n_match_and_a_shortfall_otherwise(
    odd: APIClient, filters: dict[str, Any], matching: set[int], n: int
) -> None:
    answer = odd.post(POST, {"n": n, "filters": filters})
    found = ids(answer)
    assert len(found) == len(set(found)) == min(n, len(matching))
    assert set(found) <= matching
    assert answer.json()["shortfall"] == n - len(found)
    if 5 in matching and n >= 2:
        assert 5 in found[:2]


def test_a_shop_without_products_gives_an_honest_nothing(alice: APIClient) -> None:
    body = alice.get(PATH, {"n": 7}).json()
    assert (body["recommendations"], body["shortfall"], body["degraded"]) == ([], 7, False)


def test_a_product_deleted_since_the_training_never_appears(odd: APIClient, staff: APIClient) -> None:
    [first, *others] = ids(odd.get(PATH, {"n": 5}))
    assert staff.delete(f"{shop.API}/products/{first}/").status_code == 204
    assert ids(odd.get(PATH, {"n": 5})) == [*others, 13]


def test_the_order_is_the_same_each_time(odd: APIClient) -> None:
    assert len({tuple(ids(odd.get(PATH, {"n": 11}))) for _ in range(5)}) == 1


def test_equally_wanted_products_are_in_order_of_id(alice: APIClient, shelf: Shelf) -> None:
    for pk in (9, 3, 12, 0):  # their rows now lie elsewhere in the table
        Product.objects.filter(pk=pk).update(trend=3)
    Product.objects.exclude(trend=3).update(trend=3)
    assert ids(alice.get(PATH, {"n": 14})) == list(range(14))


@pytest.mark.parametrize("n", [0, -1, 101, 10**9, 10**30, "x", "1.5", "NaN", "\0"])
def test_n_out_of_its_bounds_is_refused(odd: APIClient, n: object) -> None:
    assert_problem(odd.get(PATH, {"n": n}), 400, "invalid", "n")
    assert_problem(odd.post(POST, {"n": n}), 400, "invalid", "n")
    assert_problem(odd.post(COLLABORATIVE, {"n": n}), 400, "invalid", "n")
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("n", [True, None, [], {}])
def test_n_that_is_no_number_is_refused(odd: APIClient, n: object) -> None:
    assert_problem(odd.post(POST, {"n": n}), 400, "invalid", "n")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("category", "x" * 101),
        ("category", "a\0"),
        ("price_min", -1),
        ("price_min", 1e11),
        ("price_max", "x"),
        ("price_max", "NaN"),
        ("price_max", "Infinity"),
    ],
)
def test_a_filter_out_of_its_bounds_is_refused(odd: APIClient, field: str, value: object) -> None:
    assert_problem(odd.get(PATH, {field: value}), 400, "invalid", field)
    assert_problem(odd.post(POST, {"filters": {field: value}}), 400, "invalid", f"filters.{field}")


@pytest.mark.parametrize(
    "filters", [None, [], "new", 5, {"category": None}, {"category": ["new"]}, {"price_max": True}]
)
def test_filters_that_are_none_are_refused(odd: APIClient, filters: object) -> None:
    answer = odd.post(POST, {"filters": filters})
    assert_problem(answer, 400, "invalid")
    assert answer.json()["errors"][0]["field"].startswith("filters")


def test_staff_alone_may_ask_for_somebody_else(odd: APIClient, mallory: APIClient, staff: APIClient) -> None:
    mine = ids(odd.post(COLLABORATIVE, {"n": 4}))
    assert ids(odd.post(COLLABORATIVE, {"n": 4, "user_id": odd.user.pk})) == mine
    assert ids(staff.post(COLLABORATIVE, {"n": 4, "user_id": odd.user.pk})) == mine
    refused = assert_problem(mallory.post(COLLABORATIVE, {"user_id": odd.user.pk}), 403, "permission_denied")
    unknown = assert_problem(mallory.post(COLLABORATIVE, {"user_id": 999_999_999}), 403, "permission_denied")
    assert refused["detail"] == unknown["detail"]
    for pk in (999_999_999, 0, -1):
        assert_problem(staff.post(COLLABORATIVE, {"user_id": pk}), 404, "not_found")


@pytest.mark.parametrize("user_id", ["x", 1.5, 10**30, True, None, []])
def test_a_user_id_that_is_none_is_refused(odd: APIClient, staff: APIClient, user_id: object) -> None:
    assert_problem(staff.post(COLLABORATIVE, {"user_id": user_id}), 400, "invalid", "user_id")


def test_visitors_are_recommended_nothing(visitor: APIClient) -> None:
    for answer in (visitor.get(PATH), visitor.post(POST, {}), visitor.post(COLLABORATIVE, {})):
        assert_problem(answer, 401, "not_authenticated")


def test_the_log_holds_what_was_asked_answered_and_by_which_method(odd: APIClient, shelf: Shelf) -> None:
    shop.event(shelf[9], "purchase", by=odd.user)
    odd.get(PATH, {"n": 2, "category": "known"})
    logged = Prediction.objects.get()
    assert (logged.task, logged.method, logged.user_id) == ("recommend", "hybrid", odd.user.pk)
    assert (logged.algorithm, logged.status) == ("ease", "ok")
    assert logged.input == {
        "history": [{"product": 3, "value": 4.5}, {"product": 1, "value": 5.0}, {"product": 0, "value": 1.0}],
        "events": [{"product": 9, "kind": "purchase"}],
        "n": 20,
        "weights": None,
        "exclude": [9],
        "allowed": None,
        "newcomers": {"products": [], "like": [], "similarity": []},
    }
    assert {one["product"] for one in logged.output["products"]} == {5, 7}


def test_the_log_holds_all_that_was_answered_also_what_is_there_because_it_is_trending(odd: APIClient) -> None:
    answered = ids(odd.get(PATH, {"n": 5}))
    assert [one["product"] for one in Prediction.objects.get().output["products"]] == answered
    assert len(answered) == 5


@pytest.mark.parametrize("n", [3, 5, 10, 100])
@pytest.mark.parametrize("filters", [{}, {"price_max": 1000}])
def test_the_number_of_queries_does_not_grow_with_n(
    odd: APIClient, mallory: APIClient, n: int, filters: dict[str, Any]
) -> None:
    """The history, the products, the log; one more where the model knows fewer than n."""
    with pinned_queries(f"recommendations of the model{', filled up' if n > 5 else ''}"):
        assert len(ids(odd.get(PATH, {"n": n, **filters}))) >= 3
    with pinned_queries("recommendations of what is trending"):
        assert len(ids(mallory.get(PATH, {"n": n, **filters}))) >= 3
