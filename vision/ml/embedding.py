"""The task `image_embedding`: a picture as a vector of length 1; pictures that look alike have a high cosine."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from experiments.mltask import Digested, Examples, Image, Items, MLTask
from vision.ml.sample import picture

DIMENSIONS = 1_280  # of each vector


@dataclass(frozen=True)
class EmbeddingInput:
    image: Image


@dataclass(frozen=True)
class EmbeddingOutput:
    vector: Annotated[tuple[float, ...], Items(max_length=DIMENSIONS), Digested()]


def tiny() -> Examples:
    """Discs and bars. Columns unit, image (the bytes of a file) and category."""
    import pandas as pd

    rows = [(number, picture(number).data, ("disc", "bar")[number % 2]) for number in range(12)]
    return Examples(pd.DataFrame(rows, columns=["unit", "image", "category"]))


IMAGE_EMBEDDING = MLTask(
    name="image_embedding",
    input=EmbeddingInput,
    output=EmbeddingOutput,
    example=EmbeddingInput(picture(0)),
    tiny=tiny,
    metric="precision@5",
    public=False,  # it is asked by search and by the jobs
    pretrained=True,
)


def unit(vector: np.ndarray) -> np.ndarray:
    """The same direction, of length 1."""
    length = float(np.linalg.norm(vector))
    scaled: np.ndarray = vector / length if length else vector
    return scaled


def nearest(vectors: np.ndarray, count: int) -> np.ndarray:
    """For each row its `count` nearest others by cosine (fewer where there are fewer), shape (rows, count)."""
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -np.inf)
    order: np.ndarray = np.argsort(-alike, axis=1, kind="stable")[:, : min(count, len(vectors) - 1)]
    return order


def precision(vectors: np.ndarray, categories: list[str], count: int) -> float:
    """How many of the nearest others are of the row's own category, on average. NaN with fewer than two rows."""
    if len(vectors) < 2:
        return float("nan")
    truth = np.array(categories)
    return float((truth[nearest(vectors, count)] == truth[:, None]).mean())
