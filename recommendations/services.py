"""Recommendations for a customer or beside a product: the live model's, filled up with what is trending, and logged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from experiments import serving
from experiments.errors import Unavailable
from recommendations.ml.recommend import RECOMMEND, Ranked, Rated, RecommendInput, RecommendOutput
from recommendations.selectors import History, history_of, in_order, matching, trending
from reviews.models import Product

FEWEST_RATINGS = 3  # with fewer, what is trending says more than a model
MOST_ALLOWED = 100_000  # ids that a filter may let through


@dataclass(frozen=True)
class Recommendation:
    """`ranked` is None for a product that is here because it is trending."""

    product: Product
    ranked: Ranked | None
    because: str = ""  # name of the rated product that spoke most for it


@dataclass(frozen=True)
class Recommended:
    products: list[Recommendation]
    method: str
    model: str
    version: int | None
    prediction_id: UUID
    degraded: bool
    shortfall: int  # how many fewer than asked for: no more products match


def recommend_for(*, user_id: int, n: int, filters: Mapping[str, Any]) -> Recommended:
    """n products for a customer who has neither rated nor bought them; fewer only when no more match the filters."""
    history = history_of(user_id)
    return _answer(
        history=history, user_id=user_id, n=n, filters=filters, enough=len(history.ratings) >= FEWEST_RATINGS
    )


def similar_to(*, product: Product, user_id: int | None, n: int) -> Recommended:
    """n products that are liked by those who like this one."""
    return _answer(history=History((Rated(product.pk, 5.0),), ()), user_id=user_id, n=n, filters={}, enough=True)


def _answer(*, history: History, user_id: int | None, n: int, filters: Mapping[str, Any], enough: bool) -> Recommended:
    allowed = tuple(matching(filters).values_list("pk", flat=True)[:MOST_ALLOWED]) if filters else None
    given = RecommendInput(history=history.ratings, n=n, exclude=history.bought, allowed=allowed)
    answer: serving.Answer[RecommendOutput] | None = None
    degraded = False
    if enough:
        try:
            [answer] = serving.predict(RECOMMEND, [given], user_id=user_id, method="collaborative")
        except Unavailable:
            degraded = True
    ranked = {one.product: one for one in answer.output.products} if answer else {}
    names = {one.because for one in ranked.values()}
    found = in_order([*ranked, *names]) if ranked else []
    name_of = {product.pk: product.name for product in found}
    chosen = [Recommendation(p, ranked[p.pk], name_of.get(ranked[p.pk].because, "")) for p in found if p.pk in ranked]
    if len(chosen) < n:
        seen = history.seen | {one.product.pk for one in chosen}
        chosen += [Recommendation(p, None) for p in trending(n=n - len(chosen), filters=filters, seen=seen)]
    method = "collaborative" if answer else "trending_fallback" if degraded else "trending"
    if not answer:
        output = RecommendOutput(tuple(Ranked(one.product.pk, 0.0, 0.0, 0.0, 0) for one in chosen))
        answer = serving.record(RECOMMEND, given, output, user_id=user_id, algorithm=method, degraded=degraded)
    return Recommended(
        chosen, method, answer.model, answer.version, answer.prediction_id, degraded, shortfall=n - len(chosen)
    )
