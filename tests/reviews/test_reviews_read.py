from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from tests import shop
from tests.problems import assert_problem
from tests.queries import pinned_queries

pytestmark = pytest.mark.django_db


def test_anyone_reads_the_reviews_of_a_product_newest_first(visitor: APIClient) -> None:
    lamp, now = shop.product(), timezone.now()
    old = shop.review(lamp, by=shop.user("bea"), created_at=now - timedelta(days=2), rating=4, sentiment="positive")
    new = shop.review(lamp, by=shop.user("carl"), created_at=now - timedelta(days=1))
    shop.review(shop.product())
    page = visitor.get(f"{shop.API}/products/{lamp.pk}/reviews/").json()
    assert (page["count"], page["next"], page["previous"]) == (2, None, None)
    assert [(one["id"], one["user"]) for one in page["results"]] == [(new.pk, "carl"), (old.pk, "bea")]
    assert page["results"][1] == {
        "id": old.pk,
        "user": "bea",
        "product": lamp.pk,
        "title": "",
        "text": shop.GOOD,
        "rating": 4.0,
        "sentiment": "positive",
        "sentiment_score": None,
        "model_version": None,
        "created_at": page["results"][1]["created_at"],
    }
    assert visitor.get(f"{shop.API}/reviews/{old.pk}/").json() == page["results"][1]


def test_an_imported_review_has_no_user(visitor: APIClient) -> None:
    lamp = shop.product()
    one = shop.review(lamp, source="file", external_id="7")
    body = visitor.get(f"{shop.API}/reviews/{one.pk}/").json()
    assert body["user"] is None
    assert visitor.get(f"{shop.API}/products/{lamp.pk}/reviews/").json()["results"] == [body]


def test_reviews_come_in_pages(visitor: APIClient) -> None:
    lamp, now = shop.product(), timezone.now()
    made = [shop.review(lamp, created_at=now).pk for _ in range(5)]
    path, seen = f"{shop.API}/products/{lamp.pk}/reviews/?page_size=2", []
    while path:
        page = visitor.get(path).json()
        seen += [one["id"] for one in page["results"]]
        path = page["next"]
    assert seen == made[::-1]
    assert_problem(visitor.get(f"{shop.API}/products/{lamp.pk}/reviews/?page=9"), 404, "not_found")


@pytest.mark.parametrize("count", [1, 20])
def test_the_number_of_queries_does_not_grow_with_the_reviews(visitor: APIClient, count: int) -> None:
    lamp = shop.product()
    for _ in range(count):
        one = shop.review(lamp, by=shop.user())
    with pinned_queries("reviews of a product"):
        assert len(visitor.get(f"{shop.API}/products/{lamp.pk}/reviews/").json()["results"]) == count
    with pinned_queries("review detail"):
        assert visitor.get(f"{shop.API}/reviews/{one.pk}/").status_code == 200


@pytest.mark.parametrize("pk", ["0", "999999999", "1" + "0" * 30])
def test_an_unknown_review_is_not_found(visitor: APIClient, alice: APIClient, pk: str) -> None:
    path = f"{shop.API}/reviews/{pk}/"
    assert_problem(visitor.get(path), 404, "not_found")
    assert_problem(alice.patch(path, {"text": "a"}), 404, "not_found")
    assert_problem(alice.delete(path), 404, "not_found")
