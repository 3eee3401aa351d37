"""Intervals of price: they hold the share that was asked for, are wider where less is known, and for any coverage."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from experiments.mltask import no_progress
from pricing.ml.price import PriceInput, price_scores
from pricing.ml.price_trees import PriceBoosting
from tests.pricing.conftest import homes

SMALL = PriceInput(bedrooms=2, bathrooms=1.5, sqft=1_100.0, location="98102")
LARGE = replace(SMALL, bedrooms=4, bathrooms=3.0, sqft=2_800.0)


def held(model: Any, coverage: float) -> float:
    """The share of new homes whose price is in the interval."""
    rows = homes(2_000, seed=1).rows
    asked = [
        PriceInput(*row, allow_unknown=True, coverage=coverage)
        for row in rows[["bedrooms", "bathrooms", "sqft", "location"]].itertuples(index=False)
    ]
    ends = np.array([one.interval for one in model.predict(asked)])
    return float(((ends[:, 0] <= rows["price"]) & (rows["price"] <= ends[:, 1])).mean())


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.955, 0.99])
def test_the_share_of_new_prices_in_the_interval_is_the_coverage_that_was_asked_for(
    network: Any, coverage: float
) -> None:
    assert held(network, coverage) == pytest.approx(coverage, abs=0.03)


def test_boosting_keeps_to_the_coverage_too() -> None:
    model = PriceBoosting(trees=60, rate=0.15).fit(homes(1_500), progress=no_progress)
    assert held(model, 0.9) == pytest.approx(0.9, abs=0.03)


def test_a_higher_coverage_makes_an_interval_that_holds_the_lower_one(network: Any) -> None:
    asked = [replace(SMALL, coverage=round(coverage, 3)) for coverage in np.linspace(0.5, 0.99, 99)]
    answers = network.predict(asked)
    assert [one.coverage for one in answers] == [one.coverage for one in asked]
    low, high = np.array([one.interval for one in answers]).T
    assert (np.diff(low) <= 0).all() and (np.diff(high) >= 0).all()
    assert low[-1] < low[0] < answers[0].predicted_price < high[0] < high[-1]


def test_it_is_wider_where_prices_vary_more(network: Any) -> None:
    small, large = network.predict([SMALL, LARGE])
    widths = [(one.interval[1] - one.interval[0]) / one.predicted_price for one in (small, large)]
    assert widths[1] > 1.8 * widths[0]


def test_measures_are_those_of_the_textbook() -> None:
    price, said = np.array([100.0, 200.0, 400.0]), np.array([110.0, 200.0, 300.0])
    found = price_scores(price, said, low=said * 0.8, high=said * 1.2)
    step = np.log(2) ** 2
    assert found["r2_log"] == pytest.approx(1 - (np.log(1.1) ** 2 + np.log(0.75) ** 2) / (2 * step))
    assert found["mape"] == pytest.approx((0.1 + 0 + 0.25) / 3)
    assert found["median_error"] == pytest.approx(0.1)
    assert found["coverage"] == pytest.approx(2 / 3)
    assert found["width"] == pytest.approx((0.44 + 0.4 + 0.3) / 3)


def test_where_all_prices_are_one_there_is_no_share_that_is_explained() -> None:
    one = np.array([100.0, 100.0])
    assert np.isnan(price_scores(one, one, one, one)["r2_log"])
