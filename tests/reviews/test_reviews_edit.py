from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from experiments import serving
from experiments.errors import NotFound
from experiments.models import ModelVersion, Prediction
from reviews.models import Rating, Review
from reviews.services import review_update
from tests import shop
from tests.problems import assert_problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def written(alice: APIClient, live: Callable[..., ModelVersion]) -> dict[str, Any]:
    """A review that alice wrote, as it was answered."""
    live("sentiment")
    path = f"{shop.API}/reviews/{shop.product().pk}/sentiment/"
    return alice.post(path, {"text": shop.GOOD, "title": "Great", "rating": 5}).json()["review"]


def path(written: dict[str, Any]) -> str:
    return f"{shop.API}/reviews/{written['id']}/"


def test_new_words_are_analysed_again(alice: APIClient, written: dict[str, Any]) -> None:
    first = Review.objects.get().prediction_id
    answer = alice.patch(path(written), {"text": shop.BAD})
    assert answer.status_code == 200
    assert answer.json() == {
        **written,
        "text": shop.BAD,
        "sentiment": "negative",
        "sentiment_score": answer.json()["sentiment_score"],
    }
    assert answer.json()["sentiment_score"] < 0.5
    row = Review.objects.get()
    assert (row.text, row.sentiment) == (shop.BAD, "negative")
    second = Prediction.objects.get(pk=row.prediction_id)
    assert (second.pk != first, second.input["text"], second.user_id) == (True, shop.BAD, alice.user.pk)


def test_a_new_title_is_analysed_again(alice: APIClient, written: dict[str, Any]) -> None:
    assert alice.patch(path(written), {"title": "Terrible"}).status_code == 200
    assert [one.input["title"] for one in Prediction.objects.all()] == ["Terrible", "Great"]


def test_new_stars_are_the_authors_rating_and_ask_no_model(alice: APIClient, written: dict[str, Any]) -> None:
    answer = alice.patch(path(written), {"rating": 2.5})
    assert answer.json() == {**written, "rating": 2.5}
    assert Rating.objects.get().value == 2.5
    assert Prediction.objects.count() == 1


def test_stars_taken_away_leave_the_rating(alice: APIClient, written: dict[str, Any]) -> None:
    assert alice.patch(path(written), {"rating": None}).json()["rating"] is None
    assert Rating.objects.get().value == 5


def test_an_edit_while_no_model_is_live_leaves_the_analysis_to_the_worker(
    alice: APIClient, written: dict[str, Any]
) -> None:
    ModelVersion.objects.update(live=False)
    serving.refresh()
    answer = alice.patch(path(written), {"text": shop.BAD})
    assert answer.status_code == 200
    assert (answer.json()["sentiment"], answer.json()["sentiment_score"]) == ("", None)
    assert answer.json()["model_version"] is None


def test_others_may_not_touch_a_review(
    mallory: APIClient, staff: APIClient, visitor: APIClient, written: dict[str, Any]
) -> None:
    for client in (mallory, staff):
        assert_problem(client.patch(path(written), {"text": "mine"}), 403, "permission_denied")
        assert_problem(client.delete(path(written)), 403, "permission_denied")
    assert_problem(visitor.patch(path(written), {"text": "mine"}), 401, "not_authenticated")
    assert_problem(visitor.delete(path(written)), 401, "not_authenticated")
    assert visitor.get(path(written)).json() == written


def test_nobody_may_touch_an_imported_review(alice: APIClient, visitor: APIClient) -> None:
    one = shop.review(shop.product())
    assert_problem(alice.patch(f"{shop.API}/reviews/{one.pk}/", {"text": "mine"}), 403, "permission_denied")
    assert_problem(visitor.delete(f"{shop.API}/reviews/{one.pk}/"), 401, "not_authenticated")
    assert Review.objects.get().text == shop.GOOD


@pytest.mark.parametrize(
    ("field", "value"), [("text", ""), ("text", "x" * 10_001), ("title", "\0"), ("rating", 3.3), ("rating", True)]
)
def test_an_edit_out_of_bounds_changes_nothing(
    alice: APIClient, written: dict[str, Any], field: str, value: object
) -> None:
    assert_problem(alice.patch(path(written), {"title": "Other", field: value}), 400, "invalid", field)
    assert alice.get(path(written)).json() == written


def test_what_is_not_the_authors_to_say_stays(alice: APIClient, written: dict[str, Any]) -> None:
    sent = {"id": 7, "sentiment": "negative", "model_version": 9, "product": shop.product().pk, "user": "mallory"}
    assert alice.patch(path(written), {**sent, "created_at": "1999-01-01T00:00:00Z"}).json() == written


def test_put_is_not_a_method_of_a_review(alice: APIClient, written: dict[str, Any]) -> None:
    assert_problem(alice.put(path(written), {"text": "a"}), 405, "method_not_allowed")


def test_the_author_deletes_a_review_and_may_write_another(alice: APIClient, written: dict[str, Any]) -> None:
    assert alice.delete(path(written)).status_code == 204
    assert_problem(alice.get(path(written)), 404, "not_found")
    again = alice.post(f"{shop.API}/reviews/{written['product']}/sentiment/", {"text": shop.BAD})
    assert again.status_code == 201


def test_an_edit_does_not_bring_a_deleted_review_back(written: dict[str, Any]) -> None:
    read = Review.objects.get()
    Review.objects.all().delete()
    with pytest.raises(NotFound, match=f"no review {read.pk}"):
        review_update(review=read, changes={"text": "a"})
    assert not Review.objects.exists()
