"""Summaries of a product's reviews: made by a job from what is in the rows, read in one query, gone with the words."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from experiments.models import ModelVersion, Prediction
from experiments.uuid7 import uuid7_floor
from reviews.models import Product, Review, ReviewSummary
from reviews.tasks import summarise_reviews
from tests import shop
from tests.problems import assert_problem
from tests.queries import pinned_queries

pytestmark = pytest.mark.django_db
GOOD = ["The fabric is very soft, I love it.", "Lovely soft fabric, I love it.", "I love the soft fabric, a great fit."]
BAD = ["I hate it, terrible fabric and a poor fit.", "I hate the terrible fabric, a poor fit."]


@pytest.fixture
def models(live: Callable[..., ModelVersion]) -> dict[str, ModelVersion]:
    return {name: live(name) for name in ("sentiment", "review_summary")}


@pytest.fixture
def product(models: dict[str, ModelVersion]) -> Product:
    """With five reviews that are analysed, long enough ago to be read as a whole."""
    made = shop.product("Scarf")
    before = timezone.now() - timedelta(hours=1)
    for number, text in enumerate([*GOOD, *BAD]):
        stars = 5.0 if text in GOOD else 1.0
        mood = "positive" if text in GOOD else "negative"
        shop.review(
            made, text, rating=stars, sentiment=mood, prediction_id=uuid7_floor(before + timedelta(seconds=number))
        )
    return made


def read(client: APIClient, product: Product) -> dict[str, Any]:
    answer = client.get(f"{shop.API}/products/{product.pk}/review-summary/")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_visitor_reads_what_the_job_made(visitor: APIClient, product: Product) -> None:
    assert read(visitor, product)["status"] == "pending"
    assert summarise_reviews.call() == 1
    found = read(visitor, product)
    reviews = {row.pk: row for row in Review.objects.all()}
    assert (found["status"], found["detail"], found["review_count"]) == ("ready", "", 5)
    assert found["sentiment"] == {"positive": 3, "negative": 2}
    assert found["sentences"]
    for one in found["sentences"]:
        assert one["text"] in reviews[one["review_ids"][0]].text
        assert len({reviews[number].rating for number in one["review_ids"]}) == 1
    assert "fabric" in [one["name"] for one in found["aspects"]]
    for aspect in found["aspects"]:
        assert all(quote["text"] in reviews[quote["review_id"]].text for quote in aspect["quotes"])
    row = Prediction.objects.get(task="review_summary")
    assert (found["model"], found["version"], found["prediction_id"]) == ("points", 1, str(row.pk))


def test_it_is_read_in_one_query(visitor: APIClient, product: Product) -> None:
    summarise_reviews.call()
    with pinned_queries("GET products/{id}/review-summary/"):
        read(visitor, product)


def test_the_log_holds_no_words_of_the_reviewers(product: Product) -> None:
    summarise_reviews.call()
    row = Prediction.objects.get(task="review_summary")
    assert "fabric is" not in str(row.input) + str(row.output)
    assert row.input["said"][0]["text"]["characters"] > 0


def test_fewer_than_three_reviews_are_said_to_be_too_few(visitor: APIClient, models: dict[str, ModelVersion]) -> None:
    few = shop.product()
    shop.review(few, GOOD[0], rating=5, sentiment="positive")
    assert summarise_reviews.call() == 0
    found = read(visitor, few)
    assert (found["status"], found["detail"]) == ("too_few_reviews", "1 of at least 3 reviews.")
    assert (found["summary"], found["sentences"], found["aspects"], found["review_count"]) == ("", [], [], 1)


def test_a_product_that_is_not_there_is_a_404(visitor: APIClient, models: dict[str, ModelVersion]) -> None:
    assert_problem(visitor.get(f"{shop.API}/products/77/review-summary/"), 404, "not_found")


def test_it_is_made_anew_when_enough_changed_and_not_before(product: Product) -> None:
    summarise_reviews.call()
    first = ReviewSummary.objects.get().prediction_id
    assert summarise_reviews.call() == 0
    before = uuid7_floor(timezone.now() - timedelta(minutes=30))
    Review.objects.bulk_create(
        Review(product=product, text=GOOD[0], rating=5, sentiment="positive", prediction_id=before) for _ in range(15)
    )
    ReviewSummary.objects.update(read_from=uuid7_floor(timezone.now()))
    assert summarise_reviews.call() == 0, "none was written since"
    now = uuid7_floor(timezone.now() + timedelta(seconds=1))
    Review.objects.filter(pk=Review.objects.earliest("id").pk).update(prediction_id=now)
    assert summarise_reviews.call() == 0, "one of twenty is no tenth"
    Review.objects.filter(pk=Review.objects.latest("id").pk).update(prediction_id=now)
    assert summarise_reviews.call() == 1
    assert ReviewSummary.objects.get().prediction_id != first


def test_another_version_makes_all_anew(product: Product, live: Callable[..., ModelVersion]) -> None:
    summarise_reviews.call()
    live("review_summary")
    assert summarise_reviews.call() == 1
    assert ReviewSummary.objects.get().version == 2


def test_a_deleted_review_takes_the_summary_with_it(product: Product) -> None:
    summarise_reviews.call()
    Review.objects.filter(pk=Review.objects.earliest("id").pk).delete()
    assert not ReviewSummary.objects.exists()
    assert summarise_reviews.call() == 1
    assert ReviewSummary.objects.get().review_count == 4


def test_new_words_in_a_review_take_the_old_ones_away(alice: APIClient, product: Product) -> None:
    shop.review(product, GOOD[0], by=alice.user, rating=5, sentiment="positive")
    summarise_reviews.call()
    mine = Review.objects.get(author=alice.user)
    assert alice.patch(f"{shop.API}/reviews/{mine.pk}/", {"text": "Something else."}).status_code == 200
    assert not ReviewSummary.objects.exists()


def test_a_review_deleted_while_the_model_works_does_not_come_back(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nlp.ml.review_points import Points

    plainly = Points.predict

    def slowly(self: Points, batch: Any) -> Any:
        Review.objects.filter(pk=Review.objects.earliest("id").pk).delete()
        return plainly(self, batch)

    monkeypatch.setattr(Points, "predict", slowly)
    assert summarise_reviews.call() == 0
    assert not ReviewSummary.objects.exists()


def test_a_product_that_the_model_fails_on_does_not_stop_the_others(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nlp.ml.review_points import Points

    other = shop.product("Hat")
    for text in GOOD:
        shop.review(other, text, rating=5, sentiment="positive")
    plainly, calls = Points.predict, iter([True])

    def once(self: Points, batch: Any) -> Any:
        if next(calls, False):
            raise RuntimeError("broken")
        return plainly(self, batch)

    monkeypatch.setattr(Points, "predict", once)
    assert summarise_reviews.call() == 1
    assert ReviewSummary.objects.get().product == other
    assert Prediction.objects.filter(task="review_summary", status="error").count() == 1


def test_a_sentence_that_sentiment_fails_on_does_not_stop_the_other_products(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nlp.ml.sentiment import TfidfSentiment

    other = shop.product("Hat")
    for text in GOOD:
        shop.review(other, text, rating=5, sentiment="positive")
    plainly = TfidfSentiment.predict

    def fails(self: TfidfSentiment, batch: Any) -> Any:
        if any("hate" in one.text for one in batch):
            raise RuntimeError("broken")
        return plainly(self, batch)

    monkeypatch.setattr(TfidfSentiment, "predict", fails)
    assert summarise_reviews.call() == 1
    assert ReviewSummary.objects.get().product == other


@pytest.mark.parametrize("missing", ["sentiment", "review_summary"])
def test_without_a_model_it_waits(missing: str, live: Callable[..., ModelVersion], visitor: APIClient) -> None:
    live("review_summary" if missing == "sentiment" else "sentiment")
    made = shop.product()
    for text in GOOD:
        shop.review(made, text, rating=5, sentiment="positive")
    assert summarise_reviews.call() == 0
    assert read(visitor, made)["status"] == "pending"
