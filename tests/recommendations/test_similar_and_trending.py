from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from experiments.models import Prediction
from reviews.models import Product
from reviews.trend import trends_rebuild
from tests import shop
from tests.problems import assert_problem
from tests.queries import pinned_queries
from tests.recommendations.conftest import ALL, ids

TRENDING = f"{shop.API}/products/trending/"
Shelf = dict[int, Product]


def similar(pk: object) -> str:
    return f"{shop.API}/products/{pk}/similar/"


def test_anyone_sees_what_is_similar_to_a_product(odd: APIClient, visitor: APIClient) -> None:
    body = visitor.get(similar(1), {"n": 3}).json()
    assert {one["id"] for one in body["recommendations"]} == {3, 5, 7}
    assert (body["method"], body["model"], body["degraded"]) == ("similar", "ease", False)
    for one in body["recommendations"]:
        assert one["reason"] == {"kind": "collaborative", "product": 1, "text": "Liked by those who like Lamp 1."}
    logged = Prediction.objects.get(pk=body["prediction_id"])
    assert (logged.method, logged.user_id, logged.status) == ("similar", None, "ok")


def test_a_customer_sees_the_same_similar_products_as_a_visitor(odd: APIClient, visitor: APIClient) -> None:
    """It is about the product, not about the customer, who has rated two of these."""
    assert ids(odd.get(similar(5))) == ids(visitor.get(similar(5)))
    assert Prediction.objects.filter(user_id=odd.user.pk, method="similar").count() == 1


def test_a_product_is_never_similar_to_itself(odd: APIClient, visitor: APIClient) -> None:
    for pk in (1, 13):
        assert sorted([*ids(visitor.get(similar(pk), {"n": 100})), pk]) == list(range(ALL))


def test_beside_a_product_that_nobody_rated_is_what_is_trending(odd: APIClient, visitor: APIClient) -> None:
    body = visitor.get(similar(13), {"n": 2}).json()
    assert [(one["id"], one["reason"]["kind"]) for one in body["recommendations"]] == [
        (12, "trending"),
        (11, "trending"),
    ]
    assert (body["method"], body["degraded"], body["shortfall"]) == ("similar", False, 0)


@pytest.mark.parametrize("pk", ["99", "999999999", "1" + "0" * 30])
def test_nothing_is_similar_to_an_unknown_product(odd: APIClient, visitor: APIClient, pk: str) -> None:
    assert_problem(visitor.get(similar(pk)), 404, "not_found")
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("n", ["0", "-1", "101", "1000000000", "x", "1.5"])
def test_n_out_of_its_bounds_is_refused(visitor: APIClient, shelf: Shelf, n: str) -> None:
    assert_problem(visitor.get(similar(1), {"n": n}), 400, "invalid", "n")
    assert_problem(visitor.get(TRENDING, {"n": n}), 400, "invalid", "n")


@pytest.mark.parametrize("n", [4, 6])
def test_the_number_of_queries_does_not_grow_with_n(odd: APIClient, visitor: APIClient, n: int) -> None:
    with pinned_queries("similar products"):
        ids(visitor.get(similar(1), {"n": n}))
    with pinned_queries("trending products"):
        ids(visitor.get(TRENDING, {"n": n}))


def test_anyone_sees_what_is_trending(shelf: Shelf, visitor: APIClient) -> None:
    body = visitor.get(TRENDING, {"n": 2}).json()
    assert body == {
        "recommendations": [visitor.get(f"{shop.API}/products/{pk}/").json() for pk in (13, 12)],
        "method": "trending",
    }


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"category": "new", "n": 3}, [13, 12, 11]),
        ({"category": "known", "n": 3}, [0, 1, 2]),
        ({"price_max": 9}, [9, 8, 1, 2, 3, 4, 5, 6, 7]),
        ({"price_min": 9, "price_max": 10}, [10, 9]),
        ({"category": "none"}, []),
        ({"category": "", "price_max": "", "n": "2"}, [13, 12]),
    ],
)
def test_what_is_trending_can_be_filtered(
    shelf: Shelf, visitor: APIClient, filters: dict[str, Any], found: list[int]
) -> None:
    assert ids(visitor.get(TRENDING, filters)) == found


def test_new_interest_outweighs_old(db: None, visitor: APIClient) -> None:
    last_year, this_week, long_ago = (shop.product(name) for name in ("last year", "this week", "long ago"))
    now = timezone.now()
    for _ in range(20):
        shop.event(last_year, "purchase", created_at=now - timedelta(days=365))
    shop.event(long_ago, "view", created_at=datetime(1996, 3, 29, tzinfo=UTC))
    untouched = shop.product("untouched")
    shop.event(this_week, "view", created_at=now - timedelta(days=2))
    trends_rebuild()
    assert ids(visitor.get(TRENDING)) == [this_week.pk, last_year.pk, long_ago.pk, untouched.pk]
