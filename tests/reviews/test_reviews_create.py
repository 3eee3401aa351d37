import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from rest_framework.test import APIClient

from experiments.models import ModelVersion, Outcome, Prediction
from reviews.models import Product, Rating, Review
from tests import shop
from tests.concurrency import at_once
from tests.problems import assert_problem

pytestmark = pytest.mark.django_db
Live = Callable[..., ModelVersion]


def post(client: APIClient, product: Product, text: object = shop.GOOD, **more: object) -> Any:
    return client.post(f"{shop.API}/reviews/{product.pk}/sentiment/", {"text": text, **more})


def test_a_review_is_saved_analysed_and_answered_as_the_contract_says(alice: APIClient, live: Live) -> None:
    version, lamp = live("sentiment"), shop.product()
    answer = post(alice, lamp, " I love it, lovely 💡 ", title="Great value", rating=4.5)
    assert answer.status_code == 201
    body, row = answer.json(), Review.objects.get()
    scores = body["analysis"]["scores"]
    assert body == {
        "success": True,
        "review": {
            "id": row.pk,
            "user": "alice",
            "product": lamp.pk,
            "title": "Great value",
            "text": " I love it, lovely 💡 ",
            "rating": 4.5,
            "sentiment": "positive",
            "sentiment_score": scores["positive"],
            "model_version": version.version,
            "created_at": body["review"]["created_at"],
        },
        "analysis": {
            "sentiment": "positive",
            "confidence": scores["positive"],
            "scores": {"positive": scores["positive"], "negative": pytest.approx(1 - scores["positive"])},
        },
        "prediction_id": str(row.prediction_id),
    }
    assert 0.5 < scores["positive"] < 1
    assert alice.get(answer["Location"]).json() == body["review"]
    assert (row.author, row.product, row.text, row.rating) == (alice.user, lamp, " I love it, lovely 💡 ", 4.5)
    assert (row.sentiment, row.sentiment_score) == ("positive", scores["positive"])


def test_the_prediction_is_in_the_log_with_what_was_asked_and_answered(alice: APIClient, live: Live) -> None:
    live("sentiment")
    body = post(alice, shop.product(), shop.BAD, title="Sad").json()
    logged = Prediction.objects.get()
    assert logged.pk == UUID(body["prediction_id"])
    assert (logged.task, logged.user_id, logged.status) == ("sentiment", alice.user.pk, "ok")
    assert logged.input == {"text": shop.BAD, "title": "Sad"}
    assert logged.output == body["analysis"]
    assert logged.output["sentiment"] == "negative"


def test_stars_of_a_review_are_the_authors_rating(alice: APIClient, live: Live) -> None:
    live("sentiment")
    lamp, shade = shop.product(), shop.product()
    shop.rating(lamp, 1.0, by=alice.user)
    post(alice, lamp, rating=4)
    post(alice, shade)
    assert list(Rating.objects.values_list("product", "user", "value")) == [(lamp.pk, alice.user.pk, 4.0)]


@pytest.mark.parametrize(
    ("stars", "truth"), [(4, "positive"), (5, "positive"), (3.5, "negative"), (0.5, "negative"), (None, "unknown")]
)
def test_the_outcome_says_what_the_stars_say_and_not_what_the_model_says(
    alice: APIClient, live: Live, stars: float | None, truth: str
) -> None:
    live("sentiment")
    lamp = shop.product()
    body = post(alice, lamp, shop.BAD, rating=stars).json()
    outcome = Outcome.objects.get(kind="review")
    assert (outcome.value, outcome.subject, outcome.user_id) == (truth, f"product:{lamp.pk}", alice.user.pk)
    assert str(outcome.prediction_id) == body["prediction_id"]


def test_a_second_review_of_the_same_product_is_a_conflict_with_a_link_to_the_first(
    alice: APIClient, mallory: APIClient, live: Live
) -> None:
    live("sentiment")
    lamp = shop.product()
    first = post(alice, lamp, rating=5).json()
    body = assert_problem(post(alice, lamp, shop.BAD, rating=1), 409, "already_reviewed")
    assert alice.get(body["review"]).json() == first["review"]
    assert (Review.objects.count(), Rating.objects.get().value, Prediction.objects.count()) == (1, 5.0, 1)
    assert post(mallory, lamp).status_code == post(alice, shop.product()).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_of_two_reviews_at_once_one_is_saved_and_the_other_is_told(alice: APIClient, live: Live) -> None:
    live("sentiment")
    lamp = shop.product()
    answers = at_once(*(lambda stars=stars: post(alice, lamp, rating=stars) for stars in (1, 2, 3, 4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    [saved] = [answer.json()["review"] for answer in answers if answer.status_code == 201]
    links = {answer.json()["review"] for answer in answers if answer.status_code == 409}
    assert links == {f"{shop.API}/reviews/{saved['id']}/"}
    assert Review.objects.get().pk == saved["id"]
    assert Rating.objects.get().value == saved["rating"]
    assert Prediction.objects.count() == 1
    assert sorted(Outcome.objects.values_list("kind", flat=True)) == ["rating", "review"]


def test_visitors_do_not_write_reviews(visitor: APIClient) -> None:
    assert_problem(post(visitor, shop.product()), 401, "not_authenticated")
    assert not Review.objects.exists()


@pytest.mark.parametrize("pk", ["0", "999999999", "1" + "0" * 30])
def test_an_unknown_product_is_not_found(alice: APIClient, live: Live, pk: str) -> None:
    live("sentiment")
    assert_problem(alice.post(f"{shop.API}/reviews/{pk}/sentiment/", {"text": shop.GOOD}), 404, "not_found")
    assert not Prediction.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", ""),
        ("text", "  \n\t "),
        ("text", "x" * 10_001),
        ("text", "a\0b"),
        ("text", None),
        ("text", 5),
        ("text", True),
        ("text", ["a"]),
        ("text", {"a": "b"}),
        ("title", "x" * 301),
        ("title", "\0"),
        ("title", None),
        ("title", 5),
        ("rating", 0),
        ("rating", 0.4),
        ("rating", 5.5),
        ("rating", 3.3),
        ("rating", -1),
        ("rating", "NaN"),
        ("rating", "Infinity"),
        ("rating", "five"),
        ("rating", ""),
        ("rating", True),
        ("rating", [4]),
        ("rating", 10**30),
        ("rating", 1e308),
        ("rating", "1e400"),
    ],
)
def test_a_value_out_of_its_bounds_is_refused_and_nothing_is_saved(
    alice: APIClient, live: Live, field: str, value: object
) -> None:
    live("sentiment")
    body = {"text": shop.GOOD, field: value}
    answer = alice.generic(
        "POST", f"{shop.API}/reviews/{shop.product().pk}/sentiment/", json.dumps(body), "application/json"
    )
    assert_problem(answer, 400, "invalid", field)
    assert not Review.objects.exists()
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("text", ["\ud800", "a \udfff b"])
def test_a_lone_surrogate_is_refused(alice: APIClient, text: str) -> None:
    path = f"{shop.API}/reviews/{shop.product().pk}/sentiment/"
    assert_problem(alice.generic("POST", path, json.dumps({"text": text}), "application/json"), 400, "parse_error")
    assert not Review.objects.exists()


@pytest.mark.parametrize(
    ("text", "title", "rating"),
    [("x" * 10_000, "x" * 300, 0.5), ("?", "", 5), ("\u202e\u0301\U0010ffff", "\n", None), ("0", "0", "3.5")],
)
def test_values_at_their_bounds_are_kept_as_sent(
    alice: APIClient, live: Live, text: str, title: str, rating: object
) -> None:
    live("sentiment")
    answer = post(alice, shop.product(), text, title=title, rating=rating)
    assert answer.status_code == 201, answer.content
    row = Review.objects.get()
    assert (row.text, row.title, row.rating) == (text, title, rating and float(rating))


def test_what_the_model_says_cannot_be_written(alice: APIClient, live: Live) -> None:
    live("sentiment")
    lamp, other = shop.product(), shop.product()
    sent = {"text": shop.BAD, "sentiment": "positive", "sentiment_score": 1, "product": other.pk, "user": "mallory"}
    review = alice.post(f"{shop.API}/reviews/{lamp.pk}/sentiment/", sent).json()["review"]
    assert (review["user"], review["product"], review["sentiment"]) == ("alice", lamp.pk, "negative")
