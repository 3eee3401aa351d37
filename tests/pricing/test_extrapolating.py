"""Homes and prices beyond all that was learned from are answered, and said to be so."""

from dataclasses import replace
from typing import Any

import pytest

from pricing.ml.price import PriceInput
from pricing.ml.regression import Regression
from pricing.ml.tabular import Column

INSIDE = PriceInput(bedrooms=3, bathrooms=2.0, sqft=1_800.0, location="98101")


def test_a_home_like_those_of_the_examples_is_not_beyond_them(network: Any) -> None:
    [answer] = network.predict([INSIDE])
    assert not answer.extrapolating


@pytest.mark.parametrize(
    "change", [{"bedrooms": 0}, {"bedrooms": 100}, {"bathrooms": 0.25}, {"bathrooms": 99.0}, {"sqft": 20.0},
               {"sqft": 100_000.0}],
)  # fmt: skip
def test_a_number_beyond_the_examples_is_said_to_be_so(network: Any, change: dict[str, Any]) -> None:
    [answer] = network.predict([replace(INSIDE, **change)])
    assert answer.extrapolating
    assert 0 < answer.interval[0] < answer.predicted_price < answer.interval[1]


def test_it_is_read_as_the_outermost_of_the_examples(network: Any) -> None:
    largest = network.regression.preprocessing.columns[2].high
    edge, beyond, far = network.predict([replace(INSIDE, sqft=sqft) for sqft in (largest, largest + 1, 99_999.0)])
    assert not edge.extrapolating
    assert beyond == far == replace(edge, extrapolating=True)


def test_a_price_beyond_the_examples_is_said_to_be_so(network: Any) -> None:
    read = network.regression.preprocessing
    narrow = replace(read, target=replace(read.target, low=1.0, high=2.0))
    answers = Regression(narrow, network.regression.model, network.regression.intervals)
    model = type(network)().use(answers)
    assert model.predict([INSIDE])[0].extrapolating


@pytest.mark.parametrize("transform", ["log", "log1p", "none"])
def test_a_column_reads_and_gives_back(transform: str) -> None:
    column = Column("sqft", transform, mean=0.5, scale=2.0, low=1.0, high=9.0)
    assert column.back(column.read(4.0)) == pytest.approx(4.0)
    assert column.back(column.read(400.0)) == pytest.approx(9.0)
    assert [column.outside(value) for value in (0.9, 1.0, 9.0, 9.1)] == [True, False, False, True]
