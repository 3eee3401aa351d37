"""Opening a picture that somebody sent: its bytes and its pixels are counted before anything is decoded, what it is
says its content and not its name, and what comes out is always RGB, turned upright and without metadata.

Pure: knows neither Django nor HTTP. What cannot be opened is `Invalid("image", …)`, which says what was expected.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFile

from experiments.errors import Invalid

MAX_BYTES = 8_000_000  # of a file
MAX_PIXELS = 25_000_000  # of a picture: 100 MB when decoded
MAX_SCANS = 100  # of a JPEG: each goes over all pixels and may be a dozen bytes long; cameras write ten at most
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
JPEGS = ("JPEG", "MPO")  # what a telephone writes is often a JPEG with a second one behind it
MESSAGES = {
    "empty": f"Expected a picture ({', '.join(FORMATS)}), got no bytes.",
    "too_many_bytes": f"Expected a picture of at most {MAX_BYTES:,} bytes.",
    "too_many_pixels": f"Expected a picture of at most {MAX_PIXELS:,} pixels.",
    "too_many_scans": f"Expected a JPEG of at most {MAX_SCANS} scans.",
    "invalid_image": f"Expected a picture ({', '.join(FORMATS)}) that is whole.",
}
ORIENTATION = 0x0112  # the EXIF tag, and what undoes each of its values
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = {UPRIGHT[value] for value in (5, 6, 7, 8)}


def opened(data: bytes, least: int = 0, seen: dict[str, float] | None = None) -> Image.Image:
    """The picture in `data` as RGB. Who needs no more than `least` pixels on the shorter side says so: a larger one is
    then decoded smaller, which takes a fraction of the time, and never to less than that. How large it is in the file
    and how bright, 0 to 255, is put into `seen`.
    """
    if not data:
        raise _refusal("empty")
    if len(data) > MAX_BYTES:
        raise _refusal("too_many_bytes")
    with _looked_at(BytesIO(data)) as picture:
        size = picture.size
        if least:
            picture.draft(None, (least, least))  # of a JPEG; others take no notice
        picture.load()
        way = UPRIGHT.get(_orientation(picture))  # before the conversion, which may drop what says so
        plain = _rgb(_reduced(picture, least))
        if way is not None:
            plain = plain.transpose(way)
        plain.info = {}
        if seen is not None:
            width, height = size if way not in SIDEWAYS else size[::-1]
            seen |= {"width": width, "height": height, "brightness": _brightness(plain)}
        return plain


def _brightness(picture: Image.Image) -> float:
    """The mean of a thousand pixels: of a photograph within one of 255 of the mean of all, in 0.07 ms."""
    few = picture.resize((32, 32), Image.Resampling.NEAREST).convert("L")
    return round(float(np.asarray(few).mean()), 1)


def format_of(file: BinaryIO) -> str:
    """One of FORMATS: that of the picture in `file`, which is decoded to see that it is whole."""
    with _looked_at(file) as picture:
        picture.load()
        return "JPEG" if picture.format in JPEGS else str(picture.format)


@contextmanager
def _looked_at(file: BinaryIO) -> Iterator[ImageFile.ImageFile]:
    """The picture with its head read and its bounds checked; whatever goes wrong after that is its fault too."""
    try:
        with Image.open(file, formats=FORMATS) as picture:
            _bound(picture, file)
            yield picture
    except Invalid:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # Pillow's own bound is higher
        raise _refusal("too_many_pixels") from None
    except Exception as error:  # decoders raise what they like: OSError, SyntaxError, struct.error …
        raise _refusal("invalid_image") from error


def _bound(picture: Image.Image, file: BinaryIO) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise _refusal("too_many_pixels")
    if picture.format in JPEGS and _scans(file) > MAX_SCANS:
        raise _refusal("too_many_scans")


def _refusal(code: str) -> Invalid:
    return Invalid("image", MESSAGES[code], code)


def _scans(file: BinaryIO) -> int:
    """How often a JPEG says that a scan starts: inside of a scan these two bytes do not occur."""
    place = file.tell()
    file.seek(0)
    found = file.read().count(b"\xff\xda")
    file.seek(place)
    return found


def _orientation(picture: Image.Image) -> int:
    with suppress(Exception):  # EXIF that cannot be read turns nothing
        return int(picture.getexif().get(ORIENTATION, 1))
    return 1


def _reduced(picture: Image.Image, least: int) -> Image.Image:
    """The mean of whole blocks of pixels; a palette has none."""
    times = min(picture.size) // least if least else 1
    return picture.reduce(times) if times > 1 and picture.mode in ("RGB", "RGBA", "L", "LA") else picture


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16 bits: converted straight, all but the darkest would be white
        levels = np.asarray(picture).astype(np.int64) >> 8
        picture = Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        above = picture.convert("RGBA")
        ground = Image.new("RGBA", above.size, "white")
        return Image.alpha_composite(ground, above).convert("RGB")
    return picture.convert("RGB")
