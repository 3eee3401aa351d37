"""The statistics give the numbers that GrowthBook and Spotify Confidence publish in their own tests.

From growthbook/growthbook `packages/stats/tests` (test_tests.py of frequentist and bayesian, test_utils.py) and
spotify/confidence `tests/frequentist` (test_ttest.py, test_chisquared.py) and `tests/samplesize`, to the digits that
stand there.
"""

import pytest

from experiments.statistics.arms import Sums, mean, pooled_theta, proportion, quantile
from experiments.statistics.effects import (
    Comparison,
    Effect,
    Prior,
    always_valid,
    bayesian,
    compare,
    fixed_horizon,
    sample_ratio_p,
)
from experiments.statistics.planning import Baseline, users_needed
from tests.experiments.sums import shares

REVENUE = (Sums(3407, 1396.87, 52377.9767), Sums(3461, 2422.7, 134698.29))
FEWER = (Sums(3000, 1396.87, 52377.9767), Sums(3461, 2422.7, 134698.29))


def digits(*numbers: float) -> object:
    return pytest.approx(numbers, abs=5.1e-6)


def effect(comparison: Comparison, *, relative: bool) -> Effect:
    found = comparison.relative if relative else comparison.absolute
    assert found
    return found


def test_growthbooks_t_test() -> None:
    comparison = compare(*map(mean, REVENUE))
    relative, absolute = effect(comparison, relative=True), effect(comparison, relative=False)
    found = fixed_horizon(relative)
    assert (relative.estimate, relative.error, found.low, found.high, found.p) == digits(
        0.70732, 0.37879, -0.03526, 1.44989, 0.06191
    )
    found = fixed_horizon(absolute)
    assert (absolute.estimate, absolute.error, found.low, found.high, found.p) == digits(
        0.29, 0.12478, 0.04538, 0.53462, 0.02016
    )


def test_growthbooks_proportions() -> None:
    """GrowthBook reads Student's t off this error, where a z is asked for here: 0.80707 becomes 0.80617."""
    found = effect(compare(proportion(shares(14, 28)), proportion(shares(16, 30))), relative=True)
    assert (found.estimate, found.error) == digits(0.06667, 0.2717)


def test_growthbooks_sequential_test() -> None:
    relative = effect(compare(*map(mean, FEWER)), relative=True)
    found = always_valid(relative, tuned_for=1_000)
    assert (relative.estimate, found.low, found.high, found.p) == digits(0.50336, -0.55844, 1.56516, 1)
    relative = effect(compare(proportion(shares(1396, 3000)), proportion(shares(2422, 3461))), relative=True)
    found = always_valid(relative)
    assert (relative.estimate, found.low, found.high, found.p) == digits(0.50386, 0.40098, 0.60675, 0)


def test_growthbooks_sequential_p_value() -> None:
    """Computed with `SequentialTwoSidedTTest` of gbstats 0.8.0, whose published ones are 0 and 1."""
    comparison = compare(*map(mean, REVENUE))
    for relative, low, high, p in (
        (False, -0.08941009553834556, 0.6694100955383455, 0.290744559185973),
        (True, -0.4444237691289097, 1.859057915470373, 0.6986728582483058),
    ):
        found = always_valid(effect(comparison, relative=relative))
        assert (found.low, found.high, found.p) == pytest.approx((low, high, p), rel=1e-6)


def test_growthbooks_cuped_in_a_sequential_test() -> None:
    variants = [Sums(3000, 1396.87, 52377.9767, 16.87, 527.9767, 1), Sums(3461, 2422.7, 134698.29, 22.7, 1348.29, 1)]
    theta = pooled_theta(variants)
    relative = effect(compare(*(mean(sums, theta) for sums in variants)), relative=True)
    found = always_valid(relative)
    assert (relative.estimate, relative.error, found.low, found.high) == digits(0.50338, 0.33341, -0.50969, 1.51646)


def test_growthbooks_bayesian_engine() -> None:
    found = bayesian(effect(compare(proportion(shares(49, 100)), proportion(shares(51, 100))), relative=True))
    assert (found.mean, found.low, found.high, found.chance_to_win, found.expected_loss) == digits(
        0.04082, -0.24779, 0.32943, 0.60918, 0.04058
    )
    relative = effect(compare(mean(Sums(10, 100, 1002.25)), mean(Sums(10, 105, 1111.5))), relative=True)
    found = bayesian(relative)
    assert (found.mean, found.low, found.high, found.chance_to_win, found.expected_loss) == digits(
        0.05, -0.02, 0.12, 0.91923, 0.00131
    )
    found = bayesian(relative, prior=Prior(0.1, 0.1**0.5))
    assert (found.mean, found.low, found.high, found.chance_to_win, found.expected_loss) == digits(
        0.05063, -0.01893, 0.12019, 0.92315, 0.00123
    )


def test_growthbooks_quantiles() -> None:
    """Its example has no clusters, which is here that each user has one row, and rows alike by n / (n - 1)."""
    control = quantile(
        0.9, value=7.157987489967789, low=7.098780136176828, high=7.217194843758751, users=one_row(11054)
    )
    variant = quantile(0.9, value=7.694499927525767, low=7.64180598628119, high=7.747193868770344, users=one_row(10861))
    found = bayesian(effect(compare(control, variant), relative=False))
    assert (found.mean, found.low, found.high) == digits(0.5365124375579775, 0.4572559589115422, 0.6157689162044128)


def one_row(users: int) -> Sums:
    below = 0.9 * users
    return Sums(users, below, below, users, users, below)


def test_growthbooks_clustered_quantiles() -> None:
    """Computed with `QuantileClusteredStatistic` of gbstats 0.8.0, two-sided test of the absolute effect."""
    control = quantile(0.95, value=57.5, low=53.7, high=61.4, users=Sums(400, 2622, 19462, 2760, 21306, 20229))
    variant = quantile(0.95, value=53.9, low=51.5, high=58.2, users=Sums(420, 2890, 22720, 3043, 24867, 23595))
    absolute = effect(compare(control, variant), relative=False)
    assert (absolute.estimate, absolute.error) == pytest.approx((-3.6, 3.7763773958684697), rel=1e-6)


def test_growthbooks_sample_ratio() -> None:
    assert sample_ratio_p([1000, 1200], [0.5, 0.5]) == pytest.approx(0.000020079, abs=5.1e-10)


@pytest.mark.parametrize(
    ("control", "variant", "published"),
    [
        (Sums(104, 312, 984), Sums(1009, 1969, 5767), (-1.048563, -1.205963, -0.891163, 0)),
        (Sums(10, 24, 80), Sums(150, 330, 1010), (-0.2, -1.340533, 0.940533, 0.704021)),
        (Sums(22, 8, 12), Sums(1010, 500, 2500), (0.131413, -0.172704, 0.435531, 0.382552)),
    ],
)
def test_spotifys_t_test(control: Sums, variant: Sums, published: tuple[float, ...]) -> None:
    absolute = effect(compare(mean(control), mean(variant)), relative=False)
    found = fixed_horizon(absolute)
    assert (absolute.estimate, found.low, found.high, found.p) == pytest.approx(published, abs=1e-6)


def test_spotifys_proportions() -> None:
    """Spotify's relative interval is the absolute one over the control's mean; here it has the control's error too."""
    comparison = compare(proportion(shares(42, 104)), proportion(shares(500, 1009)))
    for alpha, low, high in ((0.05, -0.0075254411815593725, 0.190913), (0.001, -0.074883, 0.258271)):
        found = fixed_horizon(effect(comparison, relative=False), alpha)
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-6)
    assert effect(comparison, relative=True).estimate == pytest.approx(0.227052, abs=1e-6)


def test_spotifys_sample_sizes_and_gpowers() -> None:
    """G*Power has t instead of z, and Spotify asks for 0.5 %."""
    each = users_needed(Baseline(0, 100), 0.3, power=0.85)
    assert 2 * each == pytest.approx(39906, rel=0.005)
    each = users_needed(Baseline(0.34), 0.003, power=0.85)
    assert 2 * each == pytest.approx(897348, rel=0.005)
