from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from reviews.models import Product, Seller
from tests import shop
from tests.problems import assert_problem
from tests.queries import pinned_queries

PRODUCTS = f"{shop.API}/products/"

pytestmark = pytest.mark.django_db


def test_a_product_shows_exactly_what_the_contract_says(visitor: APIClient) -> None:
    seller = Seller.objects.create(name="Light & Co", rating=4.5)
    lamp = shop.product(
        "Lamp", description="Warm light.", category="lamps", price=Decimal("19.90"), seller=seller, view_count=7,
        image="products/lamp.png", source="demo", external_id="p-1",
    )  # fmt: skip
    for value in (5.0, 4.0, 1.5):
        shop.rating(lamp, value)
    for sentiment in ("positive", "positive", "negative", ""):
        shop.review(lamp, sentiment=sentiment)
    shop.rating(shop.product(), 1.0)
    assert visitor.get(f"{PRODUCTS}{lamp.pk}/").json() == {
        "id": lamp.pk,
        "name": "Lamp",
        "description": "Warm light.",
        "category": "lamps",
        "price": "19.90",
        "image": "http://testserver/media/products/lamp.png",
        "seller": {"id": seller.pk, "name": "Light & Co", "rating": 4.5},
        "rating_average": 3.5,
        "rating_count": 3,
        "view_count": 7,
        "sentiment_summary": {"positive": 2, "negative": 1},
    }


def test_a_product_that_nobody_touched_has_nulls_and_zeros(visitor: APIClient) -> None:
    body = visitor.get(f"{PRODUCTS}{shop.product().pk}/").json()
    assert (body["price"], body["image"], body["seller"], body["rating_average"]) == (None, None, None, None)
    assert (body["rating_count"], body["view_count"]) == (0, 0)
    assert body["sentiment_summary"] == {"positive": 0, "negative": 0}


def test_the_list_shows_the_same_as_the_detail(visitor: APIClient) -> None:
    lamp = shop.product()
    shop.rating(lamp, 4.5)
    listed = visitor.get(PRODUCTS).json()
    assert listed == {
        "count": 1,
        "next": None,
        "previous": None,
        "results": [visitor.get(f"{PRODUCTS}{lamp.pk}/").json()],
    }


@pytest.mark.parametrize("pk", ["0", "999999999", "1" + "0" * 30])
def test_an_unknown_product_is_not_found(visitor: APIClient, pk: str) -> None:
    shop.product()
    assert_problem(visitor.get(f"{PRODUCTS}{pk}/"), 404, "not_found")
    assert_problem(visitor.get(f"{PRODUCTS}{pk}/reviews/"), 404, "not_found")


@pytest.mark.parametrize("page", ["0", "-1", "3", "x", "1" + "0" * 30, "%00"])
def test_a_page_that_is_not_there_is_not_found(visitor: APIClient, page: str) -> None:
    shop.products(21)
    assert_problem(visitor.get(f"{PRODUCTS}?page={page}"), 404, "not_found")


@pytest.mark.parametrize(
    ("asked", "given"), [("5", 5), ("100", 100), ("101", 100), ("1" + "0" * 30, 100), ("0", 20), ("-1", 20), ("x", 20)]
)
def test_a_page_never_has_more_than_a_hundred(visitor: APIClient, asked: str, given: int) -> None:
    shop.products(105)
    page = visitor.get(f"{PRODUCTS}?page_size={asked}").json()
    assert (page["count"], len(page["results"])) == (105, given)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["free", "cheap", "middle", "dear", "unpriced"]),
        ("price_min=0", ["free", "cheap", "middle", "dear"]),
        ("price_min=9.99", ["cheap", "middle", "dear"]),
        ("price_min=9.995", ["middle", "dear"]),
        ("price_max=9.99", ["free", "cheap"]),
        ("price_max=9.989", ["free"]),
        ("price_min=9.99&price_max=50", ["cheap", "middle"]),
        ("price_min=50&price_max=9", []),
        ("price_max=10000000000", ["free", "cheap", "middle", "dear"]),
        ("price_min=&price_max=", ["free", "cheap", "middle", "dear", "unpriced"]),
    ],
)
def test_a_price_range_includes_its_ends_and_skips_products_without_a_price(
    visitor: APIClient, query: str, found: list[str]
) -> None:
    prices = {"free": "0", "cheap": "9.99", "middle": "50", "dear": "9999999999.99", "unpriced": None}
    for name, price in prices.items():
        shop.product(name, price=price)
    assert shop.names(visitor.get(f"{PRODUCTS}?{query}")) == found


@pytest.mark.parametrize("value", ["-1", "x", "NaN", "Infinity", "1e11", "1e400", "%00", "9" * 5000])
@pytest.mark.parametrize("field", ["price_min", "price_max"])
def test_a_price_that_is_none_is_refused(visitor: APIClient, field: str, value: str) -> None:
    assert_problem(visitor.get(f"{PRODUCTS}?{field}={value}"), 400, "invalid", field)


def test_the_category_filter_is_exact(visitor: APIClient) -> None:
    for category in ("lamps", "lamps and shades", "Lamps", ""):
        shop.product(f"of {category}", category=category)
    assert shop.names(visitor.get(f"{PRODUCTS}?category=lamps")) == ["of lamps"]
    assert shop.names(visitor.get(f"{PRODUCTS}?category=none")) == []
    assert_problem(visitor.get(f"{PRODUCTS}?category=%00"), 400, "invalid", "category")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("LAMP", ["Lamp", "Shade"]),
        ("warm oak", ["Lamp"]),
        ("'warm oak'", []),
        ("lighting", ["Bulb"]),
        ("100%", ["Shade"]),
        ("%", ["Shade"]),
        ("_", []),
        (r"\ ", []),
        ("", ["Lamp", "Shade", "Bulb"]),
    ],
)
def test_search_looks_for_every_word_in_name_description_and_category(
    visitor: APIClient, text: str, found: list[str]
) -> None:
    shop.product("Lamp", description="Oak, with a warm light.")
    shop.product("Shade", description="For a lamp. 100% linen.")
    shop.product("Bulb", category="Lighting")
    assert shop.names(visitor.get(PRODUCTS, {"search": text})) == found


@pytest.mark.parametrize("text", ["\0", "x" * 201, "a " * 5_000])
def test_a_search_text_has_a_bound(visitor: APIClient, text: str) -> None:
    assert visitor.get(PRODUCTS, {"search": "x" * 200}).status_code == 200
    answer = visitor.get(PRODUCTS, {"search": text})
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("ordering", "found"),
    [
        ("name", "abcd"),
        ("-name", "dcba"),
        ("price", "bcad"),
        ("-price", "abcd"),
        ("rating_average", "cbad"),
        ("-rating_average", "bcad"),
        ("-rating_count", "cbad"),
        ("-view_count", "dabc"),
        ("-created_at", "abcd"),
        ("-price,-name", "acbd"),
        ("trend", "abcd"),
        ("seller__rating", "abcd"),
        ("password", "abcd"),
        ("%00", "abcd"),
    ],
)
def test_what_has_no_value_comes_last_and_ties_are_in_order_of_id(
    visitor: APIClient, ordering: str, found: str
) -> None:
    a = shop.product("a", price=20)
    b = shop.product("b", price=10)
    c = shop.product("c", price=10)
    shop.product("d", view_count=3)
    Product.objects.update(created_at=a.created_at)
    shop.rating(b, 5)
    shop.rating(c, 4)
    shop.rating(c, 4)
    assert "".join(shop.names(visitor.get(f"{PRODUCTS}?ordering={ordering}"))) == found


@pytest.mark.parametrize("ordering", ["price", "-price", "-rating_average", "category"])
def test_pages_neither_repeat_nor_miss_a_product(visitor: APIClient, ordering: str) -> None:
    shop.products(30, price=5)
    shop.products(30)
    seen: list[str] = []
    for page in range(1, 10):
        seen += shop.names(visitor.get(f"{PRODUCTS}?ordering={ordering}&page_size=7&page={page}"))
    assert sorted(seen) == sorted(Product.objects.values_list("name", flat=True))


@pytest.mark.parametrize("count", [1, 20])
def test_the_number_of_queries_does_not_grow_with_the_products(visitor: APIClient, count: int) -> None:
    for number in range(count):
        lamp = shop.product(seller=Seller.objects.create(name=f"Seller {number}"))
        shop.rating(lamp)
        shop.review(lamp)
    with pinned_queries("products list"):
        assert len(shop.names(visitor.get(PRODUCTS))) == count
    with pinned_queries("product detail"):
        assert visitor.get(f"{PRODUCTS}{lamp.pk}/").status_code == 200
