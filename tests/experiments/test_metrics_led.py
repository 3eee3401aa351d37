"""Hit rate, and ratings of what was recommended: outcomes that go back to a prediction of the test."""

import pytest

from experiments.models import ABTest
from experiments.statistics.arms import Sums
from experiments.uuid7 import uuid7
from tests.experiments.experiment_rows import at, expose, outcome, prediction, started
from tests.experiments.measuring import sums_of, total

pytestmark = pytest.mark.django_db


@pytest.fixture
def running(db: None) -> ABTest:
    test = started()
    expose(test, "control", 1)
    expose(test, "new", 7, 8)
    return test


@pytest.mark.parametrize(("kind", "hits"), [("click", 1), ("cart", 1), ("purchase", 1), ("view", 0), ("rating", 0)])
def test_a_hit_is_what_a_prediction_of_the_test_led_to(running: ABTest, kind: str, hits: int) -> None:
    outcome(7, kind, day=2, prediction_id=prediction(7, "new").pk)
    assert total(running, "hit_rate") == [1, 0, 2, hits]


def test_several_hits_of_a_user_are_one(running: ABTest) -> None:
    one = prediction(7, "new").pk
    for kind in ("click", "cart", "purchase"):
        outcome(7, kind, day=2, prediction_id=one)
    assert total(running, "hit_rate") == [1, 0, 2, 1]


def test_what_no_prediction_of_theirs_in_this_test_led_to_is_no_hit(running: ABTest) -> None:
    outcome(7, day=2)
    outcome(7, day=2, prediction_id=uuid7())
    outcome(7, day=2, prediction_id=prediction(8, "new").pk)
    outcome(7, day=2, prediction_id=prediction(7, "").pk)
    outcome(7, day=2, prediction_id=prediction(7, "new", task="sentiment").pk)
    outcome(7, day=2, prediction_id=prediction(7, "of another test").pk)
    outcome(7, day=2, prediction_id=prediction(7, "new", day=-3).pk)
    outcome(7, day=9, prediction_id=prediction(7, "new").pk)
    assert total(running, "hit_rate") == [1, 0, 2, 0]


def test_stars_count_of_products_that_had_been_recommended(running: ABTest) -> None:
    prediction(7, "new", shown=(10, 11, 12))
    outcome(7, "rating", day=2, value=4.5, subject="product:10")
    outcome(7, "rating", day=2, value=2, subject="product:12")
    outcome(7, "rating", day=2, value=1, subject="product:1")
    assert sums_of(running, "rating_of_recommended") == {
        "control": Sums(1, 0, 0), "new": Sums(2, 6.5, 42.25, 2, 4, 13),
    }  # fmt: skip


def test_a_product_that_was_rated_again_counts_with_its_last_stars(running: ABTest) -> None:
    prediction(7, "new", shown=(10,))
    for day, stars in ((2, 1), (3, 5)):
        outcome(7, "rating", day=day, value=stars, subject="product:10")
    assert sums_of(running, "rating_of_recommended")["new"] == Sums(2, 5, 25, 1, 1, 5)


def test_ratings_of_what_was_not_recommended_before_do_not_count(running: ABTest) -> None:
    prediction(8, "new", shown=(10,))
    prediction(7, "new", day=3, shown=(10,))
    prediction(7, "", shown=(11,))
    prediction(7, "new", shown=(12,))
    outcome(7, "rating", day=2, value=5, subject="product:10")
    outcome(7, "rating", day=2, value=5, subject="product:11")
    outcome(7, "rating", day=0.5, value=5, subject="product:12")
    outcome(7, "rating", day=2, value=5, subject="shop")
    assert total(running, "rating_of_recommended") == [1, 0, 2, 0]


def test_a_task_that_recommends_nothing_has_no_such_ratings() -> None:
    test = started(task="sentiment")
    expose(test, "new", 7)
    prediction(7, "new", task="sentiment", output={"sentiment": "positive", "products": 3})
    prediction(7, "new", task="sentiment", output=None)
    outcome(7, "rating", day=2, value=5, subject="product:3")
    assert total(test, "rating_of_recommended") == [0, 0, 1, 0]


def test_the_predictions_of_another_test_during_a_pause_are_not_of_this_one() -> None:
    """Both have a variant of the same name."""
    test = started()
    expose(test, "new", 7, 8, 9)
    for action, day in (("start", 0), ("edit", 1), ("pause", 2), ("start", 4)):
        test.actions.create(action=action, at=at(day))
    for user, day in ((7, 1.5), (8, 3.0), (9, 5.0)):
        outcome(user, day=day, prediction_id=prediction(user, "new", day=day).pk)
    assert total(test, "click_rate") == [0, 0, 3, 3]
    assert total(test, "hit_rate") == [0, 0, 3, 2]
    test.actions.create(action="pause", at=at(4.5))
    assert total(test, "hit_rate") == [0, 0, 3, 1]
