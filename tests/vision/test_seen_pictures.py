"""What the log keeps of a picture once a network has looked at it: how large and how bright it is."""

import hashlib
from io import BytesIO

import orjson
from PIL import Image as Pillow

from experiments.discovery import task_named
from experiments.drift.fields import watched
from experiments.mltask import Image, to_json
from experiments.prediction_log import shortened
from vision.ml.image import ImageInput
from vision.ml.pixels import centre


def photograph() -> Image:
    file = BytesIO()
    Pillow.new("RGB", (640, 480), (90, 90, 90)).save(file, "JPEG")
    return Image(file.getvalue())


def test_a_picture_that_was_looked_at_is_logged_with_its_size_and_brightness() -> None:
    image = photograph()
    before = {"sha256": hashlib.sha256(image.data).hexdigest(), "bytes": len(image.data)}
    assert to_json(image) == before
    centre(image, 224, 224)
    assert to_json(image) == {**before, "width": 640, "height": 480, "brightness": 90.0}


def test_these_numbers_are_watched() -> None:
    image = photograph()
    centre(image, 224, 224)
    logged = {"input": orjson.loads(orjson.dumps(shortened(ImageInput(image)))), "output": {}}
    found = {field.name: field.of(logged) for field in watched(task_named("image"))}
    assert found["input.image.width"] == 640
    assert found["input.image.brightness"] == 90.0


def test_two_pictures_of_the_same_bytes_are_the_same_whoever_looked_at_them() -> None:
    one, other = photograph(), photograph()
    centre(one, 224, 224)
    assert one == other
    assert hash(one) == hash(other)
    assert other.seen == {}
