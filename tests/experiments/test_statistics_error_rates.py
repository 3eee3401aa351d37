"""How often the statistics err, simulated: that the formulas are right for data, not only equal to a library's."""

from collections.abc import Callable

import numpy as np
import pytest

from experiments.statistics.arms import Arm, Sums, mean, pooled_theta, quantile, quantile_levels, ratio
from experiments.statistics.effects import Effect, always_valid, compare, fixed_horizon
from experiments.statistics.planning import Baseline, users_needed
from tests.experiments.sums import sums

TESTS = 1_000
NOISE = 4 * (0.05 * 0.95 / TESTS) ** 0.5  # four standard errors of a share of 5 %
Draw = Callable[[np.random.Generator], Arm | None]


def revenue(random: np.random.Generator) -> Arm | None:
    return mean(sums((random.random(400) < 0.3) * random.lognormal(3, 0.8, 400)))


def clicks_a_view(random: np.random.Generator) -> Arm | None:
    views = random.poisson(random.gamma(2, 3, 300)) + 1
    return ratio(sums(random.binomial(views, random.beta(2, 5, 300)), views))


def latency(random: np.random.Generator) -> Arm | None:
    rows = random.lognormal(random.normal(3, 0.3, (300, 1)), 0.4, (300, 5))
    levels = quantile_levels(0.9, rows.size)
    assert levels
    value, low, high = np.quantile(rows, [0.9, *levels])
    return quantile(0.9, value=value, low=low, high=high, users=sums((rows <= value).sum(1), np.full(300, 5)))


@pytest.mark.parametrize("draw", [revenue, clicks_a_view, latency])
@pytest.mark.parametrize("relative", [False, True])
def test_the_fixed_interval_holds_the_truth_in_95_percent(draw: Draw, relative: bool) -> None:
    random = np.random.default_rng(1)
    missed = 0
    for _ in range(TESTS):
        comparison = compare(draw(random), draw(random))
        effect = comparison.relative if relative else comparison.absolute
        assert effect
        missed += fixed_horizon(effect).p < 0.05
    assert missed / TESTS == pytest.approx(0.05, abs=NOISE)


def test_peeking_daily_fools_the_fixed_interval_and_not_the_always_valid_one() -> None:
    random = np.random.default_rng(2)
    fooled = {fixed_horizon: 0, always_valid: 0}
    for _ in range(300):
        days = [compare(*arms).absolute for arms in zip(growing(random), growing(random), strict=True)]
        for look in fooled:
            fooled[look] += any(look(day).p < 0.05 for day in days if day)
    assert fooled[always_valid] / 300 <= 0.05
    assert fooled[fixed_horizon] / 300 > 0.15


def growing(random: np.random.Generator) -> list[Arm | None]:
    """The arm of a variant after each of 30 days with 100 new users."""
    spent = random.lognormal(2, 1, (30, 100))
    totals, squares = spent.sum(1).cumsum(), (spent**2).sum(1).cumsum()
    return [mean(Sums(100 * day, totals[day - 1], squares[day - 1])) for day in range(1, 31)]


def test_the_always_valid_interval_still_finds_what_is_there() -> None:
    found = always_valid(Effect(estimate=0.1, error=0.02, df=np.inf, users=5_000))
    assert 0 < found.low < 0.1 < found.high and found.p < 0.05


def test_cuped_cuts_a_third_of_the_variance_at_a_correlation_of_06() -> None:
    random = np.random.default_rng(3)
    plain, adjusted = np.array([differences(random) for _ in range(500)]).T
    assert 1 - adjusted.var() / plain.var() == pytest.approx(0.36, abs=0.06)


def differences(random: np.random.Generator) -> tuple[float, float]:
    before = random.normal(10, 3, (2, 200))
    after = 0.6 * before + random.normal(5, 0.8 * 3, (2, 200))
    variants = [sums(y, x) for y, x in zip(after, before, strict=True)]
    plain, adjusted = (
        compare(*(mean(variant, theta) for variant in variants)).absolute for theta in (0.0, pooled_theta(variants))
    )
    assert plain and adjusted and 1 - (adjusted.error / plain.error) ** 2 > 0.2
    return plain.estimate, adjusted.estimate


def test_the_planned_users_have_the_planned_power() -> None:
    baseline, random = Baseline(0.2), np.random.default_rng(4)
    users = users_needed(baseline, 0.02)
    successes = random.binomial(users, [[0.2, 0.22]], (4_000, 2))
    shares = successes / users
    errors = (shares * (1 - shares) / users).sum(1) ** 0.5
    assert (np.abs(shares[:, 1] - shares[:, 0]) / errors > 1.959964).mean() == pytest.approx(0.8, abs=0.02)
