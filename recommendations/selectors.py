"""Everything that this room reads: a customer's history, products that may be shown, what is trending."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from recommendations.ml.recommend import Rated
from reviews.models import Event, Product, Rating
from reviews.selectors import products

MOST_ROWS = 10_000  # of one customer's history, the newest
FILTERS = {"category": "category", "price_min": "price__gte", "price_max": "price__lte"}


@dataclass(frozen=True)
class History:
    ratings: tuple[Rated, ...]  # newest first
    bought: tuple[int, ...]


def history_of(user_id: int) -> History:
    ratings = Rating.objects.filter(user_id=user_id).values_list("product_id", "value")[:MOST_ROWS]
    bought = _bought_by(user_id).order_by("-id").values_list("product_id", flat=True)[:MOST_ROWS]
    return History(tuple(Rated(*row) for row in ratings), tuple(dict.fromkeys(bought)))


def matching(filters: Mapping[str, Any]) -> QuerySet[Product]:
    return products().filter(**{FILTERS[name]: value for name, value in filters.items()})


def unseen_by(user_id: int, candidates: QuerySet[Product]) -> QuerySet[Product]:
    """Without what the customer has rated or bought, however long ago."""
    rated = Rating.objects.filter(user_id=user_id, product=OuterRef("pk"))
    bought = _bought_by(user_id).filter(product=OuterRef("pk"))
    return candidates.exclude(Exists(rated)).exclude(Exists(bought))


def trending(candidates: QuerySet[Product], n: int) -> list[Product]:
    """The n most wanted candidates of these days (see reviews/trend.py)."""
    return list(candidates.order_by("-trend", "id")[:n])


def names_of(ids: set[int]) -> dict[int, str]:
    return dict(Product.objects.filter(pk__in=ids).values_list("pk", "name"))


def _bought_by(user_id: int) -> QuerySet[Event]:
    return Event.objects.filter(user_id=user_id, kind=Event.Kind.PURCHASE)
