"""Homes after a stated formula, and a network that learned them once for all tests."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments.mltask import Examples, no_progress
from experiments.models import ModelVersion
from pricing import selectors
from pricing.ml.price_network import PriceNetwork

LEVELS = {"98101": 12.6, "98102": 12.9, "98103": 13.2, "98104": 13.6}


def homes(count: int, seed: int = 0) -> Examples:
    """log price = level of the place + 0.8 (log area - 7.5) + noise, whose scale is 0.1 in small homes and 0.3 in large
    ones. Every fiftieth home is in a place of its own.
    """
    draw = np.random.default_rng(seed)
    area = draw.normal(7.5, 0.4, count)
    place = np.array([*LEVELS], object)[draw.integers(0, len(LEVELS), count)]
    level = np.array([LEVELS[one] for one in place])
    place[::50] = [f"alone {number}" for number in range(len(place[::50]))]
    noise = draw.normal(0, np.where(area < 7.5, 0.1, 0.3))
    rows = {
        "bedrooms": np.clip(np.round(np.exp(area) / 700), 1, 8).astype(int),
        "bathrooms": np.clip(np.round(np.exp(area) / 250) / 4, 1, 5),
        "sqft": np.exp(area),
        "location": place,
        "price": np.exp(level + 0.8 * (area - 7.5) + noise),
    }
    return Examples(pd.DataFrame(rows))


@pytest.fixture(scope="session")
def network() -> Any:
    return PriceNetwork(epochs=20).fit(homes(3_000), progress=no_progress)


@pytest.fixture
def priced(live: Callable[..., ModelVersion], network: Any) -> ModelVersion:
    """The network, put live."""
    return live("price", predictor=network, algorithm="network")


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """Of versions whose rows were rolled back."""
    selectors._edition.cache_clear()
    selectors.browser_files.cache_clear()
