"""Everything that reads more than one row of the shop's records."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Avg, Count, FloatField, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, JSONObject

from reviews.models import Product, Rating, Review


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
