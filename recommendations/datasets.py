"""Training examples for recommendations: what every customer rated and did, in order of time, and the catalogue."""

from typing import Any

import pandas as pd
from django.db.models import F, FloatField, Func, QuerySet, Value

from experiments.mltask import Examples, Split
from recommendations.ml.protocols import temporal_user
from reviews.models import Event, Product, Rating
from vision.selectors import looks

COLUMNS = ["unit", "product", "kind", "value", "at"]
WORDS = ["name", "category", "description"]


class Epoch(Func):
    """Seconds since 1970."""

    template = "extract(epoch FROM %(expressions)s)::float8"
    output_field = FloatField()


def recommend() -> Split:
    """Columns unit (the user), product, kind (rating, or an event's), value (stars, 0 for an event), at (seconds since
    1970) and held_out, in order of time; side table `products` with the words of each.

    The test part is every user's whole row: history, and the ratings that came after it. Nothing that a user did after
    the first of these is learned from.
    """
    rows = temporal_user(interactions())
    side = {"products": catalogue()}
    return Split(
        fit=Examples(rows[~rows["held_out"]], side),
        validation=Examples(rows[:0]),
        test=Examples(rows, side),
        sources=("reviews.Rating", "reviews.Event"),
    )


def interactions() -> pd.DataFrame:
    """All ratings and events, by user and in order of time; of equal times in order of id."""
    ratings = _frame(Rating.objects.order_by("id"), "rated_at", kind=Value("rating"), stars=F("value"))
    events = _frame(Event.objects.order_by("id"), "created_at", stars=Value(0.0))
    rows = pd.concat([ratings, events], ignore_index=True)
    return rows.sort_values(["unit", "at"], kind="stable", ignore_index=True)


def _frame(rows: QuerySet[Any], time: str, **more: Any) -> pd.DataFrame:
    columns = ["user_id", "product_id", "kind", "stars", "epoch"]
    found = rows.annotate(epoch=Epoch(time), **more).values_list(*columns).iterator(chunk_size=20_000)
    frame = pd.DataFrame(found, columns=COLUMNS)
    return frame.astype({"unit": "int64", "product": "int64", "value": "float64", "at": "float64"})


def catalogue() -> pd.DataFrame:
    """Columns product, name, category, description, and looks: the vector of the picture, or None."""
    rows = Product.objects.order_by("id").values_list("id", *WORDS).iterator(chunk_size=5_000)
    found, seen = pd.DataFrame(rows, columns=["product", *WORDS]), looks()
    column: list[Any] = [seen.get(product) for product in found["product"].tolist()]
    return found.assign(looks=pd.Series(column, found.index, dtype=object))
