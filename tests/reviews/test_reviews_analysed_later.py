import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django_tasks_db.models import DBTaskResult
from rest_framework.test import APIClient

from experiments import serving
from experiments.models import ModelVersion, Prediction
from nlp.ml.sentiment import SentimentInput, SentimentOutput
from reviews.models import Review
from reviews.tasks import BATCH, analyse_reviews, sweep_unanalysed_reviews
from tests import shop
from tests.concurrency import at_once

pytestmark = pytest.mark.django_db
Live = Callable[..., ModelVersion]


def write(client: APIClient) -> Any:
    return client.post(f"{shop.API}/reviews/{shop.product().pk}/sentiment/", {"text": shop.BAD, "rating": 1})


def assert_waits(answer: Any) -> None:
    """Saved, with its rating, and not analysed."""
    body = answer.json()
    assert answer.status_code == 201
    assert (body["success"], body["analysis"], body["prediction_id"]) == (True, None, None)
    assert (body["review"]["sentiment"], body["review"]["sentiment_score"]) == ("", None)
    assert body["review"]["model_version"] is None
    assert Review.objects.get().author.ratings.get().value == 1


def test_a_review_without_a_live_model_is_saved_and_analysed_when_there_is_one(
    alice: APIClient, live: Live, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert_waits(write(alice))
    assert DBTaskResult.objects.filter(task_path="reviews.tasks.analyse_reviews").count() == 1
    assert analyse_reviews.call() == 0
    version = live("sentiment")
    assert analyse_reviews.call() == 1
    row = Review.objects.get()
    assert (row.sentiment, row.model_version, row.rating) == ("negative", version.version, 1)
    logged = Prediction.objects.get()
    assert (logged.pk, logged.method, logged.user_id) == (row.prediction_id, "worker", alice.user.pk)
    assert row.sentiment_score == logged.output["scores"]["positive"] < 0.5


def test_a_review_is_saved_while_the_live_model_cannot_be_loaded(alice: APIClient, live: Live) -> None:
    version = live("sentiment")
    serving._loaded.clear()
    shutil.rmtree(project.DATA_DIR / "cache")
    shutil.rmtree(Path(project.STORAGES["models"]["OPTIONS"]["location"]) / version.artifact)
    assert_waits(write(alice))


def test_a_review_is_saved_while_the_live_model_fails(alice: APIClient, live: Live) -> None:
    live("sentiment")
    serving.live("sentiment").predictor.text = None
    assert_waits(write(alice))
    assert Prediction.objects.get().status == "error"


def test_the_sweep_finds_reviews_that_no_job_knows_of(live: Live) -> None:
    lamp = shop.product()
    good, bad = shop.review(lamp, shop.GOOD), shop.review(lamp, shop.BAD)
    live("sentiment")
    sweep_unanalysed_reviews()
    good.refresh_from_db()
    bad.refresh_from_db()
    assert (good.sentiment, bad.sentiment) == ("positive", "negative")


def test_more_reviews_than_a_batch_are_all_analysed_once(live: Live) -> None:
    lamp = shop.product()
    Review.objects.bulk_create(Review(product=lamp, text=shop.GOOD) for _ in range(BATCH + 2))
    Review.objects.create(product=lamp, text=shop.GOOD, sentiment="negative")
    live("sentiment")
    assert analyse_reviews.call() == BATCH + 2
    assert analyse_reviews.call() == 0
    assert Review.objects.filter(sentiment="positive").count() == BATCH + 2
    assert Prediction.objects.count() == BATCH + 2


def test_a_review_that_the_model_fails_on_keeps_no_other_from_its_analysis(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    lamp = shop.product()
    texts = [shop.GOOD, "unbearable", *[shop.BAD] * (BATCH + 1), "unbearable", shop.GOOD]
    Review.objects.bulk_create(Review(product=lamp, text=text) for text in texts)
    live("sentiment")
    predictor = serving.live("sentiment").predictor
    answer = predictor.predict

    def frail(batch: Sequence[SentimentInput]) -> list[SentimentOutput]:
        if any(one.text == "unbearable" for one in batch):
            raise ZeroDivisionError
        return answer(batch)

    monkeypatch.setattr(predictor, "predict", frail)
    assert analyse_reviews.call() == len(texts) - 2
    assert list(Review.objects.filter(sentiment="").values_list("text", flat=True)) == ["unbearable"] * 2
    assert Prediction.objects.filter(status="error").exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_analyse_each_review_once(live: Live) -> None:
    lamp = shop.product()
    Review.objects.bulk_create(Review(product=lamp, text=shop.GOOD) for _ in range(2 * BATCH))
    live("sentiment")
    assert sum(at_once(analyse_reviews.call, analyse_reviews.call)) == 2 * BATCH
    assert Prediction.objects.count() == 2 * BATCH
    assert set(Review.objects.values_list("prediction_id", flat=True)) == set(
        Prediction.objects.values_list("pk", flat=True)
    )
