"""The task `image`: a picture in, the five likeliest of a network's classes out. The networks have files of
their own: lite0.py, keras_networks.py, onnx_file.py.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.mltask import Examples, Image, MLTask
from vision.ml.sample import picture

SHOWN = 5  # classes in an answer


@dataclass(frozen=True)
class ImageInput:
    """A picture."""

    image: Image


@dataclass(frozen=True)
class Label:
    """`label` is the class as the network has it, such as n03595614, `description` the same in words."""

    label: str
    description: str
    confidence: float


@dataclass(frozen=True)
class ImageOutput:
    """The likeliest first; `confidence` is that of the first."""

    predictions: tuple[Label, ...]
    confidence: float


def tiny() -> Examples:
    """No rows: the networks bring what they know."""
    import pandas as pd

    return Examples(pd.DataFrame({"unit": [], "image": [], "category": []}))


IMAGE = MLTask(
    name="image",
    input=ImageInput,
    output=ImageOutput,
    example=ImageInput(picture(0)),
    tiny=tiny,
    metric="accuracy",
    public=False,  # vision/views.py has its route
    pretrained=True,
)


@dataclass(frozen=True)
class Classes:
    """What a network tells apart, in its order: the labels, and the same in words."""

    labels: tuple[str, ...]
    descriptions: tuple[str, ...]

    def answer(self, shares: np.ndarray) -> ImageOutput:
        """`shares` are the probabilities of all classes, shape (classes,)."""
        best = np.argsort(-shares, kind="stable")[:SHOWN]
        found = tuple(Label(self.labels[one], self.descriptions[one], float(shares[one])) for one in best)
        return ImageOutput(found, found[0].confidence)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities that sum to one over the last axis."""
    raised = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    shares: np.ndarray = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def scores_of(predictor: Any, examples: Examples) -> dict[str, float]:
    """How often the first answer, and how often one of the answers, is the row's `category` (as label or in words).
    NaN without rows.
    """
    if not len(examples):
        return {"accuracy": float("nan"), f"accuracy@{SHOWN}": float("nan")}
    outputs = predictor.predict([ImageInput(Image(data)) for data in examples.rows["image"]])
    hits = [
        [truth in (one.label, one.description) for one in output.predictions]
        for output, truth in zip(outputs, examples.rows["category"], strict=True)
    ]
    return {
        "accuracy": float(np.mean([one[0] for one in hits])),
        f"accuracy@{SHOWN}": float(np.mean([any(one) for one in hits])),
    }
