"""How many stars a product has, from its price, its number of reviews and the rating of its seller, with an interval.

It is price's network (pricing/ml/training.py) without a location, on stars as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

import numpy as np

from experiments.mltask import Examples, MLTask, Number, Progress
from experiments.network import params_of
from pricing.ml.conformal import USUAL
from pricing.ml.lessons import Lessons
from pricing.ml.members import Members
from pricing.ml.regression import Asked, Model, Regression
from pricing.ml.tabular import OTHER
from pricing.ml.training import learned

COLUMNS = {"price": "log1p", "reviews_count": "log1p", "seller_rating": "none"}
TARGET = ("rating", "none")
LOWEST, HIGHEST = 1.0, 5.0
BELOW = 0.5  # of the misses lie under the interval
DIGITS = 4


@dataclass(frozen=True)
class RatingInput:
    """`seller_rating` is 0 to 5, in stars."""

    price: Annotated[float, Number(ge=0, le=10_000_000)]
    reviews_count: Annotated[int, Number(ge=0, le=100_000_000)]
    seller_rating: Annotated[float, Number(ge=0, le=5)]


@dataclass(frozen=True)
class RatingOutput:
    """Stars, 1 to 5; the interval (low, high) holds the rating with a chance of 0.9."""

    predicted_rating: float
    interval: tuple[float, float]


def tiny() -> Examples:
    """Made up: sellers with good ratings sell what is rated well."""
    import pandas as pd

    draw = np.random.default_rng(0)
    seller = np.round(draw.uniform(2, 5, 120), 1)
    price, reviews = np.round(draw.lognormal(3, 1, 120), 2), draw.poisson(20, 120)
    rating = np.clip(np.round(1 + 0.7 * seller + draw.normal(0, 0.3, 120), 1), LOWEST, HIGHEST)
    return Examples(pd.DataFrame({"price": price, "reviews_count": reviews, "seller_rating": seller, "rating": rating}))


RATING = MLTask(
    name="rating",
    input=RatingInput,
    output=RatingOutput,
    example=RatingInput(price=24.99, reviews_count=18, seller_rating=4.2),
    tiny=tiny,
    metric="rmse",
    higher_is_better=False,
)


@RATING.algorithm("network")
class RatingNetwork:
    """`epochs` are the most that it learns for, `rate` is its first step."""

    def __init__(self, epochs: int = 40, rate: float = 3e-3, seed: int = 0) -> None:
        self.epochs, self.rate, self.seed = int(epochs), float(rate), int(seed)

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        """`examples` has the columns price, reviews_count, seller_rating and rating."""

        def learn(lessons: Lessons) -> tuple[Model, np.ndarray]:
            return learned(lessons, epochs=self.epochs, rate=self.rate, seed=self.seed, progress=progress)

        self.regression = Regression.learned(examples, COLUMNS, TARGET, learn, below=BELOW, seed=self.seed)
        progress(1, 1, "learned and checked")
        return self

    def predict(self, batch: Sequence[RatingInput]) -> list[RatingOutput]:
        asked = [Asked((one.price, one.reviews_count, one.seller_rating), OTHER, USUAL) for one in batch]
        return [
            RatingOutput(_stars(said.value), (_stars(said.low), _stars(said.high)))
            for said in self.regression.say(asked)
        ]

    def evaluate(self, examples: Examples) -> dict[str, float]:
        """Root of the mean squared error and mean error in stars, how many intervals hold the rating, how wide they
        are in stars, and the first of these for whoever says the mean of these ratings of each.
        """
        rows = examples.rows
        outputs = self.predict([RatingInput(*row) for row in zip(*(rows[name] for name in COLUMNS), strict=True)])
        truth, said = rows["rating"].to_numpy(float), np.array([one.predicted_rating for one in outputs])
        low, high = np.array([one.interval for one in outputs]).reshape(-1, 2).T
        return {
            "rmse": float(np.sqrt(((truth - said) ** 2).mean())),
            "mae": float(np.abs(truth - said).mean()),
            "coverage": float(((low <= truth) & (truth <= high)).mean()),
            "width": float((high - low).mean()),
            "rmse_of_mean": float(truth.std()),
        }

    def save(self, folder: Path) -> None:
        self.regression.save(folder, params_of(self))

    @classmethod
    def load(cls, folder: Path) -> Self:
        regression, settings = Regression.load(folder, Members)
        self = cls(**settings)
        self.regression = regression
        return self


def _stars(value: float) -> float:
    return round(min(max(value, LOWEST), HIGHEST), DIGITS)
