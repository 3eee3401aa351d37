"""Networks that see nothing but the colour of a picture, and a shop of plain pictures."""

import json
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image as Picture
from rest_framework.test import APIClient

from experiments import serving
from experiments.errors import DomainError, Invalid
from experiments.mltask import Examples
from experiments.models import ModelVersion
from experiments.registry import version_promote
from reviews.models import Product
from tests import shop
from vision.ml.category import CATEGORY, CategoryInput, CategoryOutput, Share
from vision.ml.detection import DETECT, Box, DetectOutput, Found
from vision.ml.embedding import DIMENSIONS, IMAGE_EMBEDDING, EmbeddingInput, EmbeddingOutput
from vision.ml.image import IMAGE, ImageInput, ImageOutput, Label

Version = Callable[..., ModelVersion]
Colour = tuple[int, int, int]
RED, GREEN, BLUE = (250, 10, 10), (10, 250, 10), (10, 10, 250)


def colour_of(data: bytes) -> Colour:
    try:
        with Picture.open(BytesIO(data)) as found:
            return found.convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[return-value]
    except Exception as error:
        raise Invalid("image", "Expected a picture (JPEG, PNG, WEBP, GIF) that is whole.", "invalid_image") from error


class Scripted:
    """Stores its parameters, scores `score`; `before` is called with each batch."""

    before = staticmethod(lambda batch: None)

    def __init__(self, score: float = 0.8, embedding: str = "", turn: int = 0) -> None:
        self.score = score
        self.embedding = embedding
        self.turn = turn

    def fit(self, examples: Examples, *, progress: Any) -> Self:
        return self

    def predict(self, batch: Sequence[Any]) -> list[Any]:
        type(self).before(batch)
        return [self.one(given) for given in batch]

    def one(self, given: Any) -> Any:
        raise NotImplementedError

    def evaluate(self, examples: Examples) -> dict[str, float]:
        return {"accuracy": self.score, "precision@5": self.score}

    def save(self, folder: Path) -> None:
        (folder / "script.json").write_text(json.dumps(vars(self)))

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(**json.loads((folder / "script.json").read_text()))


class Tint(Scripted):
    """The colour as a vector: of another `turn` the same colours stand in other dimensions."""

    def one(self, given: EmbeddingInput) -> EmbeddingOutput:
        vector = np.zeros(DIMENSIONS)
        vector[self.turn : self.turn + 3] = np.array(colour_of(given.image.data)) + 1
        return EmbeddingOutput(tuple((vector / np.linalg.norm(vector)).tolist()))


class Names(Scripted):
    def one(self, given: ImageInput) -> ImageOutput:
        shares = sorted(zip(colour_of(given.image.data), ("red", "green", "blue"), strict=True), reverse=True)
        labels = [Label(f"n{number}", name, share / 1_000) for number, (share, name) in enumerate(shares)]
        labels += [Label(f"n{number}", "nothing", 0.001) for number in (3, 4)]
        return ImageOutput(tuple(labels), labels[0].confidence)


class Head(Scripted):
    def one(self, given: CategoryInput) -> CategoryOutput:
        if given.embedding and given.embedding != self.embedding:
            raise DomainError("This head was fitted on another embedding.")
        first = ("red", "green", "blue")[int(np.argmax(given.vector[self.turn : self.turn + 3]))]
        return CategoryOutput((Share(first, 0.9), Share("other", 0.1)), 0.9)


class Boxes(Scripted):
    def one(self, given: ImageInput) -> DetectOutput:
        colour_of(given.image.data)
        return DetectOutput((Found("lamp", 0.75, Box(1.0, 2.0, 3.0, 4.0)),))


SCRIPTS = {IMAGE: Names, IMAGE_EMBEDDING: Tint, CATEGORY: Head, DETECT: Boxes}


@pytest.fixture
def scripted(candidate: Version, monkeypatch: pytest.MonkeyPatch) -> Version:
    """`scripted("image_embedding", turn=3)`: a stored version of a network as above, not live."""
    by_name = {task.name: script for task, script in SCRIPTS.items()}
    for task, script in SCRIPTS.items():
        monkeypatch.setitem(task.algorithms, "scripted", script)
        monkeypatch.setattr(script, "before", staticmethod(lambda batch: None))
    return lambda task, **script: candidate(task, by_name[task](**script), algorithm="scripted")


@pytest.fixture
def online(scripted: Version) -> Version:
    """The same, put live."""

    def make(task: str, **script: Any) -> ModelVersion:
        row = scripted(task, **script)
        version_promote(task=task, version=row.version, force=True, reason="for a test")
        serving.refresh()
        row.refresh_from_db()
        return row

    return make


def picture(colour: Colour = RED, kind: str = "PNG", size: tuple[int, int] = (8, 6)) -> bytes:
    file = BytesIO()
    Picture.new("RGB", size, colour).save(file, kind)
    return file.getvalue()


def pictured(name: str, colour: Colour = RED, data: bytes = b"", **facts: Any) -> Product:
    """A saved product with a picture of one colour, or with this file."""
    product = shop.product(name, **facts)
    product.image.save(f"{name}.png", ContentFile(data or picture(colour)))
    return product


def upload(client: APIClient, path: str, content: bytes = b"", name: str = "p.png", **form: Any) -> Any:
    sent = SimpleUploadedFile(name, content or picture())
    return client.post(f"{shop.API}/{path}", {"image": sent, **form}, format="multipart")


@pytest.fixture(autouse=True)
def _no_pictures() -> Iterator[None]:
    yield
    for path in (Path(settings.MEDIA_ROOT) / "products").glob("*"):
        path.unlink()
