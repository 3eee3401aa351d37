import json

import pytest
from rest_framework.test import APIClient

from experiments.models import Outcome
from reviews.models import Product, Rating
from tests import shop
from tests.concurrency import at_once
from tests.problems import assert_problem
from tests.queries import pinned_queries

RATINGS = f"{shop.API}/ratings/"

pytestmark = pytest.mark.django_db


def test_a_first_rating_is_created_and_a_second_one_replaces_it(alice: APIClient) -> None:
    lamp = shop.product()
    first = alice.post(RATINGS, {"product": lamp.pk, "value": 4.5})
    assert first.status_code == 201
    assert first.json() == {
        "id": Rating.objects.get().pk,
        "product": lamp.pk,
        "value": 4.5,
        "rated_at": first.json()["rated_at"],
    }
    second = alice.post(RATINGS, {"product": lamp.pk, "value": 2})
    assert second.status_code == 200
    assert second.json() == {**first.json(), "value": 2.0, "rated_at": second.json()["rated_at"]}
    assert second.json()["rated_at"] > first.json()["rated_at"]
    assert Rating.objects.get().value == 2


def test_every_rating_is_an_outcome(alice: APIClient) -> None:
    lamp = shop.product()
    for value in (4.5, 2):
        alice.post(RATINGS, {"product": lamp.pk, "value": value})
    facts = ("kind", "subject", "value", "user_id", "prediction_id")
    assert list(Outcome.objects.order_by("id").values_list(*facts)) == [
        ("rating", f"product:{lamp.pk}", 4.5, alice.user.pk, None),
        ("rating", f"product:{lamp.pk}", 2.0, alice.user.pk, None),
    ]


def test_only_a_first_rating_that_shows_interest_adds_to_the_trend(alice: APIClient) -> None:
    def trend_after(product: Product, value: float) -> float:
        alice.post(RATINGS, {"product": product.pk, "value": value})
        product.refresh_from_db()
        return product.trend

    lamp = shop.product()
    first = trend_after(lamp, 4.5)
    assert first > 0
    assert trend_after(lamp, 5) == first
    assert trend_after(shop.product(), 2) == 0


@pytest.mark.django_db(transaction=True)
def test_twenty_ratings_at_once_leave_one_row(alice: APIClient) -> None:
    lamp = shop.product()
    calls = [lambda half=half: alice.post(RATINGS, {"product": lamp.pk, "value": half / 2}) for half in range(1, 11)]
    answers = at_once(*calls, *calls)
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    row = Rating.objects.get()
    assert {answer.json()["id"] for answer in answers} == {row.pk}
    assert row.value in {answer.json()["value"] for answer in answers}
    assert Outcome.objects.count() == 20


@pytest.mark.parametrize("value", [half / 2 for half in range(1, 11)] + ["4.5"])
def test_halves_from_a_half_to_five_are_kept(alice: APIClient, value: object) -> None:
    assert alice.post(RATINGS, {"product": shop.product().pk, "value": value}).status_code == 201
    assert Rating.objects.get().value == float(value)


@pytest.mark.parametrize(
    "value", [0, 0.25, 5.5, 3.3, -1, "NaN", "Infinity", True, False, None, "", "x", [4], {}, 10**30, 1e308, 4.0000001]
)
def test_a_value_that_is_no_half_is_refused(alice: APIClient, value: object) -> None:
    body = json.dumps({"product": shop.product().pk, "value": value})
    assert_problem(alice.generic("POST", RATINGS, body, "application/json"), 400, "invalid", "value")
    assert not Rating.objects.exists()


@pytest.mark.parametrize("product", [0, -1, 999_999_999, 10**30, 1.5, True, None, "", "x", "1\0", [1], {"id": 1}])
def test_a_product_that_is_none_is_refused(alice: APIClient, product: object) -> None:
    shop.product(pk=1)
    body = json.dumps({"product": product, "value": 4})
    assert_problem(alice.generic("POST", RATINGS, body, "application/json"), 400, "invalid", "product")
    assert not Rating.objects.exists()


def test_one_sees_only_ones_own_ratings_newest_first(alice: APIClient, mallory: APIClient, staff: APIClient) -> None:
    lamp, shade = shop.product(), shop.product()
    for product, value in ((lamp, 4), (shade, 5)):
        alice.post(RATINGS, {"product": product.pk, "value": value})
    mallory.post(RATINGS, {"product": lamp.pk, "value": 1})
    page = alice.get(RATINGS).json()
    assert page["count"] == 2
    assert [(one["product"], one["value"]) for one in page["results"]] == [(shade.pk, 5.0), (lamp.pk, 4.0)]
    assert [one["value"] for one in alice.get(f"{RATINGS}?product={lamp.pk}").json()["results"]] == [4.0]
    assert [one["value"] for one in alice.get(f"{RATINGS}?ordering=value").json()["results"]] == [4.0, 5.0]
    assert staff.get(RATINGS).json()["results"] == []


@pytest.mark.parametrize("product", ["x", "999999999", "1" + "0" * 30, "%00"])
def test_a_filter_by_a_product_that_is_none_is_refused(alice: APIClient, product: str) -> None:
    assert_problem(alice.get(f"{RATINGS}?product={product}"), 400, "invalid", "product")


def test_one_deletes_only_ones_own_rating(alice: APIClient, mallory: APIClient, visitor: APIClient) -> None:
    made = alice.post(RATINGS, {"product": shop.product().pk, "value": 4}).json()
    path = f"{RATINGS}{made['id']}/"
    assert_problem(mallory.delete(path), 404, "not_found")
    assert_problem(visitor.delete(path), 401, "not_authenticated")
    assert Rating.objects.exists()
    assert alice.delete(path).status_code == 204
    assert not Rating.objects.exists()
    assert_problem(alice.delete(path), 404, "not_found")


def test_visitors_have_no_ratings(visitor: APIClient) -> None:
    assert_problem(visitor.get(RATINGS), 401, "not_authenticated")
    assert_problem(visitor.post(RATINGS, {"product": shop.product().pk, "value": 4}), 401, "not_authenticated")


def test_a_rating_is_read_and_changed_only_through_the_list(alice: APIClient) -> None:
    path = f"{RATINGS}{shop.rating(shop.product(), by=alice.user).pk}/"
    for method in (alice.get, alice.put, alice.patch):
        assert_problem(method(path), 405, "method_not_allowed")


@pytest.mark.parametrize("count", [1, 20])
def test_the_number_of_queries_does_not_grow_with_the_ratings(alice: APIClient, count: int) -> None:
    for _ in range(count):
        shop.rating(shop.product(), by=alice.user)
    with pinned_queries("ratings list"):
        assert len(alice.get(RATINGS).json()["results"]) == count
