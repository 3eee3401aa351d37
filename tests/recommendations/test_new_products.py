"""Products that came after the training are recommended by their words, from when the job has run."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from experiments import serving
from experiments.models import ModelVersion
from recommendations import selectors
from recommendations.ml.recommend import Newcomers
from recommendations.models import NewProduct
from recommendations.selectors import newcomers
from recommendations.services import new_products_describe
from recommendations.tasks import describe_new_products, sweep_new_products
from reviews.models import Product
from tests import shop
from tests.recommendations.conftest import ids

PATH = f"{shop.API}/products/recommendations/"
Shelf = dict[int, Product]


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is new is read at each request."""
    monkeypatch.setattr(selectors, "NEW_FOR_S", -1.0)
    monkeypatch.setattr(selectors, "_known", selectors._Known(-float("inf"), Newcomers()))
    return


@pytest.fixture
def shirt(odd: APIClient) -> Product:
    """The tiny model's odd products are linen shirts, and its even ones brass lamps."""
    return shop.product("Linen shirt", category="shirts")


def test_a_new_product_is_recommended_to_those_who_like_its_kind(odd: APIClient, shirt: Product, reading: None) -> None:
    assert shirt.pk not in ids(odd.get(PATH, {"n": 3}))
    assert new_products_describe() == 7  # six of the shelf are as new
    answer = odd.get(PATH, {"n": 3}).json()
    [mine] = [one for one in answer["recommendations"] if one["id"] == shirt.pk]
    assert mine["reason"]["product"] in (1, 3)
    assert mine["score"] > 0
    lamp = shop.product("Brass lamp", category="lamps")
    new_products_describe()
    assert lamp.pk not in ids(odd.get(PATH, {"n": 3}))


def test_saving_a_product_queues_the_job(
    staff: APIClient, odd: APIClient, reading: None, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        made = staff.post(f"{shop.API}/products/", {"name": "Linen shirt", "category": "shirts", "price": "20.00"})
    assert made.status_code == 201
    assert len(callbacks) == 1
    describe_new_products.call()
    assert made.json()["id"] in ids(odd.get(PATH, {"n": 3}))


def test_new_words_are_described_again_and_a_new_price_is_not(
    staff: APIClient, shirt: Product, django_capture_on_commit_callbacks: Any
) -> None:
    new_products_describe()
    with django_capture_on_commit_callbacks() as callbacks:
        staff.patch(f"{shop.API}/products/{shirt.pk}/", {"price": "30.00"})
    assert (len(callbacks), NewProduct.objects.filter(product=shirt).count()) == (0, 1)
    with django_capture_on_commit_callbacks() as callbacks:
        staff.patch(f"{shop.API}/products/{shirt.pk}/", {"name": "Brass lamp"})
    assert (len(callbacks), NewProduct.objects.filter(product=shirt).count()) == (1, 0)
    new_products_describe()
    assert {one % 2 for one in NewProduct.objects.get(product=shirt).like} == {0, 1}  # the category still says shirts


def test_the_job_does_nothing_twice(shirt: Product) -> None:
    assert new_products_describe() == 7
    assert new_products_describe() == 0


def test_a_product_that_is_like_nothing_is_described_as_that(odd: APIClient, reading: None) -> None:
    duck = shop.product("Rubber duck")
    new_products_describe()
    assert NewProduct.objects.get(product=duck).like == []
    assert duck.pk not in newcomers().products
    assert odd.get(PATH).status_code == 200


def test_under_a_new_version_everything_new_to_it_is_described_again(
    shirt: Product, live: Callable[..., ModelVersion]
) -> None:
    new_products_describe()
    version = live("recommend")
    assert new_products_describe() == 7
    assert set(NewProduct.objects.values_list("version", flat=True)) == {version.version}


def test_what_a_version_has_learned_is_new_no_longer(odd: APIClient, shelf: Shelf) -> None:
    NewProduct.objects.create(product=shelf[5], version=0, like=[1], similarity=[1.0])
    new_products_describe()
    assert not NewProduct.objects.filter(product__in=[shelf[number] for number in range(8)]).exists()


def test_a_deleted_product_is_new_no_longer(odd: APIClient, shirt: Product, staff: APIClient, reading: None) -> None:
    new_products_describe()
    assert staff.delete(f"{shop.API}/products/{shirt.pk}/").status_code == 204
    assert shirt.pk not in newcomers().products


def test_a_new_product_speaks_for_others_when_it_was_liked(
    mallory: APIClient, shirt: Product, odd: APIClient, reading: None
) -> None:
    new_products_describe()
    for _ in range(3):
        shop.rating(shop.product("Linen shirt", category="shirts"), 5.0, by=mallory.user)
    new_products_describe()
    body = mallory.get(PATH, {"n": 4}).json()
    assert body["method"] == "hybrid"
    assert {one["id"] for one in body["recommendations"]} <= {1, 3, 5, 7, shirt.pk}


def test_only_the_newest_are_described(shirt: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "MOST_NEW", 2)
    assert new_products_describe() == 2
    assert NewProduct.objects.filter(product=shirt).exists()


def test_without_a_model_the_jobs_wait(db: None) -> None:
    shop.product("Linen shirt")
    serving.refresh()
    assert describe_new_products.call() == 0
    sweep_new_products()
    assert not NewProduct.objects.exists()


def test_the_sweep_finds_what_a_lost_job_left(shirt: Product) -> None:
    sweep_new_products()
    assert NewProduct.objects.filter(product=shirt).exists()


def test_a_process_reads_what_is_new_every_two_seconds(
    shirt: Product, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(selectors, "_known", selectors._Known(-float("inf"), newcomers()))
    new_products_describe()
    with django_assert_num_queries(1):
        assert shirt.pk in newcomers().products
        assert shirt.pk in newcomers().products
