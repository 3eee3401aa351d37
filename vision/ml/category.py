"""The task `category`: which of the shop's own categories a picture is of, from its embedding."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from experiments.mltask import Examples, Items, MLTask, Number, Text
from vision.ml.embedding import DIMENSIONS

SHOWN = 5  # categories in an answer


@dataclass(frozen=True)
class CategoryInput:
    """`embedding` is the digest of the embedding version that made the vector."""

    vector: Annotated[tuple[Annotated[float, Number(ge=-1, le=1)], ...], Items(max_length=DIMENSIONS)]
    embedding: Annotated[str, Text(max_length=64)] = ""


@dataclass(frozen=True)
class Share:
    category: str
    confidence: float


@dataclass(frozen=True)
class CategoryOutput:
    """The likeliest first; `confidence` is that of the first."""

    categories: tuple[Share, ...]
    confidence: float


def tiny() -> Examples:
    """Two clouds. Columns unit, vector (a tuple), category and embedding."""
    import pandas as pd

    draw = np.random.default_rng(0)
    rows = []
    for number in range(24):
        vector = np.zeros(DIMENSIONS)
        vector[:8] = draw.normal(0, 0.2, 8)
        vector[number % 2] += 1
        rows.append((number, tuple((vector / np.linalg.norm(vector)).tolist()), ("disc", "bar")[number % 2], ""))
    return Examples(pd.DataFrame(rows, columns=["unit", "vector", "category", "embedding"]))


CATEGORY = MLTask(
    name="category",
    input=CategoryInput,
    output=CategoryOutput,
    example=CategoryInput(tiny().rows["vector"].iloc[0]),
    tiny=tiny,
    metric="accuracy",
    public=False,  # classify-image asks it
    needs=("image_embedding",),
)
