"""The task `image_embedding`: a picture as a vector of length 1; pictures that look alike have a high cosine."""

from dataclasses import dataclass
from typing import Annotated

from experiments.mltask import Examples, Image, Items, MLTask
from vision.ml.sample import picture

DIMENSIONS = 256  # of each vector, whatever the network: those of fewer are filled up with zeros


@dataclass(frozen=True)
class EmbeddingInput:
    image: Image


@dataclass(frozen=True)
class EmbeddingOutput:
    vector: Annotated[tuple[float, ...], Items(max_length=DIMENSIONS)]


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
