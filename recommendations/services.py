"""Recommendations for a customer or beside a product: the live model's, filled up with what is trending, and logged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from experiments import serving
from experiments.errors import Unavailable
from recommendations.ml.recommend import RECOMMEND, Ranked, Rated, RecommendInput, RecommendOutput
from recommendations.selectors import history_of, matching, names_of, trending, unseen_by
from reviews.models import Product
from reviews.selectors import in_order

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
    history, candidates = history_of(user_id), matching(filters)
    allowed = tuple(candidates.values_list("pk", flat=True)[:MOST_ALLOWED]) if filters else None
    given = RecommendInput(history=history.ratings, n=n, exclude=history.bought, allowed=allowed)
    method = "collaborative" if len(history.ratings) >= FEWEST_RATINGS else "trending"
    return _answer(given, unseen_by(user_id, candidates), method, user_id)


def similar_to(*, product: Product, user_id: int | None, n: int) -> Recommended:
    """n products that are liked by those who like this one."""
    given = RecommendInput(history=(Rated(product.pk, 5.0),), n=n)
    return _answer(given, matching({}).exclude(pk=product.pk), "similar", user_id)


def _answer(given: RecommendInput, candidates: QuerySet[Product], method: str, user_id: int | None) -> Recommended:
    chosen: list[Recommendation] = []

    def fill(output: RecommendOutput) -> RecommendOutput:
        """What is answered, so what is logged: the model's products that are there still, then what is trending."""
        chosen.extend(_filled(output, candidates, given.n))
        return RecommendOutput(tuple(one.ranked or _trending(one.product) for one in chosen))

    degraded = False
    if method != "trending":
        try:
            [answer] = serving.predict(RECOMMEND, [given], user_id=user_id, method=method, finish=fill)
        except Unavailable:
            method, degraded = "trending_fallback", True
    if method.startswith("trending"):
        output = fill(RecommendOutput(()))
        answer = serving.record(RECOMMEND, given, output, user_id=user_id, algorithm=method, degraded=degraded)
    shortfall = given.n - len(chosen)
    return Recommended(chosen, method, answer.model, answer.version, answer.prediction_id, degraded, shortfall)


def _filled(output: RecommendOutput, candidates: QuerySet[Product], n: int) -> list[Recommendation]:
    ranked = {one.product: one for one in output.products}
    names = names_of({one.because for one in ranked.values()}) if ranked else {}
    found = in_order(candidates, list(ranked)) if ranked else []
    chosen = [Recommendation(one, ranked[one.pk], names.get(ranked[one.pk].because, "")) for one in found]
    if len(chosen) < n:  # deleted since the training, or the model knows no more
        rest = candidates.exclude(pk__in=[one.product.pk for one in chosen])
        chosen += [Recommendation(product, None) for product in trending(rest, n - len(chosen))]
    return chosen


def _trending(product: Product) -> Ranked:
    """How a product that no model ranked stands in the log."""
    return Ranked(product.pk, score=0.0, predicted_rating=0.0, similarity=0.0, because=0)
