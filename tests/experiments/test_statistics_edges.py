"""Where a figure cannot be known there is None and the reason, never NaN or infinity; what is wrong is named."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from experiments.errors import Invalid
from experiments.statistics.arms import Arm, Sums, mean, pooled_theta, proportion, quantile, quantile_levels, ratio
from experiments.statistics.effects import (
    Effect,
    Interval,
    always_valid,
    bayesian,
    benjamini_hochberg,
    compare,
    fixed_horizon,
    holm,
    sample_ratio_p,
)
from tests.experiments.sums import shares, sums

KINDS: list[Callable[[Sums], Arm | None]] = [proportion, mean, ratio, lambda found: mean(found, theta=0.5)]
ARMS = [
    sums(y, x)
    for y, x in (
        (np.array([]), np.array([])),
        ([1], [1]),
        ([0, 0, 0], [0, 0, 0]),
        ([1, 1, 1], [2, 2, 2]),
        ([0, 1, 1, 0], [1, 1, 2, 3]),
        ([0, 1] * 500, [1, 2] * 500),
    )
]


def finite(found: Any) -> bool:
    return all(value is None or isinstance(value, str) or math.isfinite(value) for value in vars(found).values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("control", ARMS)
@pytest.mark.parametrize("variant", ARMS)
def test_no_figure_is_nan_or_infinite(kind: Callable[[Sums], Arm | None], control: Sums, variant: Sums) -> None:
    comparison = compare(kind(control), kind(variant))
    assert bool(comparison.missing) == (comparison.relative is None)
    for effect in filter(None, (comparison.absolute, comparison.relative)):
        assert effect.error > 0
        assert finite(dataclasses.replace(effect, df=1))
        assert finite(fixed_horizon(effect))
        assert finite(always_valid(effect))
        assert finite(bayesian(effect))


@pytest.mark.parametrize(
    ("control", "variant", "reason"),
    [
        (shares(0, 0), shares(5, 10), "fewer than two users"),
        (shares(5, 10), shares(1, 1), "fewer than two users"),
        (shares(0, 10), shares(5, 10), "no user differs"),
        (shares(5, 10), shares(10, 10), "no user differs"),
    ],
)
def test_what_is_missing_is_said(control: Sums, variant: Sums, reason: str) -> None:
    comparison = compare(proportion(control), proportion(variant))
    assert comparison.absolute is None and comparison.relative is None and reason in comparison.missing


@pytest.mark.parametrize("control", [[-1, 1] * 50, [0] * 95 + [1] * 5])
def test_near_zero_there_is_an_absolute_effect_and_no_relative_one(control: list[int]) -> None:
    comparison = compare(mean(sums(control)), mean(sums([0, 4] * 50)))
    assert comparison.absolute and comparison.relative is None and "too near to 0" in comparison.missing


def test_up_is_up_below_zero_too() -> None:
    loss = np.random.default_rng(1).normal(-10, 1, 100)
    relative = compare(mean(sums(loss)), mean(sums(loss + 5))).relative
    assert relative and relative.estimate == pytest.approx(0.5, abs=0.02)


def test_rounding_is_no_variance() -> None:
    comparison = compare(mean(sums([0.1] * 100_000)), mean(sums([0.1] * 90_000 + [0.1 + 1e-12] * 10_000)))
    assert "no user differs" in comparison.missing
    same = mean(sums([1.1, 2.2, 3.3], [1.1, 2.2, 3.3]), theta=1.0)
    assert same and same.squared_error() == 0
    always_half = ratio(sums([0.1, 0.7, 0.3], [0.2, 1.4, 0.6]))
    assert always_half and always_half.variance == 0


def test_a_covariate_that_does_not_vary_adjusts_nothing() -> None:
    plain = sums([1, 2, 4, 9])
    assert pooled_theta([plain, plain]) == pooled_theta([sums(np.array([]))]) == 0
    assert pooled_theta([sums([1, 2, 4, 9], [3, 3, 3, 3])]) == 0


def test_more_successes_than_users_are_named() -> None:
    with pytest.raises(Invalid, match="12 of 10 users"):
        proportion(shares(12, 10))


def test_a_quantile_needs_rows_on_both_sides() -> None:
    assert [quantile_levels(0.95, rows) is None for rows in (0, 1, 72, 73)] == [True, True, True, False]
    assert quantile(0.95, value=1, low=1, high=1, users=Sums(0, 0, 0)) is None


@pytest.mark.parametrize(("users", "weights"), [([0, 0], [1, 1]), ([7], [1])])
def test_no_users_are_no_alarm(users: list[int], weights: list[float]) -> None:
    assert sample_ratio_p(users, weights) == 1


def test_a_weight_of_nothing_is_named() -> None:
    with pytest.raises(Invalid, match="weights"):
        sample_ratio_p([5, 5], [1, 0])


def test_nothing_to_adjust_is_nothing() -> None:
    assert holm([]) == benjamini_hochberg([]) == []


@pytest.mark.parametrize("look", [fixed_horizon, always_valid])
@pytest.mark.parametrize("alpha", [0.1, 0.05, 0.001])
@pytest.mark.parametrize("df", [12.5, math.inf])
def test_p_is_alpha_where_the_interval_begins_at_zero(look: Callable[..., Interval], alpha: float, df: float) -> None:
    half = look(Effect(estimate=0, error=0.3, df=df, users=800), alpha).high
    at_zero = look(Effect(estimate=half, error=0.3, df=df, users=800), alpha)
    assert (at_zero.low, at_zero.p) == (pytest.approx(0, abs=1e-9), pytest.approx(alpha, rel=1e-6))


def test_a_loss_is_not_under_zero() -> None:
    losses = [bayesian(Effect(estimate=z / 10, error=1, df=math.inf, users=9)).expected_loss for z in range(-90, 90)]
    assert min(losses) >= 0 and losses[0] == pytest.approx(9)


def test_evidence_beyond_what_a_float_holds_is_a_p_of_nothing() -> None:
    effect = compare(proportion(shares(10_000, 1_000_000)), proportion(shares(900_000, 1_000_000))).absolute
    assert effect and fixed_horizon(effect).p == always_valid(effect).p == bayesian(effect).expected_loss == 0
