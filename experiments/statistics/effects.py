"""How much a variant differs from the control and how sure that is: by a fixed horizon, at any time, and by Bayes.

All three read an `Effect`, an estimate with its standard error, so they hold for each kind of metric and with CUPED.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import scipy  # its parts are read when first used; no start waits for them

from experiments.errors import Invalid
from experiments.statistics.arms import Arm

ALPHA = 0.05
TUNED_FOR = 5_000
FAR = 5.0


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A difference with its standard error (over 0). `df`: Welch's degrees of freedom, infinite for a normal one."""

    estimate: float
    error: float
    df: float
    users: int


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a variant does to a metric. An effect that cannot be known is None, and `missing` says why."""

    absolute: Effect | None = None
    relative: Effect | None = None
    missing: str = ""


@dataclass(frozen=True)
class Interval:
    """`p` is under alpha exactly where 0 is outside of the interval."""

    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Prior:
    """A normal distribution of the effect, before the data."""

    mean: float
    deviation: float


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """`chance_to_win`: that the variant is better. `expected_loss`: by how much it is worse, 0 where it is better, on
    average, in the unit of the effect: what shipping it may cost.
    """

    mean: float
    low: float
    high: float
    chance_to_win: float
    expected_loss: float


def compare(control: Arm | None, variant: Arm | None) -> Comparison:
    """Absolute: variant less control. Relative: that divided by the size of the control's plain mean, with an error by
    the delta method. Of proportions this is the two-proportion z with unpooled variances, of means Welch's t. With
    CUPED the relative error is GrowthBook's: x is expected to be the same in all variants.

    Decide by the absolute one. A ratio is normal only where its denominator is far from 0: nearer than `FAR` standard
    errors there is no relative effect, and beyond them it is for reading.
    """
    if control is None or variant is None or min(control.n, variant.n) < 2:
        return Comparison(missing="A variant has fewer than two users.")
    squares = [arm.squared_error() for arm in (control, variant)]
    if not all(squares):
        return Comparison(missing="Within a variant no user differs from another: there is no error to judge by.")
    difference = (variant.mean - variant.shift) - (control.mean - control.shift)
    df = math.inf if control.normal else _welch(squares, [control.n, variant.n])
    users = control.n + variant.n
    absolute = Effect(estimate=difference, error=math.sqrt(sum(squares)), df=df, users=users)
    if control.mean**2 <= FAR**2 * control.variance / control.n:
        return Comparison(absolute=absolute, missing="The control's mean is too near to 0 to divide by.")
    error = math.sqrt(variant.squared_error() + control.squared_error(variant.mean / control.mean)) / abs(control.mean)
    relative = Effect(estimate=difference / abs(control.mean), error=error, df=df, users=users)
    return Comparison(absolute=absolute, relative=relative)


def _welch(squares: Sequence[float], users: Sequence[int]) -> float:
    """Degrees of freedom after Welch and Satterthwaite."""
    return float(sum(squares) ** 2 / sum(square**2 / (n - 1) for square, n in zip(squares, users, strict=True)))


def fixed_horizon(effect: Effect, alpha: float = ALPHA) -> Interval:
    """Interval and p-value of one look, at the size that was planned. Looked at daily, they err far more often."""
    half = float(scipy.special.stdtrit(effect.df, 1 - alpha / 2)) * effect.error
    p = 2 * float(scipy.special.stdtr(effect.df, -abs(effect.estimate) / effect.error))
    return Interval(effect.estimate - half, effect.estimate + half, p)


def always_valid(effect: Effect, alpha: float = ALPHA, tuned_for: int = TUNED_FOR) -> Interval:
    """Interval and p-value that may be looked at as often as one likes: over all looks together, the interval misses
    the truth with probability alpha at most.

    The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas ("Time-uniform central limit
    theory", arXiv 2103.06476v7, equations 9, 155 and 161), as GrowthBook's sequential testing has it: narrowest when
    `tuned_for` users are in. The p-value depends on alpha, through rho.
    """
    rho2 = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / tuned_for
    seen = effect.users * rho2
    half = effect.error * math.sqrt(2 * (seen + 1) / seen * math.log(math.sqrt(seen + 1) / alpha))
    evidence = (effect.estimate / effect.error) ** 2 * seen / (2 * (seen + 1)) - math.log(seen + 1) / 2
    return Interval(effect.estimate - half, effect.estimate + half, math.exp(min(0.0, -evidence)))


def bayesian(
    effect: Effect, *, prior: Prior | None = None, alpha: float = ALPHA, higher_is_better: bool = True
) -> Posterior:
    """The normal posterior of an effect, with a credible interval of 1 - alpha, as GrowthBook's Bayesian engine has it.

    Without a prior all effects are equally likely beforehand: improper and flat, GrowthBook's default. A prior is in
    the unit of the effect; GrowthBook's are on the relative one.
    """
    precision = effect.error**-2
    weighted = effect.estimate * precision
    if prior:
        precision += prior.deviation**-2
        weighted += prior.mean * prior.deviation**-2
    posterior = NormalDist(weighted / precision, precision**-0.5)
    gain = posterior if higher_is_better else posterior * -1
    return Posterior(
        mean=posterior.mean,
        low=posterior.inv_cdf(alpha / 2),
        high=posterior.inv_cdf(1 - alpha / 2),
        chance_to_win=1 - gain.cdf(0),
        expected_loss=max(0.0, gain.variance * gain.pdf(0) - gain.mean * gain.cdf(0)),
    )


def sample_ratio_p(users: Sequence[int], weights: Sequence[float]) -> float:
    """How likely a split as uneven as this one is by chance (Pearson's chi-squared), 1 without users. `weights` in any
    unit; where they changed during the test, the users that each variant was to have so far.
    """
    if min(weights) <= 0:
        raise Invalid("weights", "weights: each is over 0.")
    expected = sum(users) * np.array(weights) / sum(weights)
    if not sum(users) or len(users) < 2:
        return 1.0
    return float(scipy.special.chdtrc(len(users) - 1, ((np.array(users) - expected) ** 2 / expected).sum()))


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p-values: under alpha, one of them is false with probability alpha at most (Holm 1979)."""
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(np.sort(p) * np.arange(len(p), 0, -1))
    return [float(one) for one in np.minimum(adjusted, 1.0)]


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """Adjusted p-values: of those under alpha, a share of alpha at most is false (Benjamini and Hochberg 1995)."""
    return [float(one) for one in scipy.stats.false_discovery_control(p)] if p else []
