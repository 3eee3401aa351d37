"""The rating of a product: learned from its price, its reviews and its seller, in stars, with an interval."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments.errors import DomainError, Invalid
from experiments.mltask import Examples, no_progress
from pricing.ml.rating import RATING, RatingInput, RatingNetwork, tiny


def products(count: int, seed: int = 0) -> Examples:
    """Stars follow the seller's, with noise of a third of a star."""
    draw = np.random.default_rng(seed)
    seller = draw.uniform(1, 5, count)
    stars = np.clip(0.8 + 0.8 * seller + draw.normal(0, 0.33, count), 1, 5)
    rows = {"price": draw.lognormal(3, 1, count), "reviews_count": draw.poisson(30, count), "seller_rating": seller}
    return Examples(pd.DataFrame({**rows, "rating": stars}))


@pytest.fixture(scope="module")
def model() -> Any:
    return RatingNetwork(epochs=15).fit(products(1_500), progress=no_progress)


def test_a_better_seller_means_more_stars(model: Any) -> None:
    low, high = (model.predict([replace(RATING.example, seller_rating=stars)])[0] for stars in (2.0, 4.0))
    assert low.predicted_rating == pytest.approx(2.4, abs=0.2)
    assert high.predicted_rating == pytest.approx(4.0, abs=0.2)


def test_nine_in_ten_ratings_lie_in_their_interval(model: Any) -> None:
    found = model.evaluate(products(2_000, seed=1))
    assert found["coverage"] == pytest.approx(0.9, abs=0.03)
    assert found["rmse"] < 0.37 < found["rmse_of_mean"]


@pytest.mark.parametrize("given", [(0, 0, 0.0), (1e7, 10**8, 5.0), (5.0, 1, 5.0)])
def test_every_answer_lies_between_one_and_five_stars(model: Any, given: tuple[Any, ...]) -> None:
    [answer] = model.predict([RatingInput(*given)])
    low, high = answer.interval
    assert 1 <= low <= answer.predicted_rating <= high <= 5


def test_measures_are_in_stars(model: Any) -> None:
    rows = products(4).rows.assign(rating=[1.0, 2.0, 3.0, 4.0])
    said = np.array([one.predicted_rating for one in model.predict([RatingInput(*row[:3]) for row in rows.to_numpy()])])
    found = model.evaluate(Examples(rows))
    assert found["rmse"] == pytest.approx(np.sqrt(((said - rows["rating"]) ** 2).mean()))
    assert found["mae"] == pytest.approx(np.abs(said - rows["rating"]).mean())
    assert found["rmse_of_mean"] == pytest.approx(np.sqrt(1.25))


def test_products_that_are_all_rated_alike_teach_that_rating() -> None:
    model = RatingNetwork(epochs=5).fit(Examples(tiny().rows.assign(rating=4.0)), progress=no_progress)
    assert model.predict([RATING.example])[0].predicted_rating == pytest.approx(4.0, abs=0.2)


def test_too_few_products_are_refused_in_words() -> None:
    with pytest.raises(DomainError, match="There are 10 examples to learn rating from; it takes 40"):
        RatingNetwork().fit(products(10), progress=no_progress)


@pytest.mark.parametrize("params", [{"epochs": 0}, {"rate": 0}])
def test_parameters_out_of_bounds_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="epochs must be 1 or more, rate over 0"):
        RatingNetwork(**params).fit(tiny(), progress=no_progress)
