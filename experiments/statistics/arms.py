"""A variant's mean and its variance, for each kind of metric, from sums over its users."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from experiments.errors import Invalid

Z_95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Sums:
    """Over the `n` users of a variant: the sums of y, y², x, x² and xy, where y and x are two numbers of each user.

    y is the metric: 1 or 0 for a proportion, otherwise a number, capped in SQL where the metric is winsorised. x is
    the denominator of a ratio, or what CUPED adjusts for: the same metric before the user was exposed.
    """

    n: int
    y: float
    yy: float
    x: float = 0.0
    xx: float = 0.0
    xy: float = 0.0

    def __add__(self, other: "Sums") -> "Sums":
        """Over the users of both."""
        return Sums(
            self.n + other.n, self.y + other.y, self.yy + other.yy, self.x + other.x, self.xx + other.xx,
            self.xy + other.xy,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One metric of one variant: the `mean` over `n` users, and the `variance` of one user (0 if there is only one).

    With CUPED `mean - shift` is judged; `shift_variance` and `covariance` (of mean and shift) are of one user as well.
    `normal`: intervals rest on the normal distribution, not on Student's t.
    """

    n: int
    mean: float
    variance: float
    normal: bool = False
    shift: float = 0.0
    shift_variance: float = 0.0
    covariance: float = 0.0

    def squared_error(self, scale: float = 1.0) -> float:
        """The variance of `scale * mean - shift`."""
        size = scale**2 * self.variance + self.shift_variance
        return _beyond_rounding(size - 2 * scale * self.covariance, size) / self.n


def proportion(sums: Sums) -> Arm | None:
    """The share of the users that did something, with the variance p(1 - p). None without users."""
    if not 0 <= sums.y <= sums.n:
        raise Invalid("y", f"y: {sums.y:g} of {sums.n} users is no share.")
    if not sums.n:
        return None
    share = sums.y / sums.n
    return Arm(n=sums.n, mean=share, variance=share * (1 - share), normal=True)


def mean(sums: Sums, theta: float = 0.0) -> Arm | None:
    """A number a user: revenue, a rating, or how often something happened; less `theta` times x with CUPED. None
    without users.
    """
    if not sums.n:
        return None
    return Arm(
        n=sums.n,
        mean=sums.y / sums.n,
        variance=_variance(sums.n, sums.y, sums.yy),
        shift=theta * sums.x / sums.n,
        shift_variance=theta**2 * _variance(sums.n, sums.x, sums.xx),
        covariance=theta * _covariance(sums.n, sums.x, sums.y, sums.xy),
    )


def pooled_theta(variants: Sequence[Sums]) -> float:
    """CUPED's theta, cov(y, x) / var(x): how much of y goes with x, known before exposure (Deng, Xu, Kohavi and Walker
    2013, "Improving the Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data").

    The users of all variants are one sample, as in Spotify's Confidence; GrowthBook pools the two variants that it
    compares, which for two variants is the same. 0 where x does not vary.
    """
    users = sum(variants, Sums(0, 0.0, 0.0))
    spread = _variance(users.n, users.x, users.xx)
    return _covariance(users.n, users.x, users.y, users.xy) / spread if spread else 0.0


def ratio(sums: Sums) -> Arm | None:
    """The sum of y over the sum of x, such as clicks a view, with its variance over users by the delta method (Deng,
    Knoblich and Lu 2018, "Applying the Delta Method in Metric Analytics"). None where the sum of x is 0.
    """
    if not sums.n or not sums.x:
        return None
    value = sums.y / sums.x
    size = _variance(sums.n, sums.y, sums.yy) + value**2 * _variance(sums.n, sums.x, sums.xx)
    variance = _beyond_rounding(size - 2 * value * _covariance(sums.n, sums.x, sums.y, sums.xy), size)
    return Arm(n=sums.n, mean=value, variance=variance / (sums.x / sums.n) ** 2)


def quantile_levels(level: float, rows: int) -> tuple[float, float] | None:
    """Between which two levels of `rows` independent values the true quantile lies with 95 %. None where one of them
    is not between 0 and 1: there are too few rows (a p95 needs 73).
    """
    half = Z_95 * math.sqrt(level * (1 - level) / rows) if rows else 1.0
    return (level - half, level + half) if half < min(level, 1 - level) else None


def quantile(level: float, *, value: float, low: float, high: float, users: Sums) -> Arm | None:
    """A quantile over all rows of all users, such as the p95 of latency.

    `value`, `low` and `high` are the quantiles at `level` and at both `quantile_levels`. In `users`, y is how many of
    a user's rows are at most `value`, and x how many rows the user has. From low to high is how sure the quantile of
    independent rows is; the delta method says how much less is known because a user's rows are alike (Deng, Knoblich
    and Lu 2018, computed as GrowthBook's clustered quantiles are). None without rows.
    """
    below = ratio(users)
    if below is None:
        return None
    independent = ((high - low) / (2 * Z_95)) ** 2 * (users.x - 1) / users.x
    alike = below.squared_error() / (level * (1 - level) / users.x)
    return Arm(n=users.n, mean=value, variance=independent * alike * users.n, normal=True)


def _variance(n: int, total: float, squares: float) -> float:
    """With n - 1. 0 for a single user."""
    return _beyond_rounding(_covariance(n, total, total, squares), squares / max(n, 1))


def _covariance(n: int, a: float, b: float, ab: float) -> float:
    return (ab - a * b / n) / (n - 1) if n > 1 else 0.0


def _beyond_rounding(variance: float, size: float) -> float:
    """0 where the variance is what rounding leaves of a difference of numbers of this size: a tiny variance would make
    any difference sure.
    """
    return variance if variance > 1e-10 * size else 0.0
