"""What monitoring asks of this room: how far off predicted prices are, held against those that are reported later."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from experiments.estimates.dle import dle, relative_error
from experiments.estimates.quality import Quality
from pricing.ml.conformal import LEAST, MOST
from pricing.ml.price import PriceInput, inputs_of

CENT = 0.01


def _truth(value: Any) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    return float(value) if known else None


def _asked(rows: pd.DataFrame) -> tuple[Sequence[PriceInput], np.ndarray]:
    """Every second one with another coverage, so that the reference knows what callers choose."""
    inputs, spread = inputs_of(rows), np.linspace(LEAST, MOST, len(rows)).tolist()
    inputs[::2] = [replace(one, coverage=coverage) for one, coverage in zip(inputs[::2], spread[::2], strict=True)]
    return inputs, rows["price"].to_numpy(float)


def _facts(given: Mapping[str, Any], said: Mapping[str, Any]) -> tuple[float, ...]:
    """The price, and what its error may depend on. How wide the interval is says how sure the model is; as callers
    choose its coverage, it is divided by how wide a bell curve's would be, and the coverage stands beside.
    """
    low, high = (max(end, CENT) for end in said["interval"])
    coverage = said["coverage"]
    width = math.log(high / low) / NormalDist().inv_cdf((1 + coverage) / 2)
    home = (given["bedrooms"], given["bathrooms"], given["sqft"])
    return said["predicted_price"], width, coverage, *home, float(said["extrapolating"])


price = Quality(
    names=("relative_error",), outcomes=("reported",), truth=_truth, asked=_asked, facts=_facts, estimate=dle,
    measure=relative_error,
)  # fmt: skip
