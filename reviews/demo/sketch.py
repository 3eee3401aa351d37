"""The paints of one picture, so that a drawing only says where they go."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from PIL import Image

from .canvas import Colour


@dataclass(frozen=True, kw_only=True)
class Sketch:
    kind: str
    facts: Mapping[str, str]
    rng: Random
    cloth: Image.Image  # the product's colour and pattern
    main: Colour
    accent: Colour
    trim: Colour  # cuffs, handles, hems
    pale: Colour
    dark: Colour
    edge: Colour  # outlines
    fold: Colour  # faint lines within
    inside: Colour  # what is seen through a neckline
    ground: Colour  # the background behind the product
