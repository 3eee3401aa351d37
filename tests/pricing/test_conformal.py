"""Quantiles of scores: those of conformal prediction, for few scores and for many."""

import json

import numpy as np
import pytest

from pricing.ml.conformal import COVERAGES, Intervals

DRAW = np.random.default_rng(0)


def test_each_end_is_the_score_that_leaves_its_share_of_misses_outside() -> None:
    scores = np.arange(-500, 500) / 100.0  # 1,000 of them
    lower, upper = Intervals.of(scores, below=0.5).at(0.9)
    assert lower == pytest.approx(scores[50 - 1])  # of 1,001 places, floor(0.05 * 1,001) = 50
    assert upper == pytest.approx(scores[951 - 1])  # ceil(0.95 * 1,001) = 951
    low, high = Intervals.of(scores, below=0.2).at(0.9)
    assert (low, high) == pytest.approx((scores[20 - 1], scores[921 - 1]))


@pytest.mark.parametrize("count", [20, 99, 1_000])
@pytest.mark.parametrize("below", [0.35, 0.5])
def test_a_new_score_lies_between_as_often_as_was_asked_for(count: int, below: float) -> None:
    inside = []
    for _ in range(400):
        scores = DRAW.gamma(2.0, size=count) - 2
        lower, upper = Intervals.of(scores, below=below).at(0.8)
        new = DRAW.gamma(2.0, size=50) - 2
        inside.append(((lower <= new) & (new <= upper)).mean())
    assert 0.8 - 0.01 < np.mean(inside) < 0.8 + 0.01 + 2 / count


def test_between_two_coverages_of_the_table_the_ends_lie_on_a_line() -> None:
    found = Intervals.of(DRAW.normal(size=500), below=0.5)
    middle, left, right = (np.array(found.at(coverage)) for coverage in (0.905, 0.9, 0.91))
    assert middle == pytest.approx((left + right) / 2)
    assert (COVERAGES[0], COVERAGES[-1], len(COVERAGES)) == (0.5, 0.99, 50)
    for number, coverage in enumerate(COVERAGES):
        assert found.at(coverage) == pytest.approx((found.lower[number], found.upper[number]))


def test_with_few_scores_the_outermost_are_the_ends() -> None:
    assert Intervals.of(np.array([-2.0, 0.5, 1.0]), below=0.5).at(0.99) == (-2.0, 1.0)


@pytest.mark.parametrize("scores", [[1.0, 2.0, 3.0], [-3.0, -2.0, -1.0]])
def test_the_centre_is_always_inside(scores: list[float]) -> None:
    for coverage in COVERAGES:
        lower, upper = Intervals.of(np.array(scores), below=0.5).at(coverage)
        assert lower <= 0 <= upper


def test_it_comes_back_from_json() -> None:
    found = Intervals.of(DRAW.normal(size=100), below=0.35)
    assert Intervals.from_dict(json.loads(json.dumps(found.to_dict()))) == found
