"""The examples of sentiment: titles, texts and stars, split by time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from experiments.mltask import no_progress
from nlp.ml.sentiment import SentimentInput, TfidfSentiment
from reviews.datasets import sentiment
from reviews.models import Review
from tests import shop

pytestmark = pytest.mark.django_db
PARTS = ("fit", "validation", "test")


def reviews(count: int, since: datetime) -> None:
    """One good and one bad review of a product a day, the newest made first."""
    for day in reversed(range(count)):
        product = shop.product()
        for text, stars in ((shop.GOOD, 5), (shop.BAD, 1)):
            shop.review(product, text, rating=stars, created_at=since + timedelta(days=day))


START = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_newest_fifth_is_the_test_part_and_the_validation_part_lies_before_it() -> None:
    reviews(50, START)
    split = sentiment()
    assert [len(getattr(split, name)) for name in PARTS] == [72, 8, 20]
    newest = Review.objects.order_by("-created_at").values_list("product_id", flat=True)[:20]
    assert set(split.test.rows["unit"]) == set(newest)


def test_what_a_version_learned_from_is_in_no_later_test_part() -> None:
    reviews(20, START)
    before = set(sentiment().fit.rows["unit"])
    reviews(20, START + timedelta(days=20))
    after = sentiment()
    assert before <= set(after.fit.rows["unit"])
    assert not before & set(after.test.rows["unit"])


@pytest.mark.parametrize("stars", [5, 4, 3.5, 0.5])
def test_an_example_is_a_title_a_text_and_its_stars(stars: float) -> None:
    shop.review(shop.product(), rating=stars, title="Title")
    [row] = [row for name in PARTS for row in getattr(sentiment(), name).rows.itertuples()]
    assert (row.title, row.text, row.stars) == ("Title", shop.GOOD, stars)


def test_reviews_without_stars_are_left_out() -> None:
    shop.review(shop.product())
    assert not any(len(getattr(sentiment(), name)) for name in PARTS)


def test_the_split_names_its_table() -> None:
    assert sentiment().sources == ("reviews.Review",)


def test_the_title_is_learned_from() -> None:
    for number, one in enumerate(shop.products(40)):
        shop.review(
            one, "It came on Monday.", title="Splendid" if number % 2 else "Dreadful", rating=1 + 4 * (number % 2)
        )
    model = TfidfSentiment().fit(sentiment().fit, progress=no_progress)
    inputs = [SentimentInput("It came on Monday.", title) for title in ("Splendid", "Dreadful")]
    assert [output.sentiment for output in model.predict(inputs)] == ["positive", "negative"]


def test_without_reviews_training_says_what_to_do() -> None:
    with pytest.raises(CommandError, match="no rows to fit sentiment on: import some"):
        call_command("train", "sentiment", verbosity=0)


def test_the_examples_cost_one_query(django_assert_num_queries: Any) -> None:
    reviews(10, START)
    with django_assert_num_queries(1):
        sentiment()
