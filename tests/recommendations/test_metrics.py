"""The figures of offline evaluation, each worked out by hand, and their intervals."""

from math import log2, sqrt

import numpy as np
import pandas as pd
import pytest

from experiments.mltask import Examples
from recommendations.ml.evaluation import RESAMPLES, resampled
from recommendations.ml.metrics import (
    NOTHING,
    Background,
    average_precision,
    coverage,
    hit_rate,
    hits,
    ndcg,
    recall,
)  # fmt: skip

HIT = np.array([[True, False, True, False], [False, False, False, True], [False] * 4])
RELEVANT = np.array([2, 5, 1])


def test_a_hit_is_a_product_that_is_relevant_to_this_user() -> None:
    ranked = np.array([[7, 8, 9], [7, 8, NOTHING]])
    relevant = [np.array([9, 3]), np.array([7])]
    assert hits(ranked, relevant).tolist() == [[False, False, True], [True, False, False]]


def test_a_product_that_comes_twice_is_one_hit() -> None:
    assert hits(np.array([[7, 7, 8]]), [np.array([7, 8])]).tolist() == [[True, False, True]]


def test_ndcg_is_the_discounted_gain_over_the_best_possible_one() -> None:
    assert ndcg(HIT, RELEVANT, 3) == pytest.approx([(1 + 1 / log2(4)) / (1 + 1 / log2(3)), 0, 0])
    best = sum(1 / log2(place + 1) for place in range(1, 5))
    assert ndcg(HIT, RELEVANT, 4)[1] == pytest.approx(1 / log2(5) / best)


def test_recall_is_over_what_could_be_found_in_k_places() -> None:
    assert recall(HIT, RELEVANT, 1) == pytest.approx([1, 0, 0])
    assert recall(HIT, RELEVANT, 4) == pytest.approx([1, 1 / 4, 0])


def test_average_precision_is_the_mean_of_the_precision_at_each_hit() -> None:
    assert average_precision(HIT, RELEVANT, 4) == pytest.approx([(1 / 1 + 2 / 3) / 2, (1 / 4) / 4, 0])


def test_hit_rate_asks_for_one_hit() -> None:
    assert hit_rate(HIT, 3).tolist() == [1, 0, 0]
    assert hit_rate(HIT, 4).tolist() == [1, 1, 0]


def test_lists_shorter_than_k_are_judged_by_what_is_in_them() -> None:
    assert ndcg(HIT[:, :1], RELEVANT, 10) == pytest.approx([1 / (1 + 1 / log2(3)), 0, 0])
    assert average_precision(HIT[:, :1], RELEVANT, 10) == pytest.approx([1 / 2, 0, 0])


def test_coverage_counts_each_product_once_and_gaps_not_at_all() -> None:
    assert coverage(np.array([[1, 2], [2, NOTHING]]), 8) == 2 / 8
    assert coverage(np.array([[NOTHING]]), 0) == 0


@pytest.fixture
def background() -> Background:
    """Ten products, four users: product 10 was rated by all, 11 by two, 12 by one (and seen by others)."""
    rated = [(user, 10, "rating") for user in "abcd"] + [("a", 11, "rating"), ("b", 11, "rating"), ("c", 12, "rating")]
    rows = pd.DataFrame([*rated, ("d", 12, "view"), ("d", 13, "view")], columns=["unit", "product", "kind"])
    words = ["brass lamp", "brass lamp", "linen shirt", "linen lamp", "", *["teapot"] * 5]
    products = pd.DataFrame({"product": range(10, 20), "name": words, "category": "", "description": ""})
    return Background.of(Examples(rows, {"products": products}))


def test_novelty_is_the_mean_number_of_bits_in_meeting_the_product(background: Background) -> None:
    found = background.novelty(np.array([[10, 11], [12, NOTHING], [13, 10], [NOTHING, NOTHING]]))
    assert found == pytest.approx([(0 + 1) / 2, 2, (2 + 0) / 2, np.nan], nan_ok=True)  # unrated: as if by one


def test_popular_is_the_most_rated_fifth_of_the_catalogue(background: Background) -> None:
    found = background.popular_share(np.array([[10, 11], [11, 12], [12, 13], [10, NOTHING], [NOTHING, NOTHING]]))
    assert found == pytest.approx([1, 0.5, 0, 1, np.nan], nan_ok=True)


def test_diversity_is_one_less_the_mean_cosine_of_the_words(background: Background) -> None:
    same, apart, wordless, one = background.diversity(np.array([[10, 11], [10, 12], [10, 14], [10, NOTHING]]))
    assert (same, apart, wordless) == pytest.approx((0, 1, 1))
    assert np.isnan(one)


def test_diversity_of_three_is_over_their_three_pairs(background: Background) -> None:
    idf = {"brass": log_idf(2), "lamp": log_idf(3), "linen": log_idf(2)}
    cosine = idf["lamp"] ** 2 / sqrt(
        (idf["brass"] ** 2 + idf["lamp"] ** 2) * (idf["linen"] ** 2 + idf["lamp"] ** 2)
    )  # fmt: skip
    assert background.diversity(np.array([[10, 11, 13]])) == pytest.approx([1 - (1 + 2 * cosine) / 3])


def log_idf(documents: int) -> float:
    return float(np.log((1 + 10) / (1 + documents)) + 1)


def test_without_words_or_catalogue_diversity_is_not_defined() -> None:
    rows = pd.DataFrame({"unit": ["a", "b"], "product": [1, 2], "kind": "rating"})
    nameless = pd.DataFrame({"product": [1, 2], "name": "", "category": "", "description": ""})
    for side in ({}, {"products": nameless}):
        background = Background.of(Examples(rows, side))
        assert np.isnan(background.diversity(np.array([[1, 2]]))).all()
        assert background.novelty(np.array([[1, 2]])) == pytest.approx([1])


def test_an_interval_holds_about_what_theory_says_and_is_the_same_each_time() -> None:
    values = np.random.default_rng(7).normal(5, 2, 400)
    value, means = resampled({"x": (values, np.ones(400))})["x"]
    low, high = np.quantile(means, [0.025, 0.975])
    assert value == pytest.approx(values.mean())
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / sqrt(400), rel=0.1)
    assert len(means) == RESAMPLES
    assert (resampled({"y": (values, np.ones(400))})["y"][1] == means).all()


def test_two_recommenders_are_resampled_over_the_same_users() -> None:
    values, ones = np.random.default_rng(7).normal(5, 2, 50), np.ones(50)
    better, worse = (resampled({"x": (totals, ones)})["x"][1] for totals in (values + 0.1, values))
    assert better - worse == pytest.approx(np.full(RESAMPLES, 0.1))


def test_a_figure_is_a_ratio_of_sums_over_the_users_it_is_defined_for() -> None:
    totals, weights = np.array([6.0, 0.0, 2.0]), np.array([2.0, 0.0, 2.0])
    assert resampled({"x": (totals, weights)})["x"][0] == 2
    assert np.isnan(resampled({"x": (totals * 0, weights * 0)})["x"][0])


def test_more_users_than_are_drawn_at_once_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"x": (np.arange(60.0), np.ones(60))}
    whole = resampled(values)["x"][1]
    monkeypatch.setattr("recommendations.ml.evaluation.AT_ONCE", 60 * 7)
    assert (resampled(values)["x"][1] == whole).all()
