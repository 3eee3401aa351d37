"""The days of a test, for its charts: who came, and the primary lift over all who came until then."""

from datetime import date

import pytest

from experiments.results.summary import NO_DAYS, results_of
from experiments.statistics.arms import proportion
from experiments.statistics.effects import always_valid, compare
from tests.experiments.experiment_rows import at, clicks, expose, started
from tests.experiments.sums import shares

pytestmark = pytest.mark.django_db


def test_users_are_shown_by_the_day_on_which_they_came() -> None:
    test = started()
    expose(test, "control", 1, 2, day=0)
    expose(test, "control", 3, day=0.999)
    expose(test, "new", 7, day=2)
    found = results_of(test=test, now=at(9)).days
    assert [(one.day, one.users) for one in found] == [
        (date(2026, 3, 2), {"control": 3, "new": 0}), (date(2026, 3, 4), {"control": 0, "new": 1}),
    ]  # fmt: skip


def test_the_lift_of_a_day_is_over_all_users_until_then() -> None:
    test = started()
    for day, (buyers, new_buyers) in enumerate([(40, 50), (30, 31), (10, 40)]):
        control, new = range(1000 * day, 1000 * day + 100), range(1000 * day + 500, 1000 * day + 600)
        expose(test, "control", *control, day=day)
        expose(test, "new", *new, day=day)
        clicks([*control[:buyers], *new[:new_buyers]], day=day + 3)
    results = results_of(test=test, now=at(9))
    for day, users, buyers, new_buyers in ((0, 100, 40, 50), (1, 200, 70, 81), (2, 300, 80, 121)):
        effect = compare(proportion(shares(buyers, users)), proportion(shares(new_buyers, users))).relative
        assert effect
        interval = always_valid(effect)
        [lift] = results.days[day].lifts
        assert (lift.variant, lift.estimate) == ("new", pytest.approx(effect.estimate))
        assert (lift.low, lift.high) == pytest.approx((interval.low, interval.high))
    total = results.metrics[0].variants[1].relative
    assert total and (total.estimate, total.sequential_low) == pytest.approx((lift.estimate, lift.low))


def test_with_a_covariate_the_last_day_is_the_figure_of_the_test() -> None:
    test = started("control", "b", "c")
    for day in range(3):
        for place, name in enumerate(("control", "b", "c")):
            users = range(10_000 * place + 1000 * day, 10_000 * place + 1000 * day + 90)
            expose(test, name, *users, day=day)
            clicks(users[20:50], day=day - 1)
            clicks(users[: 40 + 5 * place], day=day + 1)
    results = results_of(test=test, now=at(9))
    assert results.metrics[0].cuped
    last = {one.variant: one.estimate for one in results.days[-1].lifts}
    assert set(last) == {"b", "c"}
    for variant in results.metrics[0].variants[1:]:
        assert variant.relative and last[variant.variant] == pytest.approx(variant.relative.estimate)


def test_a_lift_that_is_not_known_yet_is_left_out() -> None:
    test = started()
    expose(test, "control", 1, 2, 3, day=0)
    expose(test, "new", 7, 8, 9, day=1)
    assert [one.lifts for one in results_of(test=test, now=at(9)).days] == [[], []]


def test_a_metric_of_predictions_has_no_lift_by_day() -> None:
    test = started(primary_metric="error_rate")
    expose(test, "control", 1, 2)
    found = results_of(test=test, now=at(9))
    assert [one.lifts for one in found.days] == [[]]
    assert NO_DAYS in found.missing
