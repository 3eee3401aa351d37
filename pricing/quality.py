"""What monitoring asks of this room: how far off predicted prices are, held against those that are reported later."""

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from experiments.estimates.dle import dle, relative_error
from experiments.estimates.quality import Quality
from pricing.ml.price import PriceInput, inputs_of

CENT = 0.01


def _truth(value: Any) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    return float(value) if known else None


def _asked(rows: pd.DataFrame) -> tuple[Sequence[PriceInput], np.ndarray]:
    return inputs_of(rows), rows["price"].to_numpy(float)


def _facts(given: Mapping[str, Any], said: Mapping[str, Any]) -> tuple[float, ...]:
    """The price, and what its error may depend on. How wide the interval is over the price says how sure the model is;
    as callers choose its coverage, it is divided by how wide a bell curve's would be.
    """
    price, (low, high) = said["predicted_price"], said["interval"]
    usual = NormalDist().inv_cdf((1 + said["coverage"]) / 2)
    width = (high - low) / max(price, CENT) / usual
    return price, width, given["bedrooms"], given["bathrooms"], given["sqft"], float(said["extrapolating"])


price = Quality(outcomes=("reported",), truth=_truth, asked=_asked, facts=_facts, estimate=dle, measure=relative_error)
