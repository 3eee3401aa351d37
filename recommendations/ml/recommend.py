"""What to show next: a customer's history in, ranked products out."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np

from experiments.errors import DomainError
from experiments.mltask import Examples, Items, MLTask, Number, Progress

TOP = 10  # of NDCG
LIKED = 4.0  # stars from which a held-out product counts as relevant
DISLIKED_UNTIL = 2.5  # stars up to which a rated product speaks for nothing
ARRAYS = ("products", "indptr", "indices", "values")  # of an artifact


@dataclass(frozen=True)
class Rated:
    product: int
    value: Annotated[float, Number(ge=0.5, le=5)]


@dataclass(frozen=True)
class RecommendInput:
    """The history as it is now, newest first. Ranked are the products in `allowed` (all when None), but for the rated
    ones and `exclude`.
    """

    history: Annotated[tuple[Rated, ...], Items(max_length=10_000)]
    n: Annotated[int, Number(ge=1, le=100)] = 10
    exclude: Annotated[tuple[int, ...], Items(max_length=10_000)] = ()
    allowed: Annotated[tuple[int, ...] | None, Items(max_length=100_000)] = None


@dataclass(frozen=True)
class Ranked:
    """`because` is the rated product that spoke most for this one, `similarity` how alike the two are."""

    product: int
    score: float
    predicted_rating: float
    similarity: float
    because: int


@dataclass(frozen=True)
class RecommendOutput:
    products: tuple[Ranked, ...]


def tiny() -> Examples:
    """Two tastes: even users like even products."""
    import pandas as pd

    rows = [
        (user, product, 5.0 if user % 2 == product % 2 else 1.0, product == user % 4 + 4)
        for user in range(12)
        for product in range(8)
        if (user + product) % 5
    ]
    return Examples(pd.DataFrame(rows, columns=["unit", "product", "value", "held_out"]))


RECOMMEND = MLTask(
    name="recommend",
    input=RecommendInput,
    output=RecommendOutput,
    example=RecommendInput(history=(Rated(1, 5.0), Rated(3, 4.5), Rated(2, 1.0)), n=5),
    tiny=tiny,
    metric="ndcg@10",
    public=False,  # recommendations/views.py has its routes, which know the customer
)


@RECOMMEND.algorithm("item_neighbours")
class ItemNeighbours:
    """Item-based collaborative filter on sparse matrices (Sarwar et al., 2001; Deshpande and Karypis, 2004).

    Two products are alike as the cosine of who liked them says, shrunk where few liked both; each product keeps its
    `neighbours` most alike. A product's score is the sum of its similarities to the rated products, each weighted with
    how much that one was liked: so a rating counts in the next request, and the rated product that added most is the
    reason. `liked_from` are the stars from which a rating counts as liked in training, `shrink` the number of common
    likers at which a similarity counts half.
    """

    def __init__(self, neighbours: int = 50, shrink: float = 10.0, liked_from: float = 3.5) -> None:
        self.neighbours = int(neighbours)
        self.shrink = float(shrink)
        self.liked_from = float(liked_from)

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        """`examples` has the columns unit (the user), product (int) and value (stars)."""
        from scipy import sparse

        liked = examples.rows[examples.rows["value"] >= self.liked_from]
        if liked.empty:
            raise DomainError(f"Nobody rated anything {self.liked_from:g} or more: there is nothing to learn from.")
        progress(0, 3, "counting who liked what")
        users = liked["unit"].factorize()[0]
        products, places = np.unique(liked["product"].to_numpy(np.int64), return_inverse=True)
        matrix = sparse.csr_matrix((np.ones(len(users), np.float32), (users, places)))
        progress(1, 3, "comparing products")
        both = (matrix.T @ matrix).tocsr()
        norms = np.sqrt(both.diagonal())
        both.setdiag(0)
        both.eliminate_zeros()
        rows = np.repeat(np.arange(len(norms)), np.diff(both.indptr))
        both.data *= both.data / (both.data + self.shrink) / (norms[rows] * norms[both.indices])
        progress(2, 3, "keeping the most alike")
        towards = _strongest(both, self.neighbours).T.tocsr()
        self._use(products, towards.indptr, towards.indices, towards.data)
        progress(3, 3, "fitted")
        return self

    def _use(self, products: np.ndarray, indptr: np.ndarray, indices: np.ndarray, values: np.ndarray) -> None:
        """A matrix in CSR form: row = a rated product, its columns = the products that it speaks for."""
        self.products, self.indptr, self.indices, self.values = products, indptr, indices, values
        self.places = {int(product): place for place, product in enumerate(products)}

    def predict(self, batch: Sequence[RecommendInput]) -> list[RecommendOutput]:
        return [RecommendOutput(self._ranked(one)) for one in batch]

    def _ranked(self, given: RecommendInput) -> tuple[Ranked, ...]:
        newest = {one.product: one.value for one in reversed(given.history) if one.product in self.places}
        if not newest:
            return ()
        rated = self._places(newest)
        stars = np.array(list(newest.values()))
        lengths = self.indptr[rated + 1] - self.indptr[rated]
        entries = np.concatenate([np.arange(self.indptr[p], self.indptr[p + 1]) for p in rated])
        source = np.repeat(np.arange(len(rated)), lengths)  # which rated product each entry comes from
        target, similarity = self.indices[entries], self.values[entries]
        size = len(self.products)
        added = similarity * np.maximum(stars - DISLIKED_UNTIL, 0)[source]
        score = np.bincount(target, added, size)
        score[rated] = 0
        score[self._places(given.exclude)] = 0
        if given.allowed is not None:
            allowed = np.zeros(size, bool)
            allowed[self._places(given.allowed)] = True
            score[~allowed] = 0
        top = np.lexsort((self.products, -score))[: given.n]
        top = top[score[top] > 0]
        alike = np.bincount(target, similarity, size)
        mean_stars = np.bincount(target, similarity * stars[source], size)
        # the entry that added most to each target: the last one of the target in ascending order of what was added
        order = np.argsort(added, kind="stable")
        best = np.zeros(size, np.int64)
        best[target[order]] = order
        return tuple(
            Ranked(
                product=int(self.products[place]),
                score=float(score[place]),
                predicted_rating=float(np.clip(mean_stars[place] / alike[place], 0.5, 5)),
                similarity=float(similarity[best[place]]),
                because=int(self.products[rated[source[best[place]]]]),
            )
            for place in top
        )

    def _places(self, products: Iterable[int]) -> np.ndarray:
        return np.array([self.places[product] for product in products if product in self.places], np.int64)

    def evaluate(self, examples: Examples) -> dict[str, float]:
        return ranking_scores(self, examples)

    def save(self, folder: Path) -> None:
        for name in ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        params = {"neighbours": self.neighbours, "shrink": self.shrink, "liked_from": self.liked_from}
        (folder / "params.json").write_text(json.dumps(params))

    @classmethod
    def load(cls, folder: Path) -> Self:
        self = cls(**json.loads((folder / "params.json").read_text()))
        self._use(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS))
        return self


def _strongest(matrix: Any, count: int) -> Any:
    """Each row's `count` largest values, the others gone (CSR)."""
    from scipy import sparse

    kept = np.zeros(matrix.nnz, bool)
    for start, end in zip(matrix.indptr, matrix.indptr[1:], strict=False):
        kept[start + np.argsort(-matrix.data[start:end], kind="stable")[:count]] = True
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return sparse.csr_matrix((matrix.data[kept], (rows[kept], matrix.indices[kept])), shape=matrix.shape)


def ranking_scores(predictor: Any, examples: Examples) -> dict[str, float]:
    """NDCG@10 and recall@20 over users, and the share of products that are in anybody's first ten.

    `examples` has the columns unit, product, value and held_out: a user's rows that are not held out are the history,
    the held-out ones with at least LIKED stars are relevant. All products are ranked. Users without a relevant product
    do not count.
    """
    gains: list[float] = []
    recalls: list[float] = []
    shown: set[int] = set()
    discount = 1 / np.log2(np.arange(TOP) + 2)
    for _, rows in examples.rows.groupby("unit", sort=False):
        relevant = set(rows.loc[rows["held_out"] & (rows["value"] >= LIKED), "product"])
        if not relevant:
            continue
        past = rows[~rows["held_out"]]
        history = tuple(Rated(int(p), float(v)) for p, v in zip(past["product"], past["value"], strict=True))
        [output] = predictor.predict([RecommendInput(history, n=20)])
        hits = np.array([one.product in relevant for one in output.products] + [False] * 20)[:20]
        shown.update(one.product for one in output.products[:TOP])
        gains.append(float(hits[:TOP] @ discount / discount[: len(relevant)].sum()))
        recalls.append(float(hits.sum() / len(relevant)))
    return {
        "ndcg@10": float(np.mean(gains)) if gains else 0.0,
        "recall@20": float(np.mean(recalls)) if recalls else 0.0,
        "coverage@10": len(shown) / max(examples.rows["product"].nunique(), 1),
    }
