"""The algorithm `efficientnet_lite0` of `image_embedding`: what the network sees before it decides on a class, turned
into fewer dimensions.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from experiments.mltask import Examples, Image, Progress
from vision.ml.embedding import DIMENSIONS, IMAGE_EMBEDDING, EmbeddingInput, EmbeddingOutput, precision, recall, unit
from vision.ml.lite0 import FEATURES, POOLED, exported, pixels_of
from vision.ml.network import Network, params_of

WHOLE = 1.0  # of a product's picture the edges count too: measured better than the usual margin


@IMAGE_EMBEDDING.algorithm("efficientnet_lite0")
class Lite0Vectors:
    """Projects on the directions in which the examples' pictures differ most; where there are fewer pictures than
    dimensions, the rest are drawn at random (`seed`), which keeps cosines about as they were.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = int(seed)

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        """`examples` has the columns image (bytes of a file) and category."""
        steps = len(examples) + 1
        progress(0, steps, "exporting the network")
        self.network = Network(self.learned(examples, progress))
        seen = []
        for done, data in enumerate(examples.rows["image"]):
            progress(done, steps, "looking at pictures")
            seen.append(self._seen(Image(data)))
        self.projection = projection(np.array(seen).reshape(-1, FEATURES), self.seed)
        progress(steps, steps, "fitted")
        return self

    def learned(self, examples: Examples, progress: Progress) -> bytes:
        """The network as ONNX: as ImageNet made it."""
        return exported()

    def _seen(self, image: Image) -> np.ndarray:
        """The network's features, of length 1; shape (1280,)."""
        [features] = self.network.run(pixels_of(image, WHOLE), POOLED)
        return unit(features[0])

    def _vector(self, seen: np.ndarray) -> np.ndarray:
        return unit(seen @ self.projection)

    def predict(self, batch: Sequence[EmbeddingInput]) -> list[EmbeddingOutput]:
        return [EmbeddingOutput(tuple(self._vector(self._seen(one.image)).tolist())) for one in batch]

    def evaluate(self, examples: Examples) -> dict[str, float]:
        """`precision@5` by category, each row against all others, and `recall@10`: how many of the ten nearest by all
        1280 features are among the ten nearest by the projected ones. NaN with fewer than two rows.
        """
        seen = np.array([self._seen(Image(data)) for data in examples.rows["image"]]).reshape(-1, FEATURES)
        vectors = np.array([self._vector(one) for one in seen]).reshape(-1, DIMENSIONS)
        return {
            "precision@5": precision(vectors, list(examples.rows["category"]), 5),
            "recall@10": recall(vectors, seen, 10),
        }

    def save(self, folder: Path) -> None:
        self.network.save(folder / "network.onnx")
        np.save(folder / "projection.npy", self.projection)
        (folder / "params.json").write_text(json.dumps(params_of(self)))

    @classmethod
    def load(cls, folder: Path) -> Self:
        self = cls(**json.loads((folder / "params.json").read_text()))
        self.network = Network(folder / "network.onnx")
        self.projection = np.load(folder / "projection.npy")
        return self


def projection(seen: np.ndarray, seed: int) -> np.ndarray:
    """Orthonormal columns, shape (1280, 256): the first ones span what rows of `seen` have most in common, in which
    their cosines are kept best (truncated SVD), the rest are at random.
    """
    drawn = np.random.default_rng(seed).normal(size=(FEATURES, DIMENSIONS))
    if len(seen):
        directions = np.linalg.svd(seen.astype(np.float64), full_matrices=False)[2][:DIMENSIONS].T
        drawn = np.hstack([directions, drawn])[:, :DIMENSIONS]
    found: np.ndarray = np.linalg.qr(drawn)[0].astype(np.float32)
    return found
