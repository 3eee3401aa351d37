"""The task `detect`: a picture in, the objects on it with their boxes out (a detector of one's own, such as YOLO, as an
ONNX file).
"""

from dataclasses import dataclass

from experiments.mltask import MLTask
from vision.ml.image import ImageInput, tiny
from vision.ml.sample import picture


@dataclass(frozen=True)
class Box:
    """In pixels of the picture as it was sent (turned as its EXIF says): the left upper corner, and the size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Found:
    label: str
    confidence: float
    box: Box


@dataclass(frozen=True)
class DetectOutput:
    """The surest first."""

    objects: tuple[Found, ...]


DETECT = MLTask(
    name="detect",
    input=ImageInput,
    output=DetectOutput,
    example=ImageInput(picture(0)),
    tiny=tiny,
    metric="mean_average_precision",
    public=False,  # vision/views.py has its route
    pretrained=True,
    brought=True,
)
