"""A location that the model does not know: refused, unless the caller allows it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from experiments.errors import Invalid
from experiments.mltask import no_progress
from pricing.ml.price import PRICE, PriceInput, tiny
from pricing.ml.price_network import PriceNetwork
from pricing.ml.price_trees import PriceBoosting
from tests.pricing.conftest import LEVELS, homes

KNOWN = PriceInput(bedrooms=3, bathrooms=2.0, sqft=1_800.0, location="98101")


def test_it_is_refused_with_the_number_of_those_that_are_known(network: Any) -> None:
    with pytest.raises(Invalid, match=r"'99999' is none of the 4 known locations\. allow_unknown: true") as refused:
        network.predict([KNOWN, replace(KNOWN, location="99999")])
    assert (refused.value.field, refused.value.field_code) == ("location", "unknown")


@pytest.mark.parametrize("location", ["alone 3", "98101 ", "98101\u200b"])
def test_so_is_one_that_was_seen_too_seldom_or_is_spelled_otherwise(network: Any, location: str) -> None:
    with pytest.raises(Invalid, match="none of the 4 known locations"):
        network.predict([replace(KNOWN, location=location)])


def test_where_it_is_allowed_it_is_answered_as_any_other(network: Any) -> None:
    asked = [replace(KNOWN, location=location, allow_unknown=True) for location in ("99999", "alone 3", "x" * 100)]
    answers = network.predict(asked)
    assert len(set(answers)) == 1
    levels = [*LEVELS.values()]
    known = network.predict([replace(KNOWN, location=one) for one in LEVELS])
    prices = [one.predicted_price for one in known]
    assert min(prices) < answers[0].predicted_price < max(prices)
    assert np.log(answers[0].predicted_price) == pytest.approx(np.mean(levels) + 0.8 * (np.log(1_800) - 7.5), abs=0.15)


def test_the_interval_around_it_is_wider_than_in_a_known_place(network: Any) -> None:
    elsewhere, there = network.predict([replace(KNOWN, location="99999", allow_unknown=True), KNOWN])
    widths = [(one.interval[1] - one.interval[0]) / one.predicted_price for one in (elsewhere, there)]
    assert widths[0] > 1.5 * widths[1]


def test_a_known_one_is_answered_as_itself_where_unknown_ones_are_allowed(network: Any) -> None:
    first, second = network.predict([KNOWN, replace(KNOWN, allow_unknown=True)])
    assert first == second


def test_boosting_refuses_and_answers_likewise() -> None:
    model = PriceBoosting(trees=40, rate=0.2).fit(homes(600), progress=no_progress)
    with pytest.raises(Invalid, match="none of the 4 known locations"):
        model.predict([replace(KNOWN, location="99999")])
    [answer] = model.predict([replace(KNOWN, location="99999", allow_unknown=True)])
    assert answer.predicted_price > 0


def test_a_model_without_a_single_place_that_is_seen_often_knows_none() -> None:
    rows = tiny().rows.assign(location=[f"place {number}" for number in range(len(tiny()))])
    model = PriceNetwork(epochs=1).fit(type(tiny())(rows), progress=no_progress)
    with pytest.raises(Invalid, match="none of the 0 known locations"):
        model.predict([replace(PRICE.example, allow_unknown=False)])
    assert len(model.predict([PRICE.example])) == 1


def test_evaluation_goes_on_in_places_that_are_new(network: Any) -> None:
    rows = homes(50, seed=3).rows.assign(location="elsewhere")
    assert np.isfinite(network.evaluate(type(tiny())(rows))["mape"])
