"""Everything that reads more than one row of the shop's records.

SHOWN and FILTERS are for the answers that wait for nothing but their query (what is recommended, what looks alike): the
ORM would spend more time on building it than Postgres on answering.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Avg, Count, FloatField, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject

from nlp.ml.review_summary import FEWEST
from reviews.models import Product, Rating, Review, ReviewSummary, Seller

CHANGED = 0.1  # of the reviews of a product, from which on its summary is made anew
FILTERS = {
    "category": "product.category = %(category)s",
    "price_min": "product.price >= %(price_min)s",
    "price_max": "product.price <= %(price_max)s",
}
SHOWN = f"""
WITH chosen AS MATERIALIZED ({{chosen}})
SELECT chosen.id, chosen.name, chosen.description, chosen.category, chosen.price, chosen.image, chosen.view_count,
       seller.id, seller.name, seller.rating, stars.average, stars.count, moods.positive, moods.negative,
       {{more}}
FROM chosen
LEFT JOIN {Seller._meta.db_table} AS seller ON seller.id = chosen.seller_id
CROSS JOIN LATERAL (
    SELECT avg(value) AS average, count(*) AS count FROM {Rating._meta.db_table} WHERE product_id = chosen.id
) AS stars
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE sentiment = 'positive') AS positive,
           count(*) FILTER (WHERE sentiment = 'negative') AS negative
    FROM {Review._meta.db_table} WHERE product_id = chosen.id
) AS moods
ORDER BY chosen.place
"""


STALE = f"""
SELECT review.product_id
FROM {Review._meta.db_table} AS review LEFT JOIN {ReviewSummary._meta.db_table} AS made USING (product_id)
WHERE review.sentiment <> '' AND review.product_id > %(after)s
GROUP BY review.product_id, made.product_id
HAVING count(*) >= %(fewest)s AND (
    made.product_id IS NULL OR made.version <> %(version)s
    OR count(*) FILTER (WHERE review.prediction_id >= made.read_from) >= greatest(1, %(share)s * count(*))
)
ORDER BY review.product_id LIMIT %(limit)s
"""
SUMMARY = f"""
SELECT made.summary, made.sentences::text, made.aspects::text, made.review_count, made.positive, made.negative,
       made.model, made.version, made.prediction_id, made.generated_at, counted.reviews
FROM {Product._meta.db_table} AS product
LEFT JOIN {ReviewSummary._meta.db_table} AS made ON made.product_id = product.id
CROSS JOIN LATERAL (SELECT count(*) AS reviews FROM {Review._meta.db_table} WHERE product_id = product.id) AS counted
WHERE product.id = %(product_id)s
"""


class Summarised(NamedTuple):
    """What a job made of a product's reviews, nothing where it has not yet, and how many reviews there are now."""

    summary: str | None
    sentences: list[dict[str, Any]]
    aspects: list[dict[str, Any]]
    review_count: int | None
    positive: int | None
    negative: int | None
    model: str | None
    version: int | None
    prediction_id: UUID | None
    generated_at: datetime | None
    reviews: int


class Shown(NamedTuple):
    """A product as lists show it; `more` is what the query says of it besides."""

    id: int
    name: str
    description: str
    category: str
    price: Decimal | None
    image: str
    view_count: int
    seller_id: int | None
    seller_name: str | None
    seller_rating: float | None
    rating_average: float | None
    rating_count: int
    positive: int
    negative: int
    more: Any = None


def _over(rows: QuerySet[Any], aggregate: Any, output: Any) -> Subquery:
    """`aggregate` over the rows of one product, computed for the products that are shown and no others."""
    mine = rows.filter(product=OuterRef("pk")).order_by().values("product")
    return Subquery(mine.annotate(found=aggregate).values("found"), output_field=output)


def products() -> QuerySet[Product]:
    """Products with their seller, `rating_average`, `rating_count` and `sentiment_summary`, in one query."""
    return Product.objects.select_related("seller").annotate(
        rating_average=_over(Rating.objects.all(), Avg("value"), FloatField()),
        rating_count=Coalesce(_over(Rating.objects.all(), Count("id"), IntegerField()), 0),
        sentiment_summary=JSONObject(
            positive=Coalesce(_over(Review.objects.filter(sentiment="positive"), Count("id"), IntegerField()), 0),
            negative=Coalesce(_over(Review.objects.filter(sentiment="negative"), Count("id"), IntegerField()), 0),
        ),
    )


def in_order(candidates: QuerySet[Product], ids: Sequence[int]) -> list[Product]:
    """The candidates with these ids, in this order."""
    found = candidates.in_bulk(ids)
    return [found[one] for one in ids if one in found]


def product_reviews(product_id: int) -> QuerySet[Review]:
    return Review.objects.filter(product_id=product_id).select_related("author")


def unanalysed(but: int | None = None) -> Q:
    """Reviews without sentiment; where `but` names a version of it, those that another one analysed too."""
    return Q(sentiment="") if but is None else Q(sentiment="") | ~Q(model_version=but)


def stale_summaries(*, version: int, after: int, limit: int) -> list[int]:
    """Products with an id over `after` whose summary is missing, of another version, or made before CHANGED of the
    reviews were written, edited or analysed anew.
    """
    values = {"version": version, "after": after, "limit": limit, "fewest": FEWEST, "share": CHANGED}
    with connection.cursor() as cursor:
        cursor.execute(STALE, values)
        return [int(one) for (one,) in cursor.fetchall()]


def review_summary(product_id: int) -> Summarised | None:
    """None where there is no such product."""
    with connection.cursor() as cursor:
        cursor.execute(SUMMARY, {"product_id": product_id})
        row = cursor.fetchone()
    if not row:
        return None
    summary, sentences, aspects, *facts = row
    return Summarised(summary, json.loads(sentences or "[]"), json.loads(aspects or "[]"), *facts)
