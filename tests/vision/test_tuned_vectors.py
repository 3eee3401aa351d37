"""Vectors that learned the shop's categories."""

import numpy as np
import pandas as pd
import pytest

from experiments.discovery import task_named
from experiments.errors import DomainError
from experiments.mltask import Examples, no_progress
from vision.ml.lite0 import POOLED, pixels_of
from vision.ml.lite0_vectors import WHOLE
from vision.ml.sample import picture

TASK = task_named("image_embedding")


def fit(examples: Examples, **parameters: float) -> object:
    return TASK.algorithms["efficientnet_lite0_tuned"](**parameters).fit(examples, progress=no_progress)


def test_pictures_of_one_category_come_to_look_alike(fitted: object) -> None:
    """Two made-up categories: there are discs and bars in both."""
    rows = [(number, picture(number).data, ("few", "many")[number // 2 % 2]) for number in range(12)]
    examples = Examples(pd.DataFrame(rows, columns=["unit", "image", "category"]))
    before = fitted("image_embedding").evaluate(examples)["precision@5"]
    assert fit(examples, epochs=8).evaluate(examples)["precision@5"] > before + 0.1


def test_the_same_seed_makes_the_same_network() -> None:
    seen = [fit(TASK.tiny(), epochs=1, seed=3).network.run(pixels_of(picture(5), WHOLE), POOLED)[0] for _ in range(2)]
    assert np.array_equal(*seen)


def test_one_category_is_nothing_to_learn_from() -> None:
    with pytest.raises(DomainError, match="two categories"):
        fit(Examples(TASK.tiny().rows[::2]))


@pytest.mark.parametrize("parameters", [{"epochs": 0}, {"rate": 0.0}, {"head_rate": float("nan")}])
def test_parameters_out_of_bounds_are_refused(parameters: dict[str, float]) -> None:
    with pytest.raises(DomainError, match="epochs must be 1 or more"):
        fit(TASK.tiny(), **parameters)
