"""The task `image`: a picture in, the five likeliest of a network's classes out. The networks have files of
their own: lite0.py, keras_networks.py, onnx_file.py.
"""

from dataclasses import dataclass

from experiments.mltask import Examples, Image, MLTask
from vision.ml.sample import picture

SHOWN = 5  # classes in an answer


@dataclass(frozen=True)
class ImageInput:
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
