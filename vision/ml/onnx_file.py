"""A network of one's own as an ONNX file: the algorithm `onnx` of `image`, for any classifier, and what is the same for
`detect` (onnx_boxes.py).
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
from PIL import Image as Pillow

from experiments.errors import DomainError, Invalid
from experiments.mltask import Examples, Progress
from experiments.network import Network, first_line, params_of
from vision.ml.image import IMAGE, Classes, ImageInput, ImageOutput, scores_of, softmax
from vision.ml.lite0 import imagenet
from vision.ml.pixels import RECIPES, Picture, centre

SIDE = 224  # pixels, where the file leaves the size open
LARGEST_SIDE = 2_048
MAX_LABELS = 100_000
SUMS_TO_ONE = 1e-3  # but for so much


@dataclass(frozen=True)
class Entry:
    """How a network wants its picture. `channels_first` is NCHW, else NHWC."""

    preprocess: str
    width: int
    height: int
    channels_first: bool

    def pixels(self, picture: Picture) -> np.ndarray:
        """Of a picture of that size, as a batch of one."""
        values = RECIPES[self.preprocess](picture)
        return (values if self.channels_first else values.transpose(1, 2, 0))[None]


def entry_of(network: Network, preprocess: str, size: int, open_side: int = SIDE) -> Entry:
    """Read from the shape of the network's input; where that leaves the size open, `size` is taken, or `open_side`."""
    if preprocess not in RECIPES:
        raise Invalid("preprocess", f"There is no preprocessing {preprocess}. Known are: {', '.join(RECIPES)}.")
    if not 0 <= size <= LARGEST_SIDE:
        raise Invalid("size", f"Expected a size of 1 to {LARGEST_SIDE} pixels, or 0 for that of the file, got {size}.")
    inputs = network.session.get_inputs()
    if len(inputs) != 1:
        raise DomainError(f"The network wants {len(inputs)} inputs; one that takes a picture has one.")
    shape, kind = inputs[0].shape, inputs[0].type
    if kind != "tensor(float)" or len(shape) != 4 or 3 not in (shape[1], shape[3]):
        raise DomainError(
            f"The network's input is {kind} of the shape {shape}; expected tensor(float) of the shape"
            " [batch, 3, height, width] or [batch, height, width, 3]."
        )
    if shape[0] not in (1, None) and not isinstance(shape[0], str):
        raise DomainError(f"The network takes {shape[0]} pictures at a time; export it for one, or for any number.")
    first = shape[1] == 3
    sides = [side if isinstance(side, int) and side > 0 else size or open_side for side in shape[2 if first else 1 :]]
    height, width = sides[:2]
    if size and (height, width) != (size, size):
        raise Invalid("size", f"The network wants pictures of {width} x {height} pixels, not of {size} x {size}.")
    if max(width, height) > LARGEST_SIDE:
        raise DomainError(f"The network wants {width} x {height} pixels; {LARGEST_SIDE:,} a side is the most.")
    return Entry(preprocess, width, height, first)


def labels_in(path: str) -> tuple[str, ...]:
    """One a line."""
    try:
        text = Path(path).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid("labels", f"The labels in {path} cannot be read: {_why(error)}.") from error
    found = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not 1 <= len(found) <= MAX_LABELS or any("\0" in label or len(label) > 200 for label in found):
        raise Invalid("labels", f"Expected 1 to {MAX_LABELS:,} labels in {path}, one a line of 1 to 200 characters.")
    return found


def network_in(path: str) -> Network:
    if not path:
        raise Invalid("onnx", "Say which file: manage.py register image --onnx FILE --labels FILE.")
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise Invalid("onnx", f"{path} cannot be read: {_why(error)}.") from error
    return Network(content)


def _why(error: Exception) -> str:
    reason = getattr(error, "strerror", None)
    return reason.lower() if reason else "it is not in UTF-8"


def tried(network: Network, entry: Entry) -> np.ndarray:
    """The network's first output for a grey picture. Raises DomainError where it does not run or gives no numbers."""
    grey = Pillow.new("RGB", (entry.width, entry.height), (127, 127, 127))
    try:
        found = np.asarray(network.run(entry.pixels(grey))[0], np.float64)
    except Exception as error:
        raise DomainError(f"The network does not run on a picture: {first_line(error)}") from error
    if not np.isfinite(found).all():
        raise DomainError("The network gives no finite numbers for a grey picture: is the preprocessing the right one?")
    return found


@IMAGE.algorithm("onnx")
class OnnxClassifier:
    """`onnx` and `labels` are paths, `preprocess` is one of RECIPES. The file's first output is one number a class,
    probabilities or not; without labels a network of a thousand classes is taken for one of ImageNet.
    """

    def __init__(self, onnx: str = "", labels: str = "", preprocess: str = "imagenet", size: int = 0) -> None:
        self.onnx, self.labels, self.preprocess, self.size = onnx, labels, preprocess, size

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        """Needs no examples: checks the file and copies it."""
        progress(0, 1, "checking the network")
        network = network_in(self.onnx)
        entry = entry_of(network, self.preprocess, self.size)
        count = tried(network, entry).size
        if self.labels:
            labels = labels_in(self.labels)
            classes = Classes(labels, labels)
        elif count == len(imagenet().labels):
            classes = imagenet()
        else:
            raise Invalid("labels", f"Say which labels the network's {count:,} classes have: --labels FILE.")
        if count != len(classes.labels):
            raise DomainError(
                f"The network gives {count:,} numbers for a picture, and {self.labels} has {len(classes.labels):,}"
                " labels: one each is expected."
            )
        progress(1, 1, "checked")
        return self.use(network, entry, classes)

    def use(self, network: Network, entry: Entry, classes: Classes) -> Self:
        self.network, self.entry, self.classes = network, entry, classes
        return self

    def predict(self, batch: Sequence[ImageInput]) -> list[ImageOutput]:
        return [self.classes.answer(self._shares(one)) for one in batch]

    def _shares(self, given: ImageInput) -> np.ndarray:
        picture = centre(given.image, self.entry.width, self.entry.height)
        return shares_of(np.asarray(self.network.run(self.entry.pixels(picture))[0], np.float64).ravel())

    def evaluate(self, examples: Examples) -> dict[str, float]:
        return scores_of(self, examples)

    def save(self, folder: Path) -> None:
        self.network.save(folder / "network.onnx")
        kept = {"params": params_of(self), "entry": asdict(self.entry), "classes": asdict(self.classes)}
        (folder / "classes.json").write_text(json.dumps(kept))

    @classmethod
    def load(cls, folder: Path) -> Self:
        kept = json.loads((folder / "classes.json").read_text())
        classes = Classes(*(tuple(kept["classes"][name]) for name in ("labels", "descriptions")))
        return cls(**kept["params"]).use(Network(folder / "network.onnx"), Entry(**kept["entry"]), classes)


def shares_of(numbers: np.ndarray) -> np.ndarray:
    """Probabilities; what does not sum to one yet is taken for logits."""
    if not np.isfinite(numbers).all():
        raise ValueError("the network gave no finite numbers for this picture")
    if numbers.min() < 0 or abs(numbers.sum() - 1) > SUMS_TO_ONE:
        return softmax(numbers)
    shares: np.ndarray = numbers / numbers.sum()
    return shares
