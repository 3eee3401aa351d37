"""Everything that reads more than one row of the shop's records.

SHOWN and FILTERS are for the answers that wait for nothing but their query (what is recommended, what looks alike): the
ORM would spend more time on building it than Postgres on answering.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Avg, Count, FloatField, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject

from reviews.models import Product, Rating, Review, Seller

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
