"""Training examples from the pictures of the shop's products. A product is in the same part for both tasks, so that a
head is measured on pictures that its embedding did not learn from either.
"""

from collections.abc import Iterator, Sequence
from io import BytesIO

import numpy as np
import pandas as pd

from experiments import serving
from experiments.errors import Invalid
from experiments.mltask import Split
from experiments.pictures import opened
from reviews.models import Product
from vision.ml.embedding import IMAGE_EMBEDDING
from vision.models import ImageEmbedding
from vision.services import picture_read, vectors_of
from vision.tasks import BATCH

MOST_PICTURES = 5_000  # the newest: 150 MB
MOST_VECTORS = 20_000  # the newest: 200 MB
SIDE = 512  # pixels of the longer one
FEWEST = 5  # pictures of a category

Row = tuple[int, str, str]  # product, picture, category


def image_embedding() -> Split:
    """Columns unit (the product), image (bytes of a JPEG of at most SIDE pixels), category."""
    rows = [(unit, data, category) for unit, name, category in _products(MOST_PICTURES) if (data := _shrunk(name))]
    return _split(pd.DataFrame(rows, columns=["unit", "image", "category"]))


def category() -> Split:
    """Columns unit (the product), vector, category, embedding (the digest of the live version, which made the vectors).
    Only categories of at least FEWEST pictures. Raises ModelUnavailable without a live `image_embedding`.
    """
    network = serving.live(IMAGE_EMBEDDING.name)
    products = _products(MOST_VECTORS)
    rows = [
        (unit, np.array(vector, np.float32), name, network.digest) for unit, name, vector in _vectors(network, products)
    ]
    frame = pd.DataFrame(rows, columns=["unit", "vector", "category", "embedding"])
    return _split(frame[frame.groupby("category")["unit"].transform("size") >= FEWEST])


def _products(most: int) -> list[Row]:
    """The newest products with a picture and a category, in order of id."""
    rows = Product.objects.exclude(image="").exclude(category="").order_by("-id")
    return sorted(rows.values_list("id", "image", "category")[:most])


def _vectors(network: serving.Loaded, products: list[Row]) -> Iterator[tuple[int, str, Sequence[float]]]:
    """Product, category and vector: as it was stored, or made here where that is still to come."""
    ids = [unit for unit, _, _ in products]
    made = ImageEmbedding.objects.filter(version=network.version, product__in=ids)
    known = dict(made.values_list("product_id", "vector"))
    missing = [one for one in products if one[0] not in known]
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        vectors = vectors_of(network, [picture_read(name) for _, name, _ in batch])
        known |= dict(zip([unit for unit, _, _ in batch], vectors, strict=True))
    for unit, _, name in products:
        if (vector := known[unit]) is not None:
            yield unit, name, vector


def _shrunk(name: str) -> bytes:
    """The picture as a small JPEG; nothing where there is none that can be read."""
    try:
        picture = opened(picture_read(name), SIDE)
    except Invalid:
        return b""
    picture.thumbnail((SIDE, SIDE))
    file = BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


def _split(rows: pd.DataFrame) -> Split:
    return Split.by_checksum(rows, rows["unit"], sources=("reviews.Product",))
