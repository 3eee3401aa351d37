"""A detector of one's own, such as YOLO, as an ONNX file: the algorithm `onnx` of `detect`."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Self

import numpy as np
from PIL import Image as Pillow

from experiments.errors import DomainError, Invalid
from experiments.mltask import Examples, Progress
from experiments.network import Network, params_of
from experiments.pictures import opened
from vision.ml.detection import DETECT, Box, DetectOutput, Found
from vision.ml.image import ImageInput
from vision.ml.onnx_file import Entry, entry_of, labels_in, network_in, tried
from vision.ml.pixels import Picture

SIDE = 640  # pixels, where the file leaves the size open
MARGIN = (114, 114, 114)  # the grey that YOLO fills up with
CANDIDATES = 3_000  # boxes that are looked at, the surest ones
SHOWN = 300  # objects in an answer


@DETECT.algorithm("onnx")
class OnnxDetector:
    """`onnx` and `labels` are paths, `preprocess` is one of RECIPES. The file's first output is that of YOLOv8,
    [1, 4 + labels, boxes], or of YOLOv5, [1, boxes, 5 + labels]: centre and size of a box in pixels of the network's
    input, and a probability a label (with one for the box before them in YOLOv5). Objects of a confidence of
    `threshold` and up are kept; of two of a label whose boxes overlap by more than `overlap` (intersection over union)
    the surer one.
    """

    def __init__(
        self,
        onnx: str = "",
        labels: str = "",
        preprocess: str = "zero_to_one",
        size: int = 0,
        threshold: float = 0.25,
        overlap: float = 0.45,
    ) -> None:
        self.onnx, self.labels, self.preprocess, self.size = onnx, labels, preprocess, size
        self.threshold, self.overlap = threshold, overlap

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        """Needs no examples: checks the file and copies it."""
        progress(0, 1, "checking the network")
        if not (0 < self.threshold <= 1 and 0 < self.overlap <= 1):
            raise Invalid("param", "threshold and overlap must be over 0 and at most 1.")
        network = network_in(self.onnx)
        entry = entry_of(network, self.preprocess, self.size, open_side=SIDE)
        if not self.labels:
            raise Invalid("labels", "Say which labels the network's objects have: --labels FILE.")
        labels = labels_in(self.labels)
        rows(tried(network, entry), len(labels))
        progress(1, 1, "checked")
        return self.use(network, entry, labels)

    def use(self, network: Network, entry: Entry, names: tuple[str, ...]) -> Self:
        self.network, self.entry, self.names = network, entry, names
        return self

    def predict(self, batch: Sequence[ImageInput]) -> list[DetectOutput]:
        return [self._objects(opened(one.image.data, seen=one.image.seen)) for one in batch]

    def _objects(self, picture: Picture) -> DetectOutput:
        inside, times, left, top = letterbox(picture, self.entry.width, self.entry.height)
        boxes, scores = rows(self.network.run(self.entry.pixels(inside))[0], len(self.names))
        kinds, sure = scores.argmax(axis=1), scores.max(axis=1)
        corners = np.hstack([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2])
        corners = (corners - [left, top, left, top]) / times
        corners = corners.clip(0, [picture.width, picture.height] * 2)
        best = np.argsort(-sure, kind="stable")[:CANDIDATES]
        best = best[sure[best] >= self.threshold]
        kept = apart(corners[best], kinds[best], self.overlap)[:SHOWN]
        return DetectOutput(tuple(self._found(kinds[one], sure[one], corners[one]) for one in best[kept]))

    def _found(self, kind: int, sure: float, corners: np.ndarray) -> Found:
        x, y, right, bottom = (float(edge) for edge in corners)
        return Found(self.names[kind], min(float(sure), 1.0), Box(x, y, right - x, bottom - y))

    def evaluate(self, examples: Examples) -> dict[str, float]:
        """Nothing: the shop has no pictures whose objects are marked."""
        return {DETECT.metric: float("nan")}

    def save(self, folder: Path) -> None:
        self.network.save(folder / "network.onnx")
        kept = {"params": params_of(self), "entry": asdict(self.entry), "labels": self.names}
        (folder / "labels.json").write_text(json.dumps(kept))

    @classmethod
    def load(cls, folder: Path) -> Self:
        kept = json.loads((folder / "labels.json").read_text())
        network = Network(folder / "network.onnx")
        return cls(**kept["params"]).use(network, Entry(**kept["entry"]), tuple(kept["labels"]))


def rows(output: np.ndarray, labels: int) -> tuple[np.ndarray, np.ndarray]:
    """The boxes (centre and size), shape (boxes, 4), and the confidences, shape (boxes, labels), in a YOLO's output.
    Raises DomainError where that is neither YOLOv8's nor YOLOv5's for so many labels.
    """
    shape = output.shape
    if len(shape) == 3 and shape[:2] == (1, 4 + labels):
        table = np.asarray(output[0].T, np.float64)
        return table[:, :4], table[:, 4:]
    if len(shape) == 3 and shape[0] == 1 and shape[2] == 5 + labels:
        table = np.asarray(output[0], np.float64)
        return table[:, :4], table[:, 4:5] * table[:, 5:]
    raise DomainError(
        f"The network gives an array of the shape {list(shape)}; for {labels:,} labels a detector gives"
        f" [1, {4 + labels}, boxes] (YOLOv8) or [1, boxes, {5 + labels}] (YOLOv5)."
    )


def letterbox(picture: Picture, width: int, height: int) -> tuple[Picture, float, int, int]:
    """The whole picture in the middle of this size, how many times as large as it was, and where its corner is."""
    times = min(width / picture.width, height / picture.height)
    wide, high = max(round(picture.width * times), 1), max(round(picture.height * times), 1)
    left, top = (width - wide) // 2, (height - high) // 2
    ground = Pillow.new("RGB", (width, height), MARGIN)
    ground.paste(picture.resize((wide, high), Pillow.Resampling.BILINEAR), (left, top))
    return ground, times, left, top


def apart(corners: np.ndarray, kinds: np.ndarray, overlap: float) -> list[int]:
    """Places of the boxes that no surer one of their kind covers (greedy non-maximum suppression); surest first."""
    areas = np.prod(corners[:, 2:] - corners[:, :2], axis=1)
    kept: list[int] = []
    left = np.arange(len(corners))
    while len(left):
        first, others = left[0], left[1:]
        kept.append(int(first))
        edges = np.minimum(corners[first, 2:], corners[others, 2:]) - np.maximum(
            corners[first, :2], corners[others, :2]
        )
        shared = np.prod(edges.clip(0), axis=1)
        union = np.maximum(areas[first] + areas[others] - shared, 1e-12)
        left = others[(kinds[others] != kinds[first]) | (shared / union <= overlap)]
    return kept
