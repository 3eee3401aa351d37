"""The statistics equal scipy's and statsmodels' to 1e-6, each by its own way from rows of users."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats import proportion as two_proportions
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW
from statsmodels.tools import add_constant

from experiments.statistics.arms import Arm, mean, pooled_theta, proportion, quantile, quantile_levels, ratio
from experiments.statistics.effects import (
    Effect,
    Prior,
    bayesian,
    benjamini_hochberg,
    compare,
    fixed_horizon,
    holm,
    sample_ratio_p,
)
from tests.experiments.sums import shares, sums

near = pytest.approx
CONTROL, VARIANT = (np.random.default_rng(seed).gamma(2, 4 + seed / 2, 400 + 90 * seed) for seed in (1, 2))


def effects(control: Arm | None, variant: Arm | None) -> tuple[Effect, Effect]:
    comparison = compare(control, variant)
    assert comparison.absolute and comparison.relative and not comparison.missing
    return comparison.absolute, comparison.relative


def test_means_are_compared_as_welch_does() -> None:
    absolute, _ = effects(mean(sums(CONTROL)), mean(sums(VARIANT)))
    found = fixed_horizon(absolute, alpha=0.1)
    reference = stats.ttest_ind(VARIANT, CONTROL, equal_var=False)
    interval = reference.confidence_interval(0.9)
    assert (found.p, absolute.df) == (near(reference.pvalue, rel=1e-6), near(reference.df, rel=1e-6))
    assert (found.low, found.high) == (near(interval.low, rel=1e-6), near(interval.high, rel=1e-6))
    means = CompareMeans(DescrStatsW(VARIANT), DescrStatsW(CONTROL))
    assert (found.low, found.high) == near(means.tconfint_diff(alpha=0.1, usevar="unequal"), rel=1e-6)


@pytest.mark.parametrize(("control", "variant"), [((42, 104), (500, 1009)), ((3, 4000), (9, 4100))])
def test_proportions_are_compared_by_the_unpooled_z(control: tuple[int, int], variant: tuple[int, int]) -> None:
    absolute = compare(proportion(shares(*control)), proportion(shares(*variant))).absolute
    assert absolute
    found = fixed_horizon(absolute)
    assert found.p == near(two_proportions.test_proportions_2indep(*variant, *control, method="wald").pvalue, rel=1e-6)
    assert (found.low, found.high) == near(
        two_proportions.confint_proportions_2indep(*variant, *control, method="wald"), rel=1e-6
    )


def test_a_relative_effect_has_the_error_of_a_ratio_of_means() -> None:
    """The delta method by its definition: the gradient of variant / control - 1, by the covariance of both means."""
    _, relative = effects(mean(sums(CONTROL)), mean(sums(VARIANT)))
    a, b = CONTROL.mean(), VARIANT.mean()
    gradient = np.array([-b / a**2, 1 / a])
    covariance = np.diag([stats.sem(CONTROL) ** 2, stats.sem(VARIANT) ** 2])
    assert relative.estimate == near(b / a - 1, rel=1e-6)
    assert relative.error == near((gradient @ covariance @ gradient) ** 0.5, rel=1e-6)


def test_a_ratio_has_the_error_of_a_regression_without_intercept() -> None:
    """Weighted by 1/x, the slope of y on x is sum(y) / sum(x), and its robust error that of the delta method."""
    random = np.random.default_rng(5)
    views = random.poisson(6, 300) + 1.0
    clicks = random.binomial(views.astype(int), 0.3)
    arm = ratio(sums(clicks, views))
    assert arm
    residuals = clicks - clicks.sum() / views.sum() * views
    assert arm.mean == near(clicks.sum() / views.sum(), rel=1e-6)
    assert arm.squared_error() ** 0.5 == near(stats.sem(residuals) / views.mean(), rel=1e-6)
    fit = OLS(clicks / views**0.5, views**0.5).fit(cov_type="HC0")
    assert arm.squared_error() * 299 / 300 == near(float(fit.bse[0]) ** 2, rel=1e-6)


def test_cuped_is_the_difference_of_the_residuals_of_one_regression_over_all_users() -> None:
    random = np.random.default_rng(6)
    before = [random.normal(20, 5, n) for n in (300, 400, 350)]
    after = [one * 0.6 + random.normal(5 + lift, 4, len(one)) for one, lift in zip(before, (0, 1, 2), strict=True)]
    variants = [sums(y, x) for y, x in zip(after, before, strict=True)]
    theta = pooled_theta(variants)
    fit = OLS(np.concatenate(after), add_constant(np.concatenate(before))).fit()
    assert theta == near(float(fit.params[1]), rel=1e-6)
    rests = [y - fit.params[1] * x for y, x in zip(after, before, strict=True)]
    reference = stats.ttest_ind(rests[2], rests[0], equal_var=False)
    absolute, relative = effects(mean(variants[0], theta), mean(variants[2], theta))
    assert absolute.estimate == near(rests[2].mean() - rests[0].mean(), rel=1e-6)
    assert fixed_horizon(absolute).p == near(reference.pvalue, rel=1e-6)
    assert relative.estimate == near(absolute.estimate / after[0].mean(), rel=1e-6)
    scaled = after[2].mean() / after[0].mean() * after[0] - theta * before[0]
    error = np.hypot(stats.sem(rests[2]), stats.sem(scaled)) / after[0].mean()
    assert relative.error == near(error, rel=1e-6)


def test_a_quantile_of_one_row_a_user_has_the_error_of_its_order_statistics() -> None:
    rows = np.random.default_rng(7).lognormal(3, 0.5, 5_000)
    levels = quantile_levels(0.95, len(rows)) or ()
    assert levels == near(stats.norm.interval(0.95, 0.95, (0.95 * 0.05 / 5_000) ** 0.5), rel=1e-6)
    value, low, high = np.quantile(rows, [0.95, *levels])
    arm = quantile(0.95, value=value, low=low, high=high, users=sums(rows <= value, np.ones(len(rows))))
    assert arm
    assert arm.squared_error() ** 0.5 == near((high - low) / 2 / stats.norm.ppf(0.975), rel=1e-6)


@pytest.mark.parametrize("prior", [None, Prior(0.02, 0.1)])
@pytest.mark.parametrize("higher_is_better", [True, False])
def test_the_posterior_is_the_normal_one_and_the_loss_its_integral(prior: Prior | None, higher_is_better: bool) -> None:
    effect = Effect(estimate=0.05, error=0.04, df=np.inf, users=1_000)
    found = bayesian(effect, prior=prior, higher_is_better=higher_is_better)
    grid = np.linspace(-0.6, 0.6, 1_200_001)
    density = stats.norm.pdf(grid, 0.05, 0.04) * (stats.norm.pdf(grid, prior.mean, prior.deviation) if prior else 1)
    density /= density.sum()
    gain = grid if higher_is_better else -grid
    assert found.mean == near((density * grid).sum(), rel=1e-6)
    assert found.expected_loss == near((density * np.maximum(-gain, 0)).sum(), rel=1e-6)
    assert found.chance_to_win == near(density[gain > 0].sum() + density[gain == 0].sum() / 2, abs=1e-6)
    deviation = (density * (grid - found.mean) ** 2).sum() ** 0.5
    assert (found.low, found.high) == near(stats.norm.interval(0.95, found.mean, deviation), rel=1e-6)


@pytest.mark.parametrize(
    ("users", "weights"), [((500, 560), (1, 1)), ((40, 61, 99), (0.2, 0.3, 0.5)), ((0, 9), (2, 1))]
)
def test_the_sample_ratio_is_pearsons_chi_squared(users: tuple[int, ...], weights: tuple[float, ...]) -> None:
    expected = np.array(weights) / sum(weights) * sum(users)
    assert sample_ratio_p(users, weights) == near(stats.chisquare(users, expected).pvalue, rel=1e-6)


@pytest.mark.parametrize("p", [[0.01, 0.04, 0.03, 0.005], [0.5], [0.02, 0.02, 0.9], [1.0, 0.0, 0.6, 1e-9], []])
def test_p_values_are_adjusted_as_statsmodels_does(p: list[float]) -> None:
    for adjust, method in ((holm, "holm"), (benjamini_hochberg, "fdr_bh")):
        assert adjust(p) == near(list(multipletests(p, method=method)[1]) if p else [], rel=1e-6)
