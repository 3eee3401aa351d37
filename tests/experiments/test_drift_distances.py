"""Distances of two samples: against scipy, against Evidently's own formulas, and at the edges."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.spatial import distance

from experiments.drift import distances
from experiments.drift.embeddings import mean_distance

WITHIN = 1e-9
DRAW = np.random.default_rng(0)
NUMBERS = {
    "normal": (DRAW.normal(0, 1, 400), DRAW.normal(0.3, 1.2, 700)),
    "prices": (DRAW.lognormal(3, 1, 5_000), DRAW.lognormal(3.1, 1, 90)),
    "counts": (DRAW.poisson(4, 300).astype(float), DRAW.poisson(5, 300).astype(float)),
    "ties": (DRAW.integers(0, 40, 2_000) / 2, DRAW.integers(0, 44, 500) / 2),
    "constant": (np.full(100, 3.0), np.full(200, 3.0)),
    "a constant that moved": (np.full(100, 3.0), np.full(200, 4.0)),
    "one number each": (np.array([1.0]), np.array([2.0])),
    "nothing in common": (DRAW.normal(0, 1, 150), DRAW.normal(1e6, 1, 150)),
}
LABELS = {
    "two": (DRAW.choice(["a", "b"], 300, p=[0.3, 0.7]), DRAW.choice(["a", "b"], 200, p=[0.4, 0.6])),
    "many": (DRAW.choice([*"abcdefgh"], 1_500), DRAW.choice([*"abcdefgh"], 900)),
    "unseen now": (np.array(["a", "b"] * 60), np.array(["a"] * 100)),
    "unseen before": (np.array(["a"] * 3_000), np.array(["a"] * 2_999 + ["b"])),
    "rare before": (np.array(["a"] * 30_000 + ["b"]), np.array(["a", "b", "c"] * 20)),
    "one alone": (np.array(["a"] * 50), np.array(["a"] * 60)),
    "nothing in common": (np.array(["a"] * 50), np.array(["b"] * 60)),
}
ALL = {**{f"numbers, {name}": pair for name, pair in NUMBERS.items()},
       **{f"labels, {name}": pair for name, pair in LABELS.items()}}  # fmt: skip
numbers = pytest.mark.parametrize(("reference", "current"), NUMBERS.values(), ids=NUMBERS)
labels = pytest.mark.parametrize(("reference", "current"), LABELS.values(), ids=LABELS)
anything = pytest.mark.parametrize(("reference", "current"), ALL.values(), ids=ALL)


def evidently_bins(reference: np.ndarray, current: np.ndarray, *, fill: bool) -> tuple[np.ndarray, np.ndarray]:
    """get_binned_data of evidently 0.7.23, src/evidently/legacy/calculations/stattests/utils.py, restated."""
    before, now = pd.Series(reference), pd.Series(current)
    if before.dtype == float and before.nunique() > 20:
        bins = np.histogram_bin_edges(np.asarray(pd.concat([before, now], axis=0).values), bins="sturges")
        shares = [np.histogram(series, bins)[0] / len(series) for series in (before, now)]
    else:
        keys = list(set(before.dropna().unique()) | set(now.dropna().unique()))
        counts = [{**dict.fromkeys(keys, 0), **dict(series.value_counts())} for series in (before, now)]
        shares = [np.array([c[key] / len(s) for key in keys]) for c, s in zip(counts, (before, now), strict=True)]
    for share in shares if fill else ():
        least = min(share[share != 0])
        np.place(share, share == 0, least / 10**6 if least <= 0.0001 else 0.0001)
    return shares[0], shares[1]


def counts_of(reference: np.ndarray, current: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (distances.binned if reference.dtype == float else distances.counted)(reference, current)


@anything
def test_the_stability_index_is_evidentlys(reference: np.ndarray, current: np.ndarray) -> None:
    before, now = evidently_bins(reference, current, fill=True)
    wanted = np.sum((before - now) * np.log(before / now))
    assert distances.stability_index(*counts_of(reference, current)) == pytest.approx(wanted, abs=WITHIN)


@anything
def test_the_jensen_shannon_distance_is_evidentlys_and_scipys(reference: np.ndarray, current: np.ndarray) -> None:
    wanted = distance.jensenshannon(*evidently_bins(reference, current, fill=False))
    assert distances.jensen_shannon(*counts_of(reference, current)) == pytest.approx(wanted, abs=WITHIN)


@numbers
def test_the_wasserstein_distance_is_evidentlys(reference: np.ndarray, current: np.ndarray) -> None:
    wanted = stats.wasserstein_distance(reference, current) / max(float(np.std(pd.Series(reference))), 0.001)
    assert distances.wasserstein(reference, current) == pytest.approx(wanted, rel=WITHIN, abs=WITHIN)


@numbers
def test_kolmogorov_smirnov_is_evidentlys_and_scipys(reference: np.ndarray, current: np.ndarray) -> None:
    wanted = stats.ks_2samp(pd.Series(reference), pd.Series(current))
    found = distances.kolmogorov_smirnov(reference, current)
    assert (found.statistic, found.p) == pytest.approx((wanted.statistic, wanted.pvalue), abs=WITHIN)


def test_samples_that_are_nearly_the_same_are_tested_in_silence() -> None:
    reference = np.arange(1_000.0)  # too alike for scipy's exact p, which warns and gives its limit
    current = np.concatenate([[0.5], reference[1:]])
    assert distances.kolmogorov_smirnov(reference, current).p == pytest.approx(1)


def test_the_test_of_a_share_is_evidentlys_z_where_there_are_rows_enough() -> None:
    first, second = (90, 210), (80, 120)
    shares = 90 / 300, 80 / 200
    pooled = 170 / 500
    z = (shares[1] - shares[0]) / np.sqrt(pooled * (1 - pooled) * (1 / 300 + 1 / 200))
    found = distances.z_of_share(np.array(first), np.array(second))
    assert found.statistic == pytest.approx(z, abs=WITHIN)
    assert found.p == pytest.approx(2 * (1 - stats.norm.cdf(z)), abs=WITHIN)
    assert found.p == pytest.approx(stats.chi2_contingency([first, second], correction=False).pvalue, abs=WITHIN)


def test_of_few_rows_the_test_of_a_share_is_exact() -> None:
    found = distances.z_of_share(np.array([5, 4_995]), np.array([2, 98]))
    assert found.p == pytest.approx(stats.fisher_exact([[5, 4_995], [2, 98]]).pvalue, abs=WITHIN)
    assert found.p > 100 * 2 * stats.norm.sf(found.statistic)


def test_chi_squared_is_scipys_of_two_samples() -> None:
    table = np.array([[30, 50, 20, 100], [40, 40, 30, 60]])
    wanted = stats.chi2_contingency(table, correction=False)
    found = distances.chi_squared(*table)
    assert (found.statistic, found.p) == pytest.approx((wanted.statistic, wanted.pvalue), abs=WITHIN)


@pytest.mark.parametrize(
    ("reference", "current", "added_up"),
    [
        ((500, 300, 6, 2, 0), (500, 300, 1, 2, 1), ((8, 300, 500), (4, 300, 500))),  # 6 in each: they are enough
        ((500, 300, 6, 1), (500, 300, 1, 0), ((307, 500), (301, 500))),  # 4 are not: the next rarest goes with them
        ((990, 10, 0), (99, 0, 1), ((10, 990), (1, 99))),  # two are left
    ],
)
def test_chi_squared_counts_the_rarest_values_as_one(
    reference: Sequence[int], current: Sequence[int], added_up: Sequence[Sequence[int]]
) -> None:
    found = distances.chi_squared(np.array(reference), np.array(current))
    if len(added_up[0]) > 2:
        assert found.p == pytest.approx(stats.chi2_contingency(added_up, correction=False).pvalue, abs=WITHIN)
    else:
        assert found.p == distances.z_of_share(*map(np.array, added_up)).p


def test_one_row_with_a_new_value_is_no_drift() -> None:
    reference, current = np.array([4_000, 1_000, 0]), np.array([80, 19, 1])
    assert distances.chi_squared(reference, current).p > 0.5
    assert stats.chisquare(current, reference * 100 / 5_000 + [0, 0, 1e-9]).pvalue < 1e-6  # the reference as the truth


@labels
def test_tests_of_categories_are_chances_and_alike_both_ways_round(reference: np.ndarray, current: np.ndarray) -> None:
    counts = distances.counted(reference, current)
    there, back = distances.chi_squared(*counts), distances.chi_squared(*counts[::-1])
    assert 0 <= there.p <= 1
    assert there.p == pytest.approx(back.p, abs=WITHIN)


def test_the_same_sample_twice_is_at_no_distance() -> None:
    numbers, counts = NUMBERS["prices"][0], np.array([3, 1, 400])
    assert distances.wasserstein(numbers, numbers) == 0
    assert distances.kolmogorov_smirnov(numbers, numbers) == distances.Tested(0, 1)
    assert distances.jensen_shannon(counts, counts) == distances.stability_index(counts, counts) == 0
    assert distances.chi_squared(counts, counts).p == 1


def test_a_distance_of_means_is_between_0_and_what_was_added_and_its_p_counts_what_chance_does() -> None:
    reference, current = DRAW.normal(0, 1, (80, 5)), DRAW.normal(0, 1, (60, 5))
    shifted = current + np.array([1.0, 0, 0, 0, 0])
    same, other = mean_distance(reference, current), mean_distance(reference, shifted)
    assert same.statistic == pytest.approx(np.linalg.norm(reference.mean(axis=0) - current.mean(axis=0)), abs=WITHIN)
    assert same.p > 0.05
    assert other.p == 1 / 2_000
    assert mean_distance(reference, shifted) == other  # no luck of the draw


def test_the_chance_of_a_distance_of_means_is_even_where_nothing_moved() -> None:
    found: list[Any] = [mean_distance(*np.split(DRAW.normal(0, 1, (60, 4)), [25]), seed=seed).p for seed in range(200)]
    assert stats.kstest(found, "uniform").pvalue > 0.01


def test_vectors_that_are_all_the_same_are_at_no_distance() -> None:
    found = mean_distance(np.ones((40, 3)), np.ones((30, 3)))
    assert (found.statistic, found.p) == (pytest.approx(0, abs=WITHIN), 1)
