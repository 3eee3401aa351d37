"""How many users a test needs to find what is worth finding, and how many days they take to come.

Two equal groups, two-sided, normal approximation, variances not pooled, as the comparison has them: each group needs
n = (z(1 - alpha/2) + z(power))² (var_control + var_variant) / effect² users (Duflo, Glennerster and Kremer 2007, "Using
Randomization in Development Economics Research"). Each of several variants is compared with the control, so alpha is
divided by their number (Bonferroni).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist

from experiments.errors import Invalid
from experiments.statistics.effects import ALPHA

POWER = 0.8
NORMAL = NormalDist()


@dataclass(frozen=True)
class Baseline:
    """What the metric is without the test: the `mean` over users and the `variance` of one user. None for a proportion,
    whose variance its mean gives. Where CUPED will explain a share of the variance, it is smaller by that share.
    """

    mean: float
    variance: float | None = None

    def __post_init__(self) -> None:
        if self.variance is None and not 0 < self.mean < 1:
            raise Invalid("mean", "mean: a proportion is planned from a baseline between 0 and 1, both excluded.")
        if self.variance is not None and not 0 < self.variance < math.inf:
            raise Invalid("variance", "variance: is over 0.")

    def variance_at(self, mean: float) -> float:
        return mean * (1 - mean) if self.variance is None else self.variance


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`users` in all, so that the smallest group has `users_each`. `alpha` is that of one comparison."""

    users_each: int
    users: int
    alpha: float
    power: float


def users_needed(baseline: Baseline, effect: float, *, alpha: float = ALPHA, power: float = POWER) -> int:
    """Users in each group for finding an absolute `effect` with probability `power`."""
    reach = NORMAL.inv_cdf(1 - alpha / 2) + NORMAL.inv_cdf(power)
    return math.ceil(reach**2 * _variances(baseline, effect) / effect**2)


def power_of(baseline: Baseline, effect: float, users: int, *, alpha: float = ALPHA) -> float:
    """The probability that `users` in each group find an absolute `effect`, in either direction."""
    shift = abs(effect) / math.sqrt(_variances(baseline, effect) / users)
    limit = NORMAL.inv_cdf(1 - alpha / 2)
    return NORMAL.cdf(shift - limit) + NORMAL.cdf(-shift - limit)


def plan(
    baseline: Baseline,
    smallest_effect: float,
    *,
    weights: Sequence[float],
    alpha: float = ALPHA,
    power: float = POWER,
) -> Plan:
    """A plan for finding a relative `smallest_effect` (0.05 for +5 %) in any variant of a test.

    `weights` are the control's and each variant's.
    """
    if not baseline.mean:
        raise Invalid("mean", "mean: a relative effect needs a baseline other than 0.")
    if len(weights) < 2 or min(weights) <= 0:
        raise Invalid("weights", "weights: at least two, each over 0.")
    if not 0 < alpha < power < 1:
        raise Invalid("power", "power: over alpha, which is over 0, and under 1.")
    if not 0 < smallest_effect < math.inf:
        raise Invalid("smallest_effect", "smallest_effect: is over 0.")
    alpha /= len(weights) - 1
    each = users_needed(baseline, smallest_effect * abs(baseline.mean), alpha=alpha, power=power)
    users = math.ceil(each * sum(weights) / min(weights))
    return Plan(users_each=each, users=users, alpha=alpha, power=power)


def days_until(users: float, came: Sequence[int]) -> int | None:
    """How many days so many users take to come, where on each day of the past so many `came` for the first time. After
    as many days, as many come each day as in the later half of them: those who come regularly have come by then. None
    where nobody does.
    """
    reached = list(accumulate(came))
    if reached and reached[-1] >= users:
        return next(day for day, count in enumerate(reached, start=1) if count >= users)
    daily = daily_new(came)
    return len(came) + math.ceil((users - sum(came)) / daily) if daily else None


def daily_new(came: Sequence[int]) -> float:
    """New users a day in the later half of these days."""
    later = came[len(came) // 2 :]
    return sum(later) / len(later) if later else 0.0


def _variances(baseline: Baseline, effect: float) -> float:
    """Of one user of the control and one of the variant, added."""
    if baseline.variance is None and not 0 <= baseline.mean + effect <= 1:
        raise Invalid("smallest_effect", f"smallest_effect: no proportion is {baseline.mean + effect:g}.")
    return baseline.variance_at(baseline.mean) + baseline.variance_at(baseline.mean + effect)
