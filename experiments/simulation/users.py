"""What the users of a simulated test do, before their exposure and after it, and what that makes a plan of. Pure.

The effect is relative to the mean without it and the same for every user, so it widens a mean as little as the plan
expects. `correlation` (0 to below 1) is that of before and after, without the effect:

- proportion: u, uniform, says how little a user is inclined. With probability `correlation` it is after as it was
  before, else it is drawn anew. They act where u < 0.2, after with the effect where u < 0.2 (1 + effect).
- count: a Poisson number with mean 2, whose rate is the user's own where there is a correlation: Gamma distributed with
  shape 2 (1 - correlation) / correlation, so that var(rate) / (var(rate) + 2) is the correlation. The effect adds
  2 effect to the rate.
- mean: one purchase of 20 on average, log-normal with sigma 0.4. The logarithms have the correlation
  log(1 + correlation (exp(sigma²) - 1)) / sigma². The effect adds 20 effect.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.results.figures import arms_of
from experiments.results.metrics import METRICS, Metric
from experiments.statistics.arms import Arm, Sums
from experiments.statistics.planning import Baseline

SHARE = 0.2
COUNT = 2.0
AMOUNT = 20.0
SIGMA = 0.4
SHOP = 1_000_000  # users that a plan is made of
DRAWN = [name for name, metric in METRICS.items() if metric.source == "outcomes"]
Numbers = NDArray[np.float64]
Draw = Callable[[Numbers, float, np.random.Generator], tuple[Numbers, Numbers]]


@dataclass(frozen=True)
class Done:
    """What each user did: the metric before the exposure (0 where it says nothing of what comes) and after it."""

    before: Numbers
    after: Numbers


def draw(metric: Metric, effects: Numbers, correlation: float, random: np.random.Generator) -> Done:
    """`effects` are the relative ones on each user, 0 in the control."""
    before, after = DRAWS[metric.kind](effects, correlation, random)
    return Done(before if correlation else np.zeros(len(effects)), after)


def rows_of(metric: Metric, numbers: Numbers) -> tuple[NDArray[np.intp], Numbers]:
    """Outcomes that make these numbers of users: the place of each one's user, and its value."""
    if metric.adds:
        users = np.flatnonzero(numbers)
        return users, numbers[users]
    users = np.repeat(np.arange(len(numbers)), numbers.astype(int))
    return users, np.ones(len(users))


def baseline(metric: Metric, correlation: float, random: np.random.Generator) -> Baseline:
    """The metric without an effect as the results see it, with its cap and what CUPED leaves of the variance, over a
    shop of SHOP users.
    """
    done = draw(metric, np.zeros(SHOP), correlation, random)
    x, y = done.before, done.after
    if metric.winsorised:
        cap = np.quantile(y[y > 0], metric.winsorised)
        x, y = np.minimum(x, cap), np.minimum(y, cap)
    sums = Sums(SHOP, *(float(one) for one in (y.sum(), y @ y, x.sum(), x @ x, x @ y)))
    arm: Arm = arms_of(metric, {"": sums})[0][""]  # type: ignore[assignment]  # there are users
    return Baseline(arm.mean, None if arm.normal else arm.squared_error() * SHOP)


def _proportion(effects: Numbers, correlation: float, random: np.random.Generator) -> tuple[Numbers, Numbers]:
    before, anew, same = random.random((3, len(effects)))
    after = np.where(same < correlation, before, anew)
    return (before < SHARE).astype(float), (after < SHARE * (1 + effects)).astype(float)


def _count(effects: Numbers, correlation: float, random: np.random.Generator) -> tuple[Numbers, Numbers]:
    rates = np.full(len(effects), COUNT)
    if correlation:
        shape = COUNT * (1 - correlation) / correlation
        rates = random.gamma(shape, COUNT / shape, len(effects))
    return random.poisson(rates).astype(float), random.poisson(rates + COUNT * effects).astype(float)


def _mean(effects: Numbers, correlation: float, random: np.random.Generator) -> tuple[Numbers, Numbers]:
    of_logs = math.log1p(correlation * math.expm1(SIGMA**2)) / SIGMA**2
    first, second = random.standard_normal((2, len(effects)))
    second = of_logs * first + math.sqrt(1 - of_logs**2) * second
    before, after = (AMOUNT * np.exp(SIGMA * normal - SIGMA**2 / 2) for normal in (first, second))
    return before.round(2), (after + AMOUNT * effects).round(2)


DRAWS: dict[str, Draw] = {"proportion": _proportion, "count": _count, "mean": _mean}
