"""What simulated users do has the means, the effects and the correlations that it is said to have."""

from math import exp, log

import numpy as np
import pytest
from scipy import stats

from experiments.results.metrics import METRICS
from experiments.simulation.users import AMOUNT, COUNT, DRAWN, SHARE, SIGMA, Done, baseline, draw, rows_of

USERS = 200_000
MEANS = {"proportion": SHARE, "count": COUNT, "mean": AMOUNT}
every_metric = pytest.mark.parametrize("name", DRAWN)


def drawn(name: str, effect: float = 0.0, correlation: float = 0.0) -> Done:
    return draw(METRICS[name], np.full(USERS, effect), correlation, np.random.default_rng(1))


def test_what_can_be_drawn_is_what_users_do() -> None:
    assert set(DRAWN) == {"click_rate", "cart_rate", "purchase_rate", "clicks_per_user", "revenue_per_user"}


@every_metric
@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_the_effect_is_relative_to_the_mean(name: str, correlation: float) -> None:
    mean = MEANS[METRICS[name].kind]
    assert drawn(name, 0.0, correlation).after.mean() == pytest.approx(mean, rel=0.02)
    assert drawn(name, 0.5, correlation).after.mean() == pytest.approx(1.5 * mean, rel=0.02)


@every_metric
def test_the_effect_is_of_the_users_who_have_it(name: str) -> None:
    effects = np.where(np.arange(USERS) < USERS / 2, 0.0, 0.5)
    after = draw(METRICS[name], effects, 0.0, np.random.default_rng(1)).after
    means = after[effects == 0].mean(), after[effects > 0].mean()
    assert means[1] / means[0] == pytest.approx(1.5, rel=0.03)


@every_metric
@pytest.mark.parametrize("correlation", [0.3, 0.6, 0.95])
def test_before_and_after_are_correlated_as_asked(name: str, correlation: float) -> None:
    done = drawn(name, 0.0, correlation)
    assert np.corrcoef(done.before, done.after)[0, 1] == pytest.approx(correlation, abs=0.01)
    assert done.before.mean() == pytest.approx(MEANS[METRICS[name].kind], rel=0.02)


@every_metric
def test_without_a_correlation_nothing_is_known_from_before(name: str) -> None:
    assert not drawn(name).before.any()


def test_the_effect_widens_no_revenue() -> None:
    assert drawn("revenue_per_user", 0.5).after.std() == pytest.approx(drawn("revenue_per_user").after.std(), rel=1e-3)


@every_metric
def test_outcomes_make_the_numbers_that_were_drawn(name: str) -> None:
    numbers = drawn(name).after
    users, values = rows_of(METRICS[name], numbers)
    assert np.bincount(users, values, USERS) == pytest.approx(numbers)
    assert values.min() > 0


def test_a_share_is_planned_as_a_share_and_with_cuped_as_a_mean() -> None:
    plain, cuped = (baseline(METRICS["click_rate"], correlation, np.random.default_rng(1)) for correlation in (0, 0.6))
    assert (plain.mean, plain.variance) == (pytest.approx(SHARE, rel=0.01), None)
    assert cuped.variance == pytest.approx(SHARE * (1 - SHARE) * (1 - 0.6**2), rel=0.01)


def test_clicks_are_planned_with_what_cuped_leaves_of_their_variance() -> None:
    plain, cuped = (
        baseline(METRICS["clicks_per_user"], correlation, np.random.default_rng(1)) for correlation in (0, 0.6)
    )
    assert plain.variance == pytest.approx(COUNT, rel=0.01)
    assert cuped.variance == pytest.approx(COUNT / (1 - 0.6) * (1 - 0.6**2), rel=0.01)


def test_revenue_is_planned_with_its_cap() -> None:
    """The moments of a log-normal number that is cut off are known."""
    middle = log(AMOUNT) - SIGMA**2 / 2
    cap = middle + SIGMA * stats.norm.ppf(0.99)
    mean, square = (
        exp(power * middle + (power * SIGMA) ** 2 / 2) * stats.norm.cdf((cap - middle) / SIGMA - power * SIGMA)
        + exp(power * cap) * 0.01
        for power in (1, 2)
    )
    found = baseline(METRICS["revenue_per_user"], 0.0, np.random.default_rng(1))
    assert found.mean == pytest.approx(mean, rel=2e-3)
    assert found.variance == pytest.approx(square - mean**2, rel=0.01)
