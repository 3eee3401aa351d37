from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection
from rest_framework.test import APIClient

from experiments.errors import NotFound
from experiments.models import ModelVersion, Outcome, Prediction
from reviews.models import Product, Rating, Review
from reviews.services import event_record, rating_set, review_create, review_update
from tests import shop
from tests.problems import assert_problem

Live = Callable[..., ModelVersion]
TABLES = (Review, Rating, Prediction, Outcome)


def rows() -> list[int]:
    return [table.objects.count() for table in TABLES]


@pytest.fixture
def outcomes_fail(db: None) -> None:
    """The last write of every service is refused by the database."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {Outcome._meta.db_table} ADD CONSTRAINT none_today CHECK (false) NOT VALID")


@pytest.mark.django_db
def test_a_review_whose_last_step_fails_leaves_nothing(alice: APIClient, live: Live, outcomes_fail: None) -> None:
    live("sentiment")
    lamp = shop.product()
    answer = alice.post(f"{shop.API}/reviews/{lamp.pk}/sentiment/", {"text": shop.GOOD, "rating": 5})
    assert_problem(answer, 409, "conflict")
    assert rows() == [0, 0, 0, 0]
    lamp.refresh_from_db()
    assert lamp.trend == 0


@pytest.mark.django_db
def test_a_rating_or_event_whose_last_step_fails_leaves_nothing(alice: APIClient, outcomes_fail: None) -> None:
    lamp = shop.product()
    assert_problem(alice.post(f"{shop.API}/ratings/", {"product": lamp.pk, "value": 5}), 409, "conflict")
    assert_problem(alice.post(f"{shop.API}/events/", {"product": lamp.pk, "kind": "view"}), 409, "conflict")
    assert rows() == [0, 0, 0, 0]
    lamp.refresh_from_db()
    assert (lamp.trend, lamp.view_count) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_a_review_of_a_product_that_is_deleted_meanwhile_leaves_nothing(live: Live) -> None:
    live("sentiment")
    lamp, author = shop.product(), shop.user()
    Product.objects.all().delete()
    with pytest.raises(NotFound, match=f"no product {lamp.pk}"):
        review_create(author=author, product=lamp, text=shop.GOOD, rating=5)
    assert rows() == [0, 0, 0, 0]


@pytest.mark.django_db(transaction=True)
def test_a_review_of_an_author_who_is_erased_meanwhile_leaves_nothing(live: Live) -> None:
    live("sentiment")
    lamp, author = shop.product(), shop.user()
    type(author).objects.all().delete()
    with pytest.raises(IntegrityError):
        review_create(author=author, product=lamp, text=shop.GOOD, rating=5)
    assert rows() == [0, 0, 0, 0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("service", [rating_set, event_record])
def test_a_rating_or_event_of_a_product_that_is_deleted_meanwhile_leaves_nothing(service: Any) -> None:
    lamp, who = shop.product(), shop.user()
    Product.objects.all().delete()
    with pytest.raises(NotFound, match=f"no product {lamp.pk}"):
        service(user=who, product=lamp, **({"value": 4.0} if service is rating_set else {"kind": "view"}))
    assert rows() == [0, 0, 0, 0]


@pytest.mark.django_db
def test_an_edit_whose_last_step_fails_changes_nothing(live: Live, outcomes_fail: None) -> None:
    live("sentiment")
    review = shop.review(shop.product(), shop.GOOD, by=shop.user(), rating=5)
    with pytest.raises(IntegrityError):
        review_update(review=review, changes={"text": shop.BAD, "rating": 1.0})
    review = Review.objects.get()
    assert (review.text, review.rating, review.sentiment) == (shop.GOOD, 5, "")
    assert rows() == [1, 0, 0, 0]
