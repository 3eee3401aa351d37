"""Recommendations for a customer or beside a product: the model's, filled up with what is trending, and logged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from experiments import serving
from experiments.assignment import Person
from experiments.errors import ModelFailed, NotFound, Unavailable
from recommendations.ml.recommend import (
    MOST_RANKED,
    RECOMMEND,
    Method,
    Ranked,
    Rated,
    RecommendInput,
    RecommendOutput,
    Weights,
)  # fmt: skip
from recommendations.models import NewProduct
from recommendations.selectors import Candidates, history_of, new_to, newcomers, product_exists
from reviews.selectors import Shown
from vision import services as vision
from vision.ml.embedding import IMAGE_EMBEDDING

FEWEST = 3  # products rated or bought; of whom less is known, what is trending says more than a model
SPARE = 10  # products ranked over those asked for: some may be gone
WIDER = 10  # times as many are ranked at first where filters will take some away
COLLABORATIVE, CONTENT = Weights(collaborative=1.0), Weights(content=1.0)
SIMILAR = Weights(collaborative=1.0, content=0.5)


@dataclass(frozen=True)
class Recommended:
    """`products` are what is shown, each with what the model said of it."""

    products: list[tuple[Shown, Ranked]]
    method: str
    model: str
    version: int | None
    prediction_id: UUID
    degraded: bool
    shortfall: int  # how many fewer than asked for: no more products match


def recommend_for(
    *, user_id: int, n: int, filters: Mapping[str, Any], weights: Weights | None = None, tested: Person | None = None
) -> Recommended:
    """n products for a customer who has neither rated nor bought them; fewer only when no more match the filters.

    `tested` is the customer: the running A/B test says which variant answers.
    """
    history, candidates = history_of(user_id), Candidates(filters, user_id)
    given = RecommendInput(
        history=history.ratings, events=history.events, n=min(n * WIDER if filters else n + SPARE, MOST_RANKED),
        weights=weights, exclude=history.bought, newcomers=newcomers(),
    )  # fmt: skip
    if history.size < FEWEST:
        return _trending(given, candidates, n, user_id)
    return _asked(given, candidates, n, user_id, tested=tested)


def content_for(*, user_id: int, product_id: int, n: int) -> Recommended:
    """n products whose words are like those of this one, which the customer has neither rated nor bought."""
    _assert_there(product_id)
    return _asked(_beside(product_id, n, CONTENT), Candidates({}, user_id, product_id), n, user_id)


def similar_to(*, product_id: int, user_id: int | None, n: int) -> Recommended:
    """n products that are liked by those who like this one, or are like it by their words."""
    _assert_there(product_id)
    return _asked(_beside(product_id, n, SIMILAR), Candidates({}, None, product_id), n, user_id, method="similar")


def looks_like(*, product_id: int, user_id: int | None, n: int) -> Recommended:
    """n products whose pictures are like that of this one. Raises Invalid where it has none that was looked at."""
    found = vision.looks_like(product_id=product_id, n=n)
    chosen = [(Shown(*one[:-1], found.of), _alike(one, product_id)) for one in found.products]
    given = RecommendInput(history=(Rated(product_id, 5.0),), n=n)
    output = RecommendOutput(tuple(ranked for _, ranked in chosen), "image")
    answer = serving.record(RECOMMEND, given, output, user_id=user_id, algorithm=IMAGE_EMBEDDING.name, degraded=False)
    return Recommended(chosen, "image", answer.model, found.version, answer.prediction_id, False, n - len(chosen))


def new_products_describe() -> int:
    """Write what the products are like that came after the training of the live version; gives how many. Raises
    ModelUnavailable where there is none.
    """
    import pandas as pd

    live = serving.live(RECOMMEND.name)
    model: Any = live.predictor  # recommenders have `products` and `nearest` beside the protocol
    known = model.products.tolist()
    NewProduct.objects.filter(product_id__in=known).delete()
    rows = new_to(known, live.version)
    if not rows:
        return 0
    found = model.nearest(pd.DataFrame(rows))
    like: dict[int, list[tuple[int, float]]] = {row["product"]: [] for row in rows}
    for product, other, similarity in zip(found.products, found.like, found.similarity, strict=True):
        like[product].append((other, similarity))
    made = [
        NewProduct(product_id=product, version=live.version, like=[other for other, _ in pairs],
                   similarity=[similarity for _, similarity in pairs])
        for product, pairs in like.items()
    ]  # fmt: skip
    try:
        with transaction.atomic():
            NewProduct.objects.bulk_create(
                made, update_conflicts=True, unique_fields=["product"], update_fields=["version", "like", "similarity"]
            )
    except IntegrityError:  # one was deleted meanwhile: the sweep comes again
        return 0
    return len(made)


def _beside(product_id: int, n: int, weights: Weights) -> RecommendInput:
    history = (Rated(product_id, 5.0),)
    return RecommendInput(history=history, n=min(n + SPARE, MOST_RANKED), weights=weights, newcomers=newcomers())


def _assert_there(product_id: int) -> None:
    if not product_exists(product_id):
        raise NotFound(f"product_id: there is no product {product_id}.")


def _asked(
    given: RecommendInput, candidates: Candidates, n: int, user_id: int | None, *, method: Method = "",
    tested: Person | None = None,
) -> Recommended:  # fmt: skip
    """The model's answer; where it fails on this history, its content part's; else what is trending."""
    chosen: list[tuple[Shown, Ranked]] = []

    def fill(output: RecommendOutput, again: Callable[[RecommendInput], RecommendOutput]) -> RecommendOutput:
        """What is answered, so what is logged: the model's products that may be shown, then what is trending."""
        found = candidates.ranked(output.products, n)
        if len(found) < n and len(output.products) == given.n:  # there is more to rank: among those that match
            output = again(replace(given, allowed=candidates.ids()))
            found = candidates.ranked(output.products, n)
        said = {one.product: one for one in output.products}
        rest = candidates.trending(n - len(found), [one.id for one in found]) if len(found) < n else []
        chosen[:] = [*((one, said[one.id]) for one in found), *((one, _unranked(one)) for one in rest)]
        return RecommendOutput(tuple(ranked for _, ranked in chosen), method or output.method or "trending")

    for weights in dict.fromkeys((given.weights, CONTENT)):
        degraded = weights != given.weights
        try:
            [answer] = serving.predict(
                RECOMMEND, [replace(given, weights=weights)], user_id=user_id, finish=fill, degraded=degraded,
                tested=tested,
            )  # fmt: skip
        except ModelFailed:
            continue
        except Unavailable:
            break
        return Recommended(chosen, answer.output.method, answer.model, answer.version, answer.prediction_id, degraded,
                           n - len(chosen))  # fmt: skip
    return _trending(given, candidates, n, user_id, degraded=True, tested=tested)


def _trending(
    given: RecommendInput, candidates: Candidates, n: int, user_id: int | None, *, degraded: bool = False,
    tested: Person | None = None,
) -> Recommended:  # fmt: skip
    method = "trending_fallback" if degraded else "trending"
    chosen = [(one, _unranked(one)) for one in candidates.trending(n)]
    output = RecommendOutput(tuple(ranked for _, ranked in chosen))
    answer = serving.record(
        RECOMMEND, given, output, user_id=user_id, algorithm=method, degraded=degraded, tested=tested
    )
    return Recommended(chosen, method, answer.model, None, answer.prediction_id, degraded, n - len(chosen))


def _alike(product: Shown, other: int) -> Ranked:
    """How a product that looks like another one stands in the log."""
    return Ranked(product.id, product.more, 0.0, product.more, because=other, reason="image")


def _unranked(product: Shown) -> Ranked:
    """How a product that no model ranked stands in the log."""
    return Ranked(product.id, score=0.0, predicted_rating=0.0, similarity=0.0, because=None, reason="trending")
