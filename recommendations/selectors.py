"""Everything that this room reads: a customer's history, products that pass a filter, what is trending."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from recommendations.ml.recommend import Rated
from reviews.models import Event, Product, Rating
from reviews.selectors import products

MOST_RATINGS = 10_000  # of one customer, the newest
FILTERS = {"category": "category", "price_min": "price__gte", "price_max": "price__lte"}


@dataclass(frozen=True)
class History:
    ratings: tuple[Rated, ...]  # newest first
    bought: tuple[int, ...]

    @property
    def seen(self) -> set[int]:
        """Products that must not be recommended."""
        return {one.product for one in self.ratings} | set(self.bought)


def history_of(user_id: int) -> History:
    ratings = Rating.objects.filter(user_id=user_id).values_list("product_id", "value")[:MOST_RATINGS]
    bought = (
        Event.objects.filter(user_id=user_id, kind=Event.Kind.PURCHASE).order_by().values_list("product_id", flat=True)
    )
    return History(tuple(Rated(*row) for row in ratings), tuple(bought.distinct()[:MOST_RATINGS]))


def matching(filters: Mapping[str, Any]) -> QuerySet[Product]:
    return Product.objects.filter(**{FILTERS[name]: value for name, value in filters.items()})


def in_order(ids: Sequence[int]) -> list[Product]:
    """The products with these ids in this order; those that are gone are left out."""
    found = products().in_bulk(ids)
    return [found[one] for one in ids if one in found]


def trending(*, n: int, filters: Mapping[str, Any], seen: set[int]) -> list[Product]:
    """The n most wanted products of these days that pass the filters and were not seen (see reviews/trend.py)."""
    wanted = products().filter(**{FILTERS[name]: value for name, value in filters.items()})
    return list(wanted.exclude(pk__in=seen).order_by("-trend", "id")[:n])
