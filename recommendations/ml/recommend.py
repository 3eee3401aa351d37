"""The task `recommend`: what a customer did in, ranked products out. The algorithms are in hybrid.py."""

from dataclasses import dataclass
from typing import Annotated, Literal

from experiments.mltask import Examples, Items, MLTask, Number

MOST_RANKED = 1_000  # products in one answer
Method = Literal["hybrid", "collaborative", "content", "similar", "image", "trending", ""]
Share = Annotated[float, Number(ge=0, le=1_000)]


@dataclass(frozen=True)
class Rated:
    product: int
    value: Annotated[float, Number(ge=0.5, le=5)]


@dataclass(frozen=True)
class Happened:
    """Something that the customer did with a product without saying what they think of it."""

    product: int
    kind: Literal["view", "click", "cart", "purchase"]


@dataclass(frozen=True)
class Weights:
    """How much each part of the blend counts; only the ratios matter, and one of them is over zero."""

    collaborative: Share = 0.0
    content: Share = 0.0
    trending: Share = 0.0


@dataclass(frozen=True)
class Newcomers:
    """Products that came after the training, each with the products of the training that its words are most like:
    entry k says that `products[k]` is like `like[k]`, as much as `similarity[k]`.
    """

    products: Annotated[tuple[int, ...], Items(max_length=5_000)] = ()
    like: Annotated[tuple[int, ...], Items(max_length=5_000)] = ()
    similarity: Annotated[tuple[Share, ...], Items(max_length=5_000)] = ()


@dataclass(frozen=True)
class RecommendInput:
    """The history as it is now, ratings and events each newest first. Ranked are the products in `allowed` (all when
    None), but for the rated ones and `exclude`. Without `weights` the blend is the one that was learned.
    """

    history: Annotated[tuple[Rated, ...], Items(max_length=10_000)] = ()
    events: Annotated[tuple[Happened, ...], Items(max_length=10_000)] = ()
    n: Annotated[int, Number(ge=1, le=MOST_RANKED)] = 10
    weights: Weights | None = None
    exclude: Annotated[tuple[int, ...], Items(max_length=10_000)] = ()
    allowed: Annotated[tuple[int, ...] | None, Items(max_length=100_000)] = None
    newcomers: Newcomers = Newcomers()


@dataclass(frozen=True)
class Ranked:
    """`because` is the product of the history that spoke most for this one (None: none did), `similarity` how alike the
    two are, `reason` the part that spoke most.
    """

    product: int
    score: float
    predicted_rating: float
    similarity: float
    because: int | None
    reason: Literal["collaborative", "content", "trending", "image"]


@dataclass(frozen=True)
class RecommendOutput:
    """`method` says which parts answered; it is empty when the model knows nothing of the history."""

    products: tuple[Ranked, ...]
    method: Method = ""


def tiny() -> Examples:
    """Two tastes: even users like even products, and the words of the products say which is which."""
    import pandas as pd

    rows = [
        (user, product, "rating", 5.0 if user % 2 == product % 2 else 1.0, float(product), product == user % 4 + 4)
        for user in range(12)
        for product in range(8)
        if (user + product) % 5
    ]
    words = [("brass lamp", "lamps"), ("linen shirt", "shirts")]
    products = [(product, *words[product % 2], "") for product in range(8)]
    return Examples(
        pd.DataFrame(rows, columns=["unit", "product", "kind", "value", "at", "held_out"]),
        {"products": pd.DataFrame(products, columns=["product", "name", "category", "description"])},
    )


RECOMMEND = MLTask(
    name="recommend",
    input=RecommendInput,
    output=RecommendOutput,
    example=RecommendInput(
        history=(Rated(1, 5.0), Rated(3, 4.5), Rated(2, 1.0)),
        events=(Happened(5, "view"),),
        n=5,
        weights=Weights(collaborative=1.0, content=0.5, trending=0.1),
        newcomers=Newcomers(products=(99, 99), like=(7, 5), similarity=(0.5, 0.25)),
    ),
    tiny=tiny,
    metric="ndcg@10",
    public=False,  # recommendations/views.py has its routes, which know the customer
)
