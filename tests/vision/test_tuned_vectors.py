"""Vectors that learned the shop's categories."""

from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow

from experiments.discovery import task_named
from experiments.errors import DomainError
from experiments.mltask import Examples, no_progress
from vision.ml.sample import picture

TASK = task_named("image_embedding")


def fit(examples: Examples, **parameters: float) -> object:
    return TASK.algorithms["efficientnet_lite0_tuned"](**parameters).fit(examples, progress=no_progress)


@pytest.mark.slow
def test_pictures_of_one_category_come_to_look_alike(fitted: object) -> None:
    """Light and dark ones, which to a network of things are the same discs and bars."""
    colours = [np.asarray(Pillow.open(BytesIO(picture(number).data)).convert("RGB"))[32, 32] for number in range(16)]
    rows = [
        (picture(number).data, "light" if sum(map(int, one)) > 330 else "dark") for number, one in enumerate(colours)
    ]
    examples = Examples(pd.DataFrame(rows, columns=["image", "category"]))
    before = fitted("image_embedding").evaluate(examples)["precision@5"]
    assert fit(examples, epochs=20).evaluate(examples)["precision@5"] > before


def test_the_same_seed_makes_the_same_network() -> None:
    seen = [fit(TASK.tiny(), epochs=1, seed=3).network.run(picture(5)) for _ in range(2)]
    assert np.array_equal(*seen)


def test_one_category_is_nothing_to_learn_from() -> None:
    with pytest.raises(DomainError, match="two categories"):
        fit(Examples(TASK.tiny().rows[::2]))


@pytest.mark.parametrize("parameters", [{"epochs": 0}, {"rate": 0.0}, {"head_rate": float("nan")}])
def test_parameters_out_of_bounds_are_refused(parameters: dict[str, float]) -> None:
    with pytest.raises(DomainError, match="epochs must be 1 or more"):
        fit(TASK.tiny(), **parameters)
