import json
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from experiments.errors import NotFound
from reviews.models import Event, Product, Rating, Review, Seller
from reviews.services import product_delete, product_update
from reviews.trend import trend_add
from tests import shop
from tests.concurrency import at_once
from tests.problems import assert_problem

PRODUCTS = f"{shop.API}/products/"
WHOLE = {"name": "Lamp", "description": "Warm light.", "category": "lamps", "price": "19.90"}

pytestmark = pytest.mark.django_db


def test_staff_create_change_replace_and_delete_a_product(staff: APIClient, visitor: APIClient) -> None:
    seller = Seller.objects.create(name="Light & Co")
    made = staff.post(PRODUCTS, {**WHOLE, "seller_id": seller.pk})
    assert made.status_code == 201
    path = f"{PRODUCTS}{made.json()['id']}/"
    assert made.json() == visitor.get(path).json()
    assert {name: made.json()[name] for name in WHOLE} == WHOLE
    assert made.json()["seller"]["name"] == "Light & Co"

    changed = staff.patch(path, {"price": None, "seller_id": None})
    assert changed.status_code == 200
    assert changed.json() == {**made.json(), "price": None, "seller": None} == visitor.get(path).json()

    replaced = staff.put(path, {"name": "Shade"})
    assert replaced.status_code == 200
    assert replaced.json()["name"] == "Shade"

    assert staff.delete(path).status_code == 204
    assert_problem(staff.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("who", "status", "code"), [("alice", 403, "permission_denied"), ("visitor", 401, "not_authenticated")]
)
def test_nobody_else_writes_a_product(request: Any, who: str, status: int, code: str) -> None:
    client = request.getfixturevalue(who)
    lamp = shop.product("Lamp")
    path = f"{PRODUCTS}{lamp.pk}/"
    for answer in (
        client.post(PRODUCTS, WHOLE),
        client.put(path, WHOLE),
        client.patch(path, WHOLE),
        client.delete(path),
    ):
        assert_problem(answer, status, code)
    assert list(Product.objects.values_list("name", "price")) == [("Lamp", None)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", "-0.01"),
        ("price", "10000000000"),
        ("price", "1.999"),
        ("price", "NaN"),
        ("price", "Infinity"),
        ("price", 1e30),
        ("price", "1" * 5000),
        ("price", True),
        ("price", "x"),
        ("price", []),
        ("name", ""),
        ("name", "  "),
        ("name", None),
        ("name", "x" * 301),
        ("name", "a\0b"),
        ("name", ["Lamp"]),
        ("name", {}),
        ("description", "x" * 20_001),
        ("description", "\0"),
        ("category", "x" * 101),
        ("category", "\0"),
        ("seller_id", 0),
        ("seller_id", -1),
        ("seller_id", 10**30),
        ("seller_id", 1.5),
        ("seller_id", True),
        ("seller_id", "x"),
        ("image", "http://example.com/lamp.png"),
        ("image", 5),
    ],
)
def test_a_value_out_of_its_bounds_is_refused(staff: APIClient, field: str, value: object) -> None:
    Seller.objects.create(pk=1, name="Light & Co")
    assert_problem(staff.post(PRODUCTS, {**WHOLE, field: value}), 400, "invalid", field)
    lamp = shop.product("Shade")
    assert_problem(staff.patch(f"{PRODUCTS}{lamp.pk}/", {field: value}), 400, "invalid", field)
    assert list(Product.objects.values_list("name", "price")) == [("Shade", None)]


@pytest.mark.parametrize("price", ["0", "0.01", "9999999999.99", 5, 19.9])
def test_prices_within_the_bounds_are_kept(staff: APIClient, price: object) -> None:
    made = staff.post(PRODUCTS, {"name": "Lamp", "price": price})
    assert made.status_code == 201
    assert float(made.json()["price"]) == float(price)


def test_a_lone_surrogate_is_refused(staff: APIClient) -> None:
    body = json.dumps({"name": "\ud800"})
    assert_problem(staff.generic("POST", PRODUCTS, body, "application/json"), 400, "parse_error")


def test_what_the_shop_counts_cannot_be_written(staff: APIClient) -> None:
    counted = {"id": 7, "view_count": 9, "trend": 9.0, "rating_count": 9, "rating_average": 5, "source": "x"}
    made = staff.post(PRODUCTS, {**WHOLE, **counted})
    assert made.status_code == 201
    assert made.json()["view_count"] == made.json()["rating_count"] == 0
    assert made.json()["rating_average"] is None
    assert Product.objects.values_list("trend", "source").get() == (0, "")


def test_an_unknown_product_is_not_found(staff: APIClient) -> None:
    for answer in (
        staff.put(f"{PRODUCTS}77/", WHOLE),
        staff.patch(f"{PRODUCTS}77/", WHOLE),
        staff.delete(f"{PRODUCTS}77/"),
    ):
        assert_problem(answer, 404, "not_found")


def test_a_change_keeps_the_views_that_were_counted_since_it_was_read() -> None:
    read = shop.product("Lamp")
    trend_add(product_id=read.pk, weight=1.0, at=timezone.now(), views=1)
    product_update(product=read, changes={"name": "Shade"})
    row = Product.objects.get()
    assert (row.name, row.view_count) == ("Shade", 1)
    assert row.trend > 0


def test_a_change_does_not_bring_a_deleted_product_back() -> None:
    read = shop.product("Lamp")
    Product.objects.all().delete()
    with pytest.raises(NotFound):
        product_update(product=read, changes={"name": "Shade"})
    assert not Product.objects.exists()


def test_a_deleted_product_takes_its_reviews_ratings_and_events_along(staff: APIClient) -> None:
    lamp, other = shop.product(), shop.product()
    for one in (lamp, other):
        shop.review(one)
        shop.rating(one)
        shop.event(one)
    assert staff.delete(f"{PRODUCTS}{lamp.pk}/").status_code == 204
    for model in (Review, Rating, Event):
        assert [row.product_id for row in model.objects.all()] == [other.pk]


@pytest.mark.django_db(transaction=True)
def test_two_who_delete_the_same_product_at_once_both_find_it_gone() -> None:
    lamp = shop.product()
    copies = [Product.objects.get(pk=lamp.pk) for _ in range(4)]
    at_once(*(lambda one=one: product_delete(product=one) for one in copies))
    assert not Product.objects.exists()
