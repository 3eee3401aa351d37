"""Which outcomes count: those of an exposed user, in the window from the exposure on, until the test was stopped."""

import pytest
from django.db import connection

from tests.experiments.experiment_rows import at, expose, outcome, started
from tests.experiments.measuring import sums_of, total

pytestmark = pytest.mark.django_db
SECOND = 1 / 86_400


@pytest.mark.parametrize(
    ("day", "counts"),
    [(1.0, 1), (1.0 - SECOND, 0), (1.0 + SECOND, 1), (8.0 - SECOND, 1), (8.0, 0), (8.0 + SECOND, 0), (-20.0, 0)],
)
def test_the_window_begins_with_the_exposure_and_ends_days_later(day: float, counts: int) -> None:
    test = started(window_days=7)
    expose(test, "new", 7, day=1.0)
    outcome(7, day=day)
    assert total(test, "clicks_per_user") == [0, 0, 1, counts]


@pytest.mark.parametrize(
    ("day", "counts"), [(1.0, 0), (1.0 - SECOND, 1), (-6.0, 1), (-6.0 - SECOND, 0), (8.0 - SECOND, 0)]
)
def test_outcomes_from_as_long_before_are_the_covariate_and_no_effect(day: float, counts: int) -> None:
    test = started(window_days=7)
    expose(test, "new", 7, day=1.0)
    outcome(7, day=day)
    assert sums_of(test, "clicks_per_user")["new"].x == counts


def test_outcomes_of_others_and_of_nobody_do_not_count() -> None:
    test, other = started(), started(name="another", task="sentiment")
    expose(test, "control", 7)
    expose(test, "new", 8)
    expose(other, "new", 9)
    for user in (9, 10, None):
        outcome(user, day=2)  # type: ignore[arg-type]
    outcome(8, day=2)
    assert total(test, "click_rate") == [1, 0, 1, 1]
    assert total(other, "click_rate") == [0, 0, 1, 1]


def test_each_user_has_a_window_of_their_own() -> None:
    test = started(window_days=2)
    for user in (1, 2, 3):
        expose(test, "new", user, day=user)
        outcome(user, day=3.5)
    assert total(test, "click_rate") == [0, 0, 3, 2]


def test_what_comes_after_the_stop_does_not_count() -> None:
    test = started(state="stopped", stopped_at=at(3))
    expose(test, "new", 7, 8, day=2)
    expose(test, "new", 9, day=3 + SECOND)
    outcome(7, day=3.0)
    outcome(8, day=3 + SECOND)
    assert total(test, "click_rate") == [0, 0, 2, 1]


def test_what_comes_after_the_moment_that_is_asked_for_does_not_count() -> None:
    test = started()
    expose(test, "new", 7, day=2)
    expose(test, "new", 8, day=5)
    outcome(7, day=4)
    assert [total(test, "click_rate", day=day) for day in (1, 3, 4, 5)] == [
        [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1], [0, 0, 2, 1],
    ]  # fmt: skip


def test_a_window_of_30_days_is_720_hours_whatever_the_time_zone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'Europe/Berlin'")  # its clocks go forward on 29 March 2026
    test = started(window_days=30)
    expose(test, "new", 7, 8, day=0)
    outcome(7, day=30 - SECOND)
    outcome(8, day=30)
    assert total(test, "click_rate", day=40) == [0, 0, 2, 1]
