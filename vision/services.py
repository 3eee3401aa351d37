"""What is on a picture, what looks like it, and the vectors of the products' pictures that a search compares."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from experiments import serving
from experiments.assignment import Person
from experiments.batching import Closed
from experiments.errors import DomainError, Invalid, NotFound, Unavailable
from experiments.mltask import Image
from experiments.models import ModelVersion
from reviews.selectors import Shown
from vision.ml.category import CATEGORY, CategoryInput, Share
from vision.ml.detection import DETECT, DetectOutput
from vision.ml.embedding import IMAGE_EMBEDDING, EmbeddingInput, EmbeddingOutput
from vision.ml.image import IMAGE, ImageInput, ImageOutput
from vision.models import ImageEmbedding, Searched
from vision.selectors import (
    MADE,
    PRODUCT,
    SEARCHED,
    as_text,
    pictures_take,
    pictures_waiting,
    product_seen,
    products_like,
)

logger = logging.getLogger(__name__)
OLD_AFTER = timedelta(minutes=10)  # nobody searches with the version before any more
WRITE = f"""
INSERT INTO {MADE} (product_id, version, picture, digest, vector, made_at)
SELECT product.id, %(version)s, made.picture, made.digest, made.vector::halfvec, now()
FROM unnest(%(ids)s::bigint[], %(pictures)s::text[], %(digests)s::text[], %(vectors)s::text[])
     AS made (id, picture, digest, vector)
JOIN {PRODUCT} AS product USING (id)
ORDER BY product.id FOR KEY SHARE OF product
ON CONFLICT (product_id, version) DO UPDATE
SET picture = excluded.picture, digest = excluded.digest, vector = excluded.vector, made_at = excluded.made_at
"""  # of a product that was deleted meanwhile nothing is written


@dataclass(frozen=True)
class SearchInput(EmbeddingInput):
    """What the log holds of a search."""

    n: int
    filters: Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    product: int
    similarity: float


@dataclass(frozen=True)
class SearchOutput(EmbeddingOutput):
    """What the log holds of its answer."""

    products: tuple[Found, ...] = ()


@dataclass(frozen=True)
class Alike:
    """Products that look like the one of the name `of`, as the version sees them."""

    of: str
    products: list[Shown]
    version: int


@dataclass(frozen=True)
class Embedded:
    """What became of the pictures after `last`: `seen` of them waited, `made` have a vector now, `unreadable` have
    none and are not tried again, the rest are at another worker.
    """

    last: int
    seen: int
    made: int
    unreadable: int


def image_classify(
    *, image: Image, user_id: int, tested: Person | None = None
) -> tuple[serving.Answer[ImageOutput], Share | None]:
    """What is on the picture, and which of the shop's categories that would be."""
    [answer] = serving.predict(IMAGE, [ImageInput(image)], user_id=user_id, tested=tested)
    return answer, category_suggest(image=image, user_id=user_id)


def image_detect(*, image: Image, user_id: int, tested: Person | None = None) -> serving.Answer[DetectOutput]:
    """The objects on the picture."""
    [answer] = serving.predict(DETECT, [ImageInput(image)], user_id=user_id, tested=tested)
    return answer


def category_suggest(*, image: Image, user_id: int | None) -> Share | None:
    """The likeliest of the shop's own categories; None where no live model knows them, or none of the networks in
    memory is the one that it learned from.
    """
    try:
        wanted = getattr(serving.live(CATEGORY.name).predictor, "embedding", None)
        network = next((one for one in networks() if one.digest == wanted), None)
        if not network:
            return None
        [output] = network.predict([EmbeddingInput(image)])
        given = CategoryInput(output.vector, network.digest)
        [answer] = serving.predict(CATEGORY, [given], user_id=user_id)
    except (Closed, DomainError) as error:
        logger.info("no category is suggested: %s", error)
        return None
    except Exception:
        logger.exception("no category is suggested")
        return None
    return answer.output.categories[0] if answer.output.categories else None


def image_search(
    *, image: Image, n: int, filters: Mapping[str, Any], user_id: int
) -> tuple[list[Shown], serving.Answer[EmbeddingOutput]]:
    """The n products whose pictures are most like this one, of those that match the filters."""
    shown: list[Shown] = []

    def look(output: EmbeddingOutput, again: serving.Again[EmbeddingInput, EmbeddingOutput]) -> EmbeddingOutput:
        shown[:] = products_like(as_text(output.vector), version=again.model.version, n=n, filters=filters)
        return SearchOutput(output.vector, tuple(Found(one.id, one.more) for one in shown))

    given = SearchInput(image, n, filters)
    [answer] = serving.predict(IMAGE_EMBEDDING, [given], user_id=user_id, of=SEARCHED, finish=look)
    return shown, answer


def looks_like(*, product_id: int, n: int) -> Alike:
    """The n products whose pictures are most like that of this one. Raises NotFound, and Invalid where the product has
    no picture that was looked at.
    """
    version = serving.kept(SEARCHED, IMAGE_EMBEDDING.name).version
    seen = product_seen(product_id=product_id, version=version)
    if not seen:
        raise NotFound(f"product_id: there is no product {product_id}.")
    name, vector = seen
    if vector is None:
        raise Invalid("by", f"Product {product_id} has no picture, or none that was looked at yet.", "no_picture")
    return Alike(name, products_like(vector, version=version, n=n, filters={}, but=product_id), version)


def networks() -> list[serving.Loaded]:
    """The live version of `image_embedding`, and the one that is searched where that is another."""
    live, kept = serving.live(IMAGE_EMBEDDING.name), serving.kept(SEARCHED, IMAGE_EMBEDDING.name)
    return [live] if kept is live else [live, kept]


def pictures_embed_next(*, network: serving.Loaded, after: int, limit: int) -> Embedded:
    """Give up to `limit` pictures of the products after this id that have none yet a vector of the network, in one
    call of it and one transaction. Raises Unavailable, Closed, and what a broken network raises.
    """
    with transaction.atomic():
        taken = pictures_take(version=network.version, after=after, limit=limit)
        mine = [one for one in taken if one.mine]
        files = [picture_read(one.picture) for one in mine]
        vectors = vectors_of(network, files)
        _write(
            version=network.version, ids=[one.product for one in mine], pictures=[one.picture for one in mine],
            digests=[hashlib.sha256(file).hexdigest() if file else "" for file in files],
            vectors=[as_text(vector) if vector else None for vector in vectors],
        )  # fmt: skip
    unreadable = vectors.count(None)
    return Embedded(taken[-1].product if taken else after, len(taken), len(mine) - unreadable, unreadable)


def picture_read(name: str) -> bytes:
    """The file of a picture, or nothing where there is none."""
    try:
        with default_storage.open(name) as file:
            return bytes(file.read())
    except OSError as error:
        logger.warning("the picture %s cannot be read: %s", name, error)
        return b""


def vectors_of(network: serving.Loaded, files: Sequence[bytes]) -> list[Sequence[float] | None]:
    """One a file: None where it is no picture, and where the network fails on it though it answers its example."""
    readable = [EmbeddingInput(Image(file)) for file in files if file]
    try:
        outputs = iter(network.predict(readable) if readable else [])
    except (Closed, Unavailable):
        raise
    except Exception as error:
        if len(files) > 1:
            return [vector for file in files for vector in vectors_of(network, [file])]
        network.predict([IMAGE_EMBEDDING.example])  # it is the picture's fault, or this raises too
        logger.info("a picture has no vector: %s", error)
        return [None]
    return [next(outputs).vector if file else None for file in files]


def _write(**values: Any) -> None:
    if values["ids"]:
        with connection.cursor() as cursor:
            cursor.execute(WRITE, values)


def searched_switch(*, version: int) -> bool:
    """Search with this version from now on, where it is the live one and every picture has its vector. Whether it is
    another than before.
    """
    row = ModelVersion.objects.filter(task=IMAGE_EMBEDDING.name, version=version, live=True).first()
    if not row or Searched.objects.filter(version=row).exists() or pictures_waiting(version):
        return False
    Searched.objects.update_or_create(pk=1, defaults={"version": row, "since": timezone.now()})
    logger.info("pictures are searched with %s", row)
    return True


def embeddings_tidy() -> None:
    """Delete the vectors of pictures that were taken away, and those of versions before the one that is searched, some
    time after it was: a process may be a moment behind.
    """
    ImageEmbedding.objects.filter(product__image="").delete()
    now = Searched.objects.filter(version__live=True, since__lt=timezone.now() - OLD_AFTER).first()
    if now:
        ImageEmbedding.objects.filter(version__lt=now.version.version).delete()
