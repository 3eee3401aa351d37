"""How many users a test needs, equal to statsmodels, and how many days those take."""

import math

import pytest
from statsmodels.stats.power import NormalIndPower, normal_power_het, normal_sample_size_one_tail

from experiments.errors import Invalid
from experiments.statistics.planning import Baseline, detectable, plan, power_of, users_needed

near = pytest.approx
PROPORTION, MEAN = Baseline(0.12), Baseline(30.0, 45.0**2)


@pytest.mark.parametrize(("alpha", "power"), [(0.05, 0.8), (0.01, 0.95), (0.025, 0.5)])
def test_users_for_means_are_statsmodels(alpha: float, power: float) -> None:
    """Sizes leave out the tail on the wrong side, which at a power of 0.8 has under a millionth; power has it."""
    exact = NormalIndPower().solve_power(effect_size=3 / 45, alpha=alpha / 2, power=power, alternative="larger")
    assert users_needed(MEAN, 3, alpha=alpha, power=power) == math.ceil(exact)
    effect = detectable(MEAN, 4_000, alpha=alpha, power=power)
    assert effect and NormalIndPower().power(effect / 45, 4_000, alpha / 2, alternative="larger") == near(
        power, rel=1e-6
    )
    assert power_of(MEAN, 3, 4_000, alpha=alpha) == near(NormalIndPower().power(3 / 45, 4_000, alpha), rel=1e-6)


@pytest.mark.parametrize(("alpha", "power"), [(0.05, 0.8), (0.01, 0.95), (0.025, 0.5)])
def test_users_for_proportions_are_statsmodels(alpha: float, power: float) -> None:
    deviation = (0.12 * 0.88 + 0.15 * 0.85) ** 0.5
    exact = normal_sample_size_one_tail(0.03, power, alpha / 2, std_null=deviation)
    assert users_needed(PROPORTION, 0.03, alpha=alpha, power=power) == math.ceil(exact)
    expected = normal_power_het(0.03, 1_500, alpha, std_null=deviation)
    assert power_of(PROPORTION, 0.03, 1_500, alpha=alpha) == near(float(expected), rel=1e-6)


@pytest.mark.parametrize("baseline", [PROPORTION, MEAN, Baseline(0.6)])
@pytest.mark.parametrize("users", [200, 100_000])
def test_what_is_detectable_is_found_with_the_power_that_was_asked_for(baseline: Baseline, users: int) -> None:
    effect = detectable(baseline, users, power=0.9)
    assert effect and power_of(baseline, effect, users) == near(0.9, abs=1e-6)
    assert users_needed(baseline, effect * (1 + 1e-9), power=0.9) == users


def test_too_few_users_find_no_proportion_at_all() -> None:
    assert detectable(Baseline(0.9), 20) is None


def test_days_are_the_users_of_the_smallest_group_over_the_traffic() -> None:
    found = plan(PROPORTION, 0.25, weights=[2, 1], users_a_day=500, traffic=0.5)
    each = users_needed(PROPORTION, 0.03)
    assert (found.users_each, found.users, found.days) == (each, 3 * each, -(-3 * each // 250))
    assert plan(PROPORTION, 0.25, weights=[1, 1], users_a_day=0).days is None


def test_each_variant_more_makes_the_comparison_stricter() -> None:
    two, four = (plan(MEAN, 0.1, weights=[1] * groups, users_a_day=100) for groups in (2, 4))
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
        plan(baseline, effect, **{"weights": [1, 1], "users_a_day": 10} | changes)
    assert raised.value.field == field
