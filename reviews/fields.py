"""Serializer fields of the shop's records: stars and pictures."""

from typing import Any
from uuid import uuid4

from PIL import Image
from rest_framework import serializers

from experiments.fields import FiniteField

MAX_PIXELS = 25_000_000  # of a picture: 100 MB when decoded
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


class StarsField(FiniteField):
    """0.5 to 5 in halves."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0.5, max_value=5, help_text="Stars, 0.5 to 5 in halves.", **kwargs)

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if 2 * value % 1:
            raise serializers.ValidationError("Expected halves: 0.5, 1, 1.5 … 5.", "not_in_halves")
        return value


class PictureField(serializers.ImageField):
    """A picture that can be decoded, of at most MAX_PIXELS, which are counted before they are decoded. Its file is
    named by what is in it: the sender's name says nothing sure.
    """

    default_error_messages = {
        "invalid_image": f"Expected a picture ({', '.join(FORMATS)}) that is whole.",
        "too_many_pixels": f"Expected a picture of at most {MAX_PIXELS:,} pixels.",
    }

    def to_internal_value(self, data: Any) -> Any:
        file = serializers.FileField.to_internal_value(self, data)
        file.name = f"{uuid4().hex}.{self._checked(file).lower()}"
        file.seek(0)
        return file

    def _checked(self, file: Any) -> str:
        """The picture's format."""
        try:
            with Image.open(file, formats=FORMATS) as picture:
                fits = picture.width * picture.height <= MAX_PIXELS
                if fits:
                    picture.load()
                kind = str(picture.format)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # Pillow's own bound is higher
            fits = False
        except Exception:  # decoders raise what they like: OSError, SyntaxError, struct.error …
            self.fail("invalid_image")
        if not fits:
            self.fail("too_many_pixels")
        return kind
