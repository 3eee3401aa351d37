"""How far two samples of one value are apart, and how likely chance alone sets them so far apart.

Numbers are arrays of shape (rows,) without NaN; counts are of shape (values,), how many rows of a sample have each. No
sample is empty.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import scipy  # its parts are read when first used; no start waits for them

BY_VALUE = 20  # different numbers of the reference: so few are counted one by one and not in bins
EPSILON = 0.0001  # the share of what is not there, in the stability index
LEAST_NORM = 0.001
RELIABLE = 5  # rows expected in a cell of a table, from which on chi-squared is near enough (Cochran 1954)


@dataclass(frozen=True)
class Tested:
    """`statistic` in its own unit; `p` is two-sided."""

    statistic: float
    p: float


def kolmogorov_smirnov(reference: np.ndarray, current: np.ndarray) -> Tested:
    """The largest difference of two distribution functions, 0 to 1 (ks_stattest.py)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # that p is its limit, where the exact one cannot be had
        found = scipy.stats.ks_2samp(reference, current)
    return Tested(float(found.statistic), float(found.pvalue))


def z_of_share(reference: np.ndarray, current: np.ndarray) -> Tested:
    """Two shares, from the counts of two values: z with a pooled variance (z_stattest.py). Where the normal
    distribution is far off, with fewer than RELIABLE rows expected in a cell, p is Fisher's exact one.
    """
    table = np.array([reference, current], float)
    rows, share = table.sum(axis=1), table[:, 0].sum() / table.sum()
    if share in (0, 1):
        return Tested(0.0, 1.0)
    first, second = table[:, 0] / rows
    z = float((second - first) / np.sqrt(share * (1 - share) * (1 / rows).sum()))
    if _expected(table).min() >= RELIABLE:
        return Tested(z, 2 * float(scipy.special.ndtr(-abs(z))))
    return Tested(z, float(scipy.stats.fisher_exact(table.astype(int)).pvalue))


def chi_squared(reference: np.ndarray, current: np.ndarray) -> Tested:
    """Pearson's test that two samples have the same shares, both being samples. The rarest values count as one, of
    which RELIABLE rows are expected in either sample.

    chisquare_stattest.py takes the reference for the truth itself: with samples of equal size its statistic is twice
    what it should be, and one row with a new value is drift for certain.
    """
    table = _rare_as_one(np.array([reference, current], float))
    if table.shape[1] < 3:
        two = np.column_stack([table, np.zeros((2, 2 - table.shape[1]))])
        found = z_of_share(two[0], two[1])
        return Tested(found.statistic**2, found.p)
    expected = _expected(table)
    statistic = float(((table - expected) ** 2 / expected).sum())
    return Tested(statistic, float(scipy.special.chdtrc(table.shape[1] - 1, statistic)))


def _rare_as_one(table: np.ndarray) -> np.ndarray:
    """As many of the rarest columns are added up as it takes; two columns are left at least, where there are two."""
    table = table[:, np.argsort(table.sum(axis=0), kind="stable")]
    expected = _expected(table).min(axis=0)
    if table.shape[1] < 3 or expected[0] >= RELIABLE:
        return table
    enough = np.searchsorted(expected.cumsum(), RELIABLE) + 1
    rare = min(max(int((expected < RELIABLE).sum()), int(enough)), table.shape[1] - 1)
    return np.column_stack([table[:, :rare].sum(axis=1), table[:, rare:]])


def _expected(table: np.ndarray) -> np.ndarray:
    """Of a table of counts, were both of its rows the same: shape as given, at least one row of each value."""
    expected: np.ndarray = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    return expected


def wasserstein(reference: np.ndarray, current: np.ndarray) -> float:
    """How far the numbers moved on average, in standard deviations of the reference (wasserstein_distance_norm.py)."""
    return float(scipy.stats.wasserstein_distance(reference, current)) / max(float(np.std(reference)), LEAST_NORM)


def jensen_shannon(reference: np.ndarray, current: np.ndarray) -> float:
    """The root of the Jensen-Shannon divergence of two samples' shares, from their counts: 0 to .83, the root of ln 2
    (jensenshannon.py).
    """
    return float(scipy.spatial.distance.jensenshannon(reference, current))


def stability_index(reference: np.ndarray, current: np.ndarray) -> float:
    """PSI, the population stability index, from counts: under .1 is little, over .2 a lot (psi.py)."""
    first, second = _filled(reference / reference.sum()), _filled(current / current.sum())
    return float(((first - second) * np.log(first / second)).sum())


def _filled(shares: np.ndarray) -> np.ndarray:
    """Without zeros, as stattests/utils.py fills them."""
    least = shares[shares > 0].min()
    return np.where(shares > 0, shares, least / 1e6 if least <= EPSILON else EPSILON)


def counted(reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many of each sample are of each value that there is, numbers or texts."""
    values, places = np.unique(np.concatenate([reference, current]), return_inverse=True)
    first, second = places[: len(reference)], places[len(reference) :]
    return np.bincount(first, minlength=len(values)), np.bincount(second, minlength=len(values))


def binned(reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many numbers of each sample are in each bin: by Sturges's rule over both samples, or one bin a number where
    the reference has few (get_binned_data in stattests/utils.py).
    """
    if len(np.unique(reference)) <= BY_VALUE:
        return counted(reference, current)
    edges = np.histogram_bin_edges(np.concatenate([reference, current]), bins="sturges")
    return np.histogram(reference, edges)[0], np.histogram(current, edges)[0]
