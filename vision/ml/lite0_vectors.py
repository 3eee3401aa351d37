"""The algorithm `efficientnet_lite0` of `image_embedding`: what the network sees before it decides on a class."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np

from experiments.mltask import Examples, Image, Progress
from experiments.network import params_of
from vision.ml.embedding import IMAGE_EMBEDDING, EmbeddingInput, EmbeddingOutput, precision, unit
from vision.ml.lite0_network import FEATURES, Lite0Network, top, trunk, upper, weighted


@cache
def pooled() -> bytes:
    """What stands above the trunk, to the features, as an ONNX file."""
    return top(upper(weighted()))


@IMAGE_EMBEDDING.algorithm("efficientnet_lite0")
class Lite0Vectors:
    """Needs no examples."""

    def __init__(self) -> None:
        pass

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        progress(0, 1, "exporting the network")
        self.network = Lite0Network(trunk(), pooled())
        progress(1, 1, "exported and checked")
        return self

    def predict(self, batch: Sequence[EmbeddingInput]) -> list[EmbeddingOutput]:
        return [EmbeddingOutput(tuple(self.vector(one.image).tolist())) for one in batch]

    def vector(self, image: Image) -> np.ndarray:
        """Shape (1280,), of length 1."""
        return unit(self.network.run(image))

    def evaluate(self, examples: Examples) -> dict[str, float]:
        """`precision@5` by category, each row of `image` and `category` against all others. NaN with fewer than two."""
        vectors = np.array([self.vector(Image(data)) for data in examples.rows["image"]]).reshape(-1, FEATURES)
        return {"precision@5": precision(vectors, list(examples.rows["category"]), 5)}

    def save(self, folder: Path) -> None:
        self.network.save(folder)
        (folder / "params.json").write_text(json.dumps(params_of(self)))

    @classmethod
    def load(cls, folder: Path) -> Self:
        self = cls(**json.loads((folder / "params.json").read_text()))
        self.network = Lite0Network.load(folder)
        return self
