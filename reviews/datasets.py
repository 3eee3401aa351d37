"""Training examples from the shop's rows: sentiment from reviews that have stars."""

import hashlib

import pandas as pd

from experiments.mltask import Examples, Split
from reviews.models import POSITIVE_FROM, Review

TEST, VALIDATION = 0.2, 0.08  # shares of the products


def sentiment() -> Split:
    """Columns title, text, positive, unit (the product). Split by product: no product is in two parts, now or after an
    import.
    """
    rows = pd.DataFrame(
        Review.objects.filter(rating__isnull=False)
        .order_by("id")
        .values_list("title", "text", "rating", "product_id", "product__source", "product__external_id"),
        columns=["title", "text", "rating", "unit", "source", "external_id"],
    )
    names = rows["source"] + ":" + rows["external_id"].where(rows["external_id"] != "", rows["unit"].astype(str))
    place = names.map({name: _place(name) for name in names.unique()}).astype(float)
    rows = rows.assign(positive=rows["rating"] >= POSITIVE_FROM)[["title", "text", "positive", "unit"]]
    return Split(
        fit=Examples(rows[place >= TEST + VALIDATION]),
        validation=Examples(rows[(place >= TEST) & (place < TEST + VALIDATION)]),
        test=Examples(rows[place < TEST]),
        sources=("reviews.Review",),
    )


def _place(name: str) -> float:
    """A number in [0, 1) that is the same for this name for ever."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6]) / 2**48
