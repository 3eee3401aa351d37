"""What a home sells for, from its bedrooms, bathrooms, area and location, with an interval around it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np

from experiments.errors import Invalid
from experiments.mltask import Examples, MLTask, Number, Progress, Text
from experiments.network import params_of
from pricing.ml.conformal import LEAST, MOST, USUAL
from pricing.ml.lessons import Lessons
from pricing.ml.regression import Asked, Model, Regression
from pricing.ml.tabular import OTHER

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {"bedrooms": "log1p", "bathrooms": "log1p", "sqft": "log1p"}
TARGET = ("price", "log")
BELOW = 0.35  # of the misses lie under the interval: where logarithms are off by a bell curve, that is the shortest one
CENTS = 2  # digits


@dataclass(frozen=True)
class PriceInput:
    """`bedrooms` may be 0, a studio; `bathrooms` come in quarters; `sqft` is in the unit that the answer names.
    `allow_unknown` has a location that the model does not know answered as any other; else it is refused.
    """

    bedrooms: Annotated[int, Number(ge=0, le=100)]
    bathrooms: Annotated[float, Number(ge=0.25, le=100)]
    sqft: Annotated[float, Number(ge=20, le=100_000)]
    location: Annotated[str, Text(max_length=100, min_length=1)]
    allow_unknown: bool = False
    coverage: Annotated[float, Number(ge=LEAST, le=MOST)] = USUAL


@dataclass(frozen=True)
class PriceOutput:
    """The interval (low, high) holds the price with the chance `coverage`. `extrapolating`: the home or its price lies
    outside of all that was learned from; numbers beyond are read as the outermost ones.
    """

    predicted_price: float
    currency: str
    area_unit: str
    interval: tuple[float, float]
    coverage: float
    extrapolating: bool


def tiny() -> Examples:
    """Made up: what a place costs, times a power of the area, times noise."""
    import pandas as pd

    draw = np.random.default_rng(0)
    levels = {"Hill": 500.0, "Harbour": 350.0, "Station": 250.0, "Meadow": 180.0}
    sqft = np.round(draw.lognormal(7.4, 0.4, 160), -1)
    location = np.array([*levels])[np.arange(160) % len(levels)]
    price = np.array([levels[one] for one in location]) * sqft**0.9 * draw.lognormal(0, 0.1, 160)
    columns = {
        "bedrooms": np.clip(np.round(sqft / 600), 1, 6).astype(int),
        "bathrooms": np.clip(np.round(sqft / 200) / 4, 1, 4),
        "sqft": sqft,
        "location": location,
        "price": np.round(price),
    }
    return Examples(pd.DataFrame(columns))


PRICE = MLTask(
    name="price",
    input=PriceInput,
    output=PriceOutput,
    example=PriceInput(bedrooms=3, bathrooms=2.25, sqft=1_800.0, location="Hill", allow_unknown=True),
    tiny=tiny,
    metric="r2_log",
    max_instances=1_000,
)


class PriceModel(ABC):
    """What the algorithms share. `currency` and `area` (the unit of `sqft`) are named in every answer."""

    currency: str
    area: str
    seed: int
    kind: ClassVar[type[Model]]

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        """`examples` has the columns bedrooms, bathrooms, sqft, location (str) and price (over 0)."""
        if not all(0 < len(one) <= 20 for one in (self.currency, self.area)):
            raise Invalid("param", "currency and area must be of 1 to 20 characters.")

        def learn(lessons: Lessons) -> tuple[Model, np.ndarray]:
            return self._learn(lessons, progress)

        regression = Regression.learned(examples, COLUMNS, TARGET, learn, below=BELOW, seed=self.seed)
        progress(1, 1, "learned and checked")
        return self.use(regression)

    @abstractmethod
    def _learn(self, lessons: Lessons, progress: Progress) -> tuple[Model, np.ndarray]:
        """The model, and what each member says of each lesson: (rows, members, 2)."""

    def use(self, regression: Regression) -> Self:
        self.regression, self.places = regression, regression.preprocessing.numbers()
        return self

    def predict(self, batch: Sequence[PriceInput]) -> list[PriceOutput]:
        """Raises Invalid for a location that is not known, where that is not allowed."""
        asked = [Asked((one.bedrooms, one.bathrooms, one.sqft), self._place(one), one.coverage) for one in batch]
        return [
            PriceOutput(
                predicted_price=round(said.value, CENTS),
                currency=self.currency,
                area_unit=self.area,
                interval=(round(said.low, CENTS), round(said.high, CENTS)),
                coverage=one.coverage,
                extrapolating=said.beyond,
            )
            for one, said in zip(batch, self.regression.say(asked), strict=True)
        ]

    def _place(self, given: PriceInput) -> int:
        place = self.places.get(given.location, OTHER)
        if place == OTHER and not given.allow_unknown:
            raise Invalid(
                "location", f"{given.location!r} is none of the {len(self.places):,} known locations."
                " allow_unknown: true answers for any other.", "unknown",
            )  # fmt: skip
        return place

    def evaluate(self, examples: Examples) -> dict[str, float]:
        return scores_of(self, examples)

    def save(self, folder: Path) -> None:
        self.regression.save(folder, params_of(self))

    @classmethod
    def load(cls, folder: Path) -> Self:
        regression, settings = Regression.load(folder, cls.kind)
        return cls(**settings).use(regression)


def scores_of(predictor: Any, examples: Examples) -> dict[str, float]:
    """R² of the logarithm of the price (NaN where all prices are one), mean and median of how far off an answer is over
    the price, and of intervals of the usual coverage how many hold the price and how wide they are over it.
    """
    rows = examples.rows
    outputs = predictor.predict(inputs_of(rows))
    low, high = np.array([one.interval for one in outputs]).reshape(-1, 2).T
    return price_scores(rows["price"].to_numpy(float), np.array([one.predicted_price for one in outputs]), low, high)


def inputs_of(rows: "pd.DataFrame") -> list[PriceInput]:
    """Of examples, wherever they are."""
    return [
        PriceInput(bedrooms, bathrooms, sqft, str(location), allow_unknown=True)
        for bedrooms, bathrooms, sqft, location in zip(*(rows[name] for name in (*COLUMNS, "location")), strict=True)
    ]


def price_scores(price: np.ndarray, said: np.ndarray, low: np.ndarray, high: np.ndarray) -> dict[str, float]:
    """Shapes (rows,)."""
    logs = np.log(price)
    spread = float(((logs - logs.mean()) ** 2).sum())
    off = np.abs(said / price - 1)
    return {
        "r2_log": 1 - float(((logs - np.log(said)) ** 2).sum()) / spread if spread else float("nan"),
        "mape": float(off.mean()),
        "median_error": float(np.median(off)),
        "coverage": float(((low <= price) & (price <= high)).mean()),
        "width": float(((high - low) / price).mean()),
    }
