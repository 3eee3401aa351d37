from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from recommendations.datasets import recommend
from tests import shop

pytestmark = pytest.mark.django_db


def rate(count: int, who: Any = None, days_apart: int = 1) -> tuple[Any, list[int]]:
    """Ratings of one customer, stored in another order than they were made; gives the products by time."""
    who, start = who or shop.user(), timezone.now() - timedelta(days=1_000)
    made = shop.products(count)
    for number in reversed(range(count)):
        shop.rating(made[number], 4.0, by=who, rated_at=start + timedelta(days=number * days_apart))
    return who, [one.pk for one in made]


def of(examples: Any, who: Any) -> list[int]:
    return list(examples.rows.loc[examples.rows["unit"] == who.pk, "product"])


@pytest.mark.parametrize(("count", "held"), [(5, 1), (9, 2), (10, 2), (11, 3), (15, 3), (35, 7)])
def test_the_last_fifth_of_each_users_ratings_is_held_out(count: int, held: int) -> None:
    rate(7)
    who, by_time = rate(count)
    split = recommend()
    assert of(split.fit, who) == by_time[:-held]
    rows = split.test.rows[split.test.rows["unit"] == who.pk]
    assert list(rows["product"]) == by_time
    assert list(rows["held_out"]) == [False] * (count - held) + [True] * held


def test_nothing_that_is_held_out_is_learned_from() -> None:
    for count in (1, 4, 5, 12, 30):
        rate(count)
    split = recommend()
    held = split.test.rows[split.test.rows["held_out"]]
    learned = set(zip(split.fit.rows["unit"], split.fit.rows["product"], strict=True))
    assert len(held) == 1 + 3 + 6
    assert not learned & set(zip(held["unit"], held["product"], strict=True))
    assert len(split.fit) + len(held) == len(split.test) == 52


@pytest.mark.parametrize("count", [1, 4])
def test_a_user_with_fewer_than_five_ratings_is_learned_from_and_not_tested_on(count: int) -> None:
    who, by_time = rate(count)
    split = recommend()
    assert of(split.fit, who) == by_time
    assert not split.test.rows["held_out"].any()


def test_ratings_of_the_same_moment_are_in_order_of_id() -> None:
    rate(10, days_apart=0)
    assert recommend().test.rows.equals(recommend().test.rows)
    rows = recommend().test.rows
    assert list(rows["product"]) == sorted(rows["product"], reverse=True)  # as they were stored


def test_the_split_names_its_table_and_has_stars() -> None:
    shop.rating(shop.product(), 3.5)
    split = recommend()
    assert split.sources == ("reviews.Rating", "reviews.Event")
    assert list(split.fit.rows["value"]) == [3.5]


def test_without_ratings_training_says_what_to_do() -> None:
    assert [len(part) for part in (recommend().fit, recommend().validation, recommend().test)] == [0, 0, 0]
    with pytest.raises(CommandError, match="no rows to fit recommend on: import some"):
        call_command("train", "recommend", verbosity=0)
