"""From the bytes of a picture to the array that a network wants."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image as Pillow

from experiments.mltask import Image
from experiments.pictures import opened

Picture = Pillow.Image


@dataclass(frozen=True)
class Recipe:
    """What is done to values of 0 to 255: `(value - mean) / scale`, one of each a channel (red, green, blue)."""

    mean: tuple[float, float, float]
    scale: tuple[float, float, float]

    def __call__(self, picture: Picture) -> np.ndarray:
        """Shape (3, height, width)."""
        values = np.asarray(picture).transpose(2, 0, 1).astype(np.float32, order="C")
        values -= np.array(self.mean, np.float32)[:, None, None]
        values /= np.array(self.scale, np.float32)[:, None, None]
        return values


def _even(mean: float, scale: float) -> Recipe:
    return Recipe((mean,) * 3, (scale,) * 3)


RECIPES: Mapping[str, Recipe] = {
    "imagenet": Recipe((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "minus_one_to_one": _even(127.5, 127.5),
    "zero_to_one": _even(0, 255),
}
LITE = _even(127, 128)


def centre(image: Image, width: int, height: int, margin: float = 0.875) -> Picture:
    """The middle of the picture in this size. `margin` is the share that stays of the side that fits tighter: networks
    are measured on the middle 224 pixels of 256.
    """
    picture = opened(image.data, least=round(max(width, height) / margin), seen=image.seen)
    times = margin * min(picture.width / width, picture.height / height)
    wide, high = width * times, height * times
    left, top = (picture.width - wide) / 2, (picture.height - high) / 2
    return picture.resize(
        (width, height), Pillow.Resampling.BICUBIC, box=(left, top, left + wide, top + high), reducing_gap=3.0
    )
