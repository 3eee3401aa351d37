"""The examples of rating: what a product costs, how often it was reviewed, its seller and its stars."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from experiments import serving
from experiments.models import ModelVersion
from mlbackend.accounts.selectors import models_learned_from
from pricing.ml.rating import RATING, RatingInput
from reviews.datasets import rating
from reviews.models import Product, Rating, Seller
from tests import shop

pytestmark = pytest.mark.django_db
PARTS = ("fit", "validation", "test")


def rated(*stars: float, seller: float | None = 4.2, price: float | None = 19.99) -> Product:
    name = f"Seller with {seller}"
    by, _ = Seller.objects.get_or_create(name=name, defaults={"rating": seller})
    product = shop.product(seller=by, price=price)
    for one in stars:
        shop.rating(product, one)
    return product


def many(count: int) -> None:
    """Products whose stars are those of their seller, from two customers and one who is between."""
    cast = [shop.user() for _ in range(3)]
    sellers = [Seller.objects.create(name=f"Seller {stars}", rating=stars) for stars in (2.0, 3.0, 4.0, 5.0)]
    made = [shop.product(seller=sellers[number % 4], price=5 + number) for number in range(count)]
    Rating.objects.bulk_create(
        Rating(user=user, product=product, value=product.seller.rating - step)
        for product in made
        for user, step in zip(cast, (0, 0, 0.5), strict=True)
    )


def rows() -> list[dict[str, Any]]:
    split = rating()
    return [row for name in PARTS for row in getattr(split, name).rows.to_dict("records")]


def test_an_example_is_a_product_with_the_mean_of_its_ratings() -> None:
    product = rated(5, 4, 4.5)
    [row] = rows()
    assert row == {"price": 19.99, "reviews_count": 0, "seller_rating": 4.2, "rating": 4.5, "unit": product.pk}


def test_reviews_are_counted_beside_ratings_and_not_times_them() -> None:
    product, other = rated(5, 4, 4.5, 2.5), rated(3, 3, 3)
    for stars in (5, None):
        shop.review(product, rating=stars)
    found = {row["unit"]: (row["reviews_count"], row["rating"]) for row in rows()}
    assert found == {product.pk: (2, 4.0), other.pk: (0, 3.0)}


def test_a_mean_below_one_star_counts_as_one() -> None:
    rated(0.5, 0.5, 1)
    assert [row["rating"] for row in rows()] == [1.0]


@pytest.mark.parametrize("lacks", [{"price": None}, {"seller": None}])
def test_products_without_a_price_or_a_rated_seller_are_left_out(lacks: dict[str, None]) -> None:
    kept = rated(4, 4, 4)
    rated(4, 4, 4, **lacks)
    assert [row["unit"] for row in rows()] == [kept.pk]


def test_products_of_nobody_and_those_with_fewer_than_three_ratings_are_left_out() -> None:
    for one in (shop.product(price=5), rated(4, 4)):
        shop.rating(one)
    kept = [row["unit"] for row in rows()]
    assert len(kept) == 1
    assert Rating.objects.filter(product=kept[0]).count() == 3


def test_a_product_that_costs_nothing_is_one() -> None:
    rated(4, 4, 4, price=0)
    assert [row["price"] for row in rows()] == [0.0]


def test_a_product_stays_in_its_part_when_others_come() -> None:
    many(150)
    before = {name: set(getattr(rating(), name).rows["unit"]) for name in PARTS}
    for stars in (1, 2, 5):
        rated(stars, stars, stars)
    after = {name: set(getattr(rating(), name).rows["unit"]) for name in PARTS}
    assert all(before[name] <= after[name] for name in PARTS)
    assert sum(map(len, after.values())) == len(set.union(*after.values())) == 153
    assert len(before["test"]) == pytest.approx(30, abs=15)
    assert len(before["validation"]) == pytest.approx(12, abs=10)


def test_the_examples_cost_one_query(django_assert_num_queries: Any) -> None:
    many(10)
    shop.review(Product.objects.first())
    with django_assert_num_queries(1):
        assert len(rows()) == 10


def test_without_products_training_says_what_to_do() -> None:
    assert rows() == []
    with pytest.raises(CommandError, match=r"no rows to fit rating on: import some, or run `manage\.py demo`"):
        call_command("train", "rating", verbosity=0)


def test_too_few_products_are_counted() -> None:
    many(30)
    count = len(rating().fit)
    with pytest.raises(CommandError, match=f"There are {count} examples to learn rating from; it takes 40 or more"):
        call_command("train", "rating", verbosity=0)


def test_a_model_learned_from_the_shop_follows_the_sellers_and_is_listed_to_who_rated() -> None:
    many(120)
    call_command("train", "rating", "--promote", verbosity=0, stdout=StringIO())
    assert ModelVersion.objects.get().data["sources"] == ["reviews.Product", "reviews.Rating", "reviews.Review"]
    serving.refresh()
    asked = [RatingInput(price=50.0, reviews_count=0, seller_rating=stars) for stars in (2.0, 5.0)]
    low, high = (answer.output.predicted_rating for answer in serving.predict(RATING, asked, user_id=None))
    assert low < 2.5
    assert high > 4
    assert [one.task for one in models_learned_from(Rating.objects.first().user)] == ["rating"]
    assert models_learned_from(shop.user("nobody")) == []
