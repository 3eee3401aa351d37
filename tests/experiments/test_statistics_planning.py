"""How many users a test needs, equal to statsmodels, and how many days those take to come."""

import math

import pytest
from statsmodels.stats.power import NormalIndPower, normal_power_het, normal_sample_size_one_tail

from experiments.errors import Invalid
from experiments.statistics.planning import Baseline, daily_new, days_until, plan, power_of, users_needed

near = pytest.approx
PROPORTION, MEAN = Baseline(0.12), Baseline(30.0, 45.0**2)


@pytest.mark.parametrize(("alpha", "power"), [(0.05, 0.8), (0.01, 0.95), (0.025, 0.5)])
def test_users_for_means_are_statsmodels(alpha: float, power: float) -> None:
    """Sizes leave out the tail on the wrong side, which at a power of 0.8 has under a millionth; power has it."""
    exact = NormalIndPower().solve_power(effect_size=3 / 45, alpha=alpha / 2, power=power, alternative="larger")
    assert users_needed(MEAN, 3, alpha=alpha, power=power) == math.ceil(exact)
    assert power_of(MEAN, 3, 4_000, alpha=alpha) == near(NormalIndPower().power(3 / 45, 4_000, alpha), rel=1e-6)


@pytest.mark.parametrize(("alpha", "power"), [(0.05, 0.8), (0.01, 0.95), (0.025, 0.5)])
def test_users_for_proportions_are_statsmodels(alpha: float, power: float) -> None:
    deviation = (0.12 * 0.88 + 0.15 * 0.85) ** 0.5
    exact = normal_sample_size_one_tail(0.03, power, alpha / 2, std_null=deviation)
    assert users_needed(PROPORTION, 0.03, alpha=alpha, power=power) == math.ceil(exact)
    expected = normal_power_het(0.03, 1_500, alpha, std_null=deviation)
    assert power_of(PROPORTION, 0.03, 1_500, alpha=alpha) == near(float(expected), rel=1e-6)


def test_the_smallest_group_has_the_users_that_are_needed() -> None:
    found = plan(PROPORTION, 0.25, weights=[2, 1])
    each = users_needed(PROPORTION, 0.03)
    assert (found.users_each, found.users) == (each, 3 * each)


def test_users_come_as_they_came_and_then_at_the_pace_of_the_later_days() -> None:
    came = [900, 60, 30, 10, 10, 10]  # those who come every day came on the first one
    assert [days_until(users, came) for users in (1, 900, 901, 1_000, 1_020)] == [1, 1, 2, 4, 6]
    assert daily_new(came) == 10
    assert [days_until(users, came) for users in (1_021, 1_030, 1_031)] == [7, 7, 8]


@pytest.mark.parametrize("came", [[900, 60, 0, 0], [0, 0, 0], []])
def test_where_nobody_new_comes_no_number_of_days_is_enough(came: list[int]) -> None:
    assert (days_until(1_000, came), daily_new(came)) == (None, 0)


def test_each_variant_more_makes_the_comparison_stricter() -> None:
    two, four = (plan(MEAN, 0.1, weights=[1] * groups) for groups in (2, 4))
    assert (two.alpha, four.alpha) == near((0.05, 0.05 / 3))
    assert four.users_each == users_needed(MEAN, 3, alpha=0.05 / 3) > two.users_each


@pytest.mark.parametrize("mean", [0, 1, -0.2, 1.4, float("nan")])
def test_a_proportion_without_variance_is_named(mean: float) -> None:
    with pytest.raises(Invalid, match="mean"):
        Baseline(mean)


@pytest.mark.parametrize("variance", [0, -1, float("nan"), float("inf")])
def test_a_mean_without_variance_is_named(variance: float) -> None:
    with pytest.raises(Invalid, match="variance"):
        Baseline(5, variance)


@pytest.mark.parametrize(
    ("baseline", "effect", "changes", "field"),
    [
        (Baseline(0, 1), 0.1, {}, "mean"),
        (Baseline(0.6), 0.7, {}, "smallest_effect"),
        (MEAN, 0, {}, "smallest_effect"),
        (MEAN, float("nan"), {}, "smallest_effect"),
        (MEAN, 0.1, {"weights": [1]}, "weights"),
        (MEAN, 0.1, {"weights": [1, 0]}, "weights"),
        (MEAN, 0.1, {"power": 1}, "power"),
        (MEAN, 0.1, {"power": 0.04}, "power"),
        (MEAN, 0.1, {"alpha": 0}, "power"),
    ],
)
def test_a_plan_that_is_none_names_the_field(baseline: Baseline, effect: float, changes: dict, field: str) -> None:
    with pytest.raises(Invalid) as raised:
        plan(baseline, effect, **{"weights": [1, 1]} | changes)
    assert raised.value.field == field
