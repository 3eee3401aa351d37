"""The task `category`: which of the shop's own categories a picture is of, from its embedding."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from experiments.mltask import Digested, Examples, Items, MLTask, Number, Text
from vision.ml.embedding import DIMENSIONS

SHOWN = 5  # categories in an answer


@dataclass(frozen=True)
class CategoryInput:
    """`embedding` is the digest of the embedding version that made the vector."""

    vector: Annotated[tuple[Annotated[float, Number(ge=-1, le=1)], ...], Items(max_length=DIMENSIONS), Digested()]
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


def _clouds() -> list[tuple[float, ...]]:
    """Vectors of length 1, in turn from one of two clouds."""
    draw, found = np.random.default_rng(0), []
    for number in range(24):
        vector = np.zeros(DIMENSIONS)
        vector[:8] = draw.normal(0, 0.2, 8)
        vector[number % 2] += 1
        found.append(tuple((vector / np.linalg.norm(vector)).tolist()))
    return found


def tiny() -> Examples:
    """Columns unit, vector (a tuple), category and embedding."""
    import pandas as pd

    rows = [(number, vector, ("disc", "bar")[number % 2], "") for number, vector in enumerate(_clouds())]
    return Examples(pd.DataFrame(rows, columns=["unit", "vector", "category", "embedding"]))


CATEGORY = MLTask(
    name="category",
    input=CategoryInput,
    output=CategoryOutput,
    example=CategoryInput(_clouds()[0]),
    tiny=tiny,
    metric="accuracy",
    public=False,  # classify-image asks it
    needs=("image_embedding",),
)
