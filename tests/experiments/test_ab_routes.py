"""Which calls of a user take part in a test: those with one input, of any task."""

import pytest
from rest_framework.test import APIClient

from experiments.models import Exposure, Prediction
from reviews.models import Product, Review
from tests.experiments.conftest import Drafted, Tested, Version
from tests.problems import assert_problem


@pytest.fixture
def new(promoted: Version, version: Version, tested: Tested) -> None:
    """A test of sentiment whose only variant is version 2."""
    promoted(positive=0.1)
    tested({"name": "new", "version": version(positive=0.9)})


@pytest.mark.usefixtures("new")
def test_a_prediction_of_one_input_is_answered_by_the_callers_variant(alice: APIClient) -> None:
    path = "/api/v1/predict/sentiment/"
    assert alice.post(path, {"text": "fine"}).json()["version"] == 2
    assert Exposure.objects.get().user_id == alice.user.pk
    batch = alice.post(path, {"instances": [{"text": "fine"}, {"text": "good"}]}).json()
    assert [one["version"] for one in batch["results"]] == [1, 1]


@pytest.mark.usefixtures("new")
def test_a_review_is_read_by_its_authors_variant_when_written_and_when_edited(
    alice: APIClient, staff: APIClient
) -> None:
    product = Product.objects.create(name="Lamp", category="Lamps", price=10)
    written = alice.post(f"/api/v1/reviews/{product.pk}/sentiment/", {"text": "It shines"})
    assert written.status_code == 201
    review = Review.objects.get()
    assert alice.patch(f"/api/v1/reviews/{review.pk}/", {"text": "It glows"}).status_code == 200
    rows = Prediction.objects.filter(task="sentiment").values_list("user_id", "variant", "version")
    assert list(rows) == [(alice.user.pk, "new", 2)] * 2
    assert Exposure.objects.count() == 1


def test_a_task_that_jobs_alone_ask_cannot_be_tested(drafted: Drafted, tester: APIClient) -> None:
    given = {"name": "which", "task": "review_summary", "primary_metric": "click_rate",
             "variants": [{"name": "a"}, {"name": "b"}]}  # fmt: skip
    body = assert_problem(tester.post("/api/v1/experiments/", given), 400, "invalid", "task")
    assert "Jobs alone ask this task" in str(body)
