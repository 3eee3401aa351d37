"""The demo shop: exact counts, the same for the same day, no contradictions, and tastes that can be learned."""

import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from reviews.demo import draw, make_shop
from reviews.demo.records import Shop
from reviews.demo.reviews import stars_of
from reviews.demo.wares import categories

NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
TODAY = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def shop() -> Shop:
    return make_shop(NOW)


def test_the_counts_are_exact(shop: Shop) -> None:
    counts = [
        len(part) for part in (shop.sellers, shop.products, shop.customers, shop.ratings, shop.reviews, shop.events)
    ]
    assert counts == [20, 300, 400, 12_000, 3_000, 20_000]
    assert set(Counter(product.category for product in shop.products).values()) == {30}
    assert len({product.category for product in shop.products}) == 10


def test_a_run_later_on_the_same_day_gives_the_same_shop(shop: Shop) -> None:
    assert make_shop(NOW + timedelta(hours=8)) == shop


def test_another_seed_gives_another_shop(shop: Shop) -> None:
    other = make_shop(NOW, seed=7)
    assert len(other.reviews) == 3_000
    assert other.products != shop.products
    assert not {review.text for review in other.reviews} >= {review.text for review in shop.reviews[:50]}


def test_another_process_makes_the_same_shop(shop: Shop) -> None:
    code = (
        "from datetime import datetime, UTC; from hashlib import sha256; from reviews.demo import make_shop, draw;"
        f"shop = make_shop(datetime({NOW.year}, {NOW.month}, {NOW.day}, tzinfo=UTC));"
        "print(sha256(repr(shop).encode()).hexdigest(), sha256(draw(shop.products[0])).hexdigest())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def test_names_and_keys_are_unique(shop: Shop) -> None:
    for keys in (
        [seller.name for seller in shop.sellers],
        [product.external_id for product in shop.products],
        [product.name for product in shop.products],
        [product.description for product in shop.products],
        [customer.username for customer in shop.customers],
        [customer.email for customer in shop.customers],
        [(rating.customer, rating.product) for rating in shop.ratings],
        [(review.customer, review.product) for review in shop.reviews],
        [review.text for review in shop.reviews],
        [(event.customer, event.product) for event in shop.events if event.kind == "purchase"],
    ):
        assert len(keys) == len(set(keys))


def test_every_reference_leads_somewhere(shop: Shop) -> None:
    products = {product.external_id for product in shop.products}
    customers = {customer.username for customer in shop.customers}
    assert {product.seller for product in shop.products} == {seller.name for seller in shop.sellers}
    for records in (shop.ratings, shop.reviews, shop.events):
        assert {record.product for record in records} <= products
        assert {record.customer for record in records} <= customers


def test_values_are_within_their_bounds(shop: Shop) -> None:
    assert {rating.value for rating in shop.ratings} <= {half / 2 for half in range(1, 11)}
    assert all(Decimal("3.2") <= seller.rating <= Decimal("4.9") for seller in shop.sellers)
    assert all(Decimal(5) < product.price < Decimal(400) for product in shop.products)
    assert all(product.price == product.price.quantize(Decimal("0.01")) for product in shop.products)
    sentences = [len(re.findall(r"[.?](?: |$)", product.description)) for product in shop.products]
    assert 2 <= min(sentences) <= max(sentences) <= 4
    assert all(0 < len(product.name) <= 80 for product in shop.products)
    assert all(0 < len(review.title) <= 120 for review in shop.reviews)
    assert all(20 <= len(review.text) <= 1_000 for review in shop.reviews)


def test_no_text_has_an_empty_slot_or_a_broken_end(shop: Shop) -> None:
    texts = [text for product in shop.products for text in (product.name, product.description)]
    texts += [text for review in shop.reviews for text in (review.title, review.text)]
    for text in texts:
        assert not set("{}*+|") & set(text), text
        assert "  " not in text, text
        assert text == text.strip(), text


def test_times_lie_in_the_past_and_after_joining(shop: Shop) -> None:
    joined = {customer.username: customer.joined for customer in shop.customers}
    assert all(TODAY - timedelta(days=366) <= moment < TODAY for moment in joined.values())
    assert all(TODAY - timedelta(days=180) <= rating.created < TODAY for rating in shop.ratings)
    assert all(TODAY - timedelta(days=61) <= event.created < TODAY for event in shop.events)
    for records in (shop.ratings, shop.reviews, shop.events):
        assert all(record.created > joined[record.customer] for record in records)
        moments = [record.created for record in records]
        assert moments == sorted(moments)


def test_a_review_has_the_stars_and_the_time_of_its_rating(shop: Shop) -> None:
    ratings = {(rating.customer, rating.product): rating for rating in shop.ratings}
    for review in shop.reviews:
        rating = ratings[review.customer, review.product]
        assert (review.rating, review.created) == (stars_of(rating.value), rating.created)


@pytest.mark.parametrize(("value", "stars"), [(0.5, 1), (1.0, 1), (1.5, 2), (3.5, 4), (5.0, 5)])
def test_half_stars_are_rounded_up(value: float, stars: int) -> None:
    assert stars_of(value) == stars


def test_about_three_quarters_of_the_reviews_are_positive(shop: Shop) -> None:
    stars = Counter(review.rating for review in shop.reviews)
    assert 0.70 <= (stars[4] + stars[5]) / 3_000 <= 0.78
    assert min(stars[one] for one in (1, 2, 3)) >= 50


def test_the_funnel_narrows_and_every_purchase_went_through_it(shop: Shop) -> None:
    assert Counter(event.kind for event in shop.events) == {
        "view": 14_000,
        "click": 3_600,
        "cart": 1_600,
        "purchase": 800,
    }
    first: dict[tuple[str, str, str], datetime] = {}
    for event in shop.events:
        first.setdefault((event.customer, event.product, event.kind), event.created)
    for event in shop.events:
        step = {"click": "view", "cart": "click", "purchase": "cart"}.get(event.kind)
        if step:
            assert first[event.customer, event.product, step] < event.created


def test_some_products_have_taken_off_lately(shop: Shop) -> None:
    late, before = (
        Counter(event.product for event in shop.events if (event.created >= TODAY - timedelta(days=5)) is recent)
        for recent in (True, False)
    )
    risen = [product for product, count in late.most_common(8) if count / 5 > 5 * before[product] / 55]
    assert len(risen) == 8


def test_ratings_follow_taste_and_quality(shop: Shop) -> None:
    products = {product.external_id: product for product in shop.products}
    customers = {customer.username: customer for customer in shop.customers}
    values = [rating.value for rating in shop.ratings]
    names = [category.name for category in categories()]
    taste = [
        np.dot(customers[one.customer].taste, products[one.product].style)
        + customers[one.customer].likes[names.index(products[one.product].category)]
        for one in shop.ratings
    ]
    quality = [np.mean(list(products[one.product].quality.values())) for one in shop.ratings]
    assert np.corrcoef(values, taste)[0, 1] > 0.2
    assert np.corrcoef(values, quality)[0, 1] > 0.25


def test_customers_rate_what_they_like(shop: Shop) -> None:
    """Two of ten categories are at a customer's heart; far more than a fifth of the ratings go there."""
    names = [category.name for category in categories()]
    products = {product.external_id: product for product in shop.products}
    hearts = {one.username: {names[place] for place in np.argsort(one.likes)[-2:]} for one in shop.customers}
    share = np.mean([products[one.product].category in hearts[one.customer] for one in shop.ratings])
    assert share > 0.5


def test_few_products_get_many_ratings(shop: Shop) -> None:
    counts = sorted(Counter(rating.product for rating in shop.ratings).values(), reverse=True)
    assert sum(counts[:60]) > 0.3 * 12_000
    assert len(counts) == 300


def test_reviews_agree_with_the_hidden_quality(shop: Shop) -> None:
    """Headphones with a weak battery hear about it: "battery" comes with lower stars than with a strong one."""
    products = {product.external_id: product for product in shop.products}
    stars: dict[bool, list[int]] = {True: [], False: []}
    for review in shop.reviews:
        quality = products[review.product].quality
        if "battery" in quality and "batter" in review.text:
            stars[quality["battery"] > 0].append(review.rating)
    assert np.mean(stars[True]) > np.mean(stars[False]) + 0.3


def test_reviews_name_only_aspects_of_their_own_category(shop: Shop) -> None:
    owners = {
        "zip": {"Dresses", "Bags", "Backpacks", "Shoes"},
        "battery": {"Headphones"},
        "sleeves": {"Dresses", "Knitwear"},
    }
    owners |= {"spout": {"Kettles"}, "lampshade": {"Lamps"}, "heroine": {"Books"}, "magnets": {"Toys"}}
    category = {product.external_id: product.category for product in shop.products}
    for review in shop.reviews:
        for word, allowed in owners.items():
            assert f" {word} " not in f" {review.text.lower()} " or category[review.product] in allowed, review.text


def test_no_sentence_takes_over(shop: Shop) -> None:
    sentences = Counter(sentence for review in shop.reviews for sentence in review.text.split(". "))
    assert sentences.most_common(1)[0][1] < 120
    assert len(sentences) > 5_000


def test_every_picture_decodes_and_is_its_own(shop: Shop) -> None:
    pictures = [draw(product) for product in shop.products]
    assert len(set(pictures)) == 300
    assert np.mean([len(picture) for picture in pictures]) < 15_000
    for picture in pictures:
        image = Image.open(BytesIO(picture))
        image.load()
        assert (image.format, image.size) == ("PNG", (320, 320))
        assert len(image.convert("RGB").getcolors(320 * 320) or ()) > 20
