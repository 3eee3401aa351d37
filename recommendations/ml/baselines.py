"""What a recommender must beat: chance, what everybody likes, and the tutorial's user-cosine. They are measured beside
the algorithms (evaluation.py) and never served.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from experiments.mltask import Examples, Progress
from recommendations.ml.recommend import Ranked, RecommendInput, RecommendOutput
from recommendations.ml.sequences import RATING, Floats, Ints

NEIGHBOURS = 10
LIKED_OVER = 3.5  # stars


class Random:
    """Products by lot. The draw depends on the history alone, so that the same question has the same answer."""

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        known = examples.side.get("products", examples.rows)
        self.products = np.unique(known["product"].to_numpy(np.int64))
        return self

    def predict(self, batch: Sequence[RecommendInput]) -> list[RecommendOutput]:
        return [_output(_open(self._shuffled(one), one)) for one in batch]

    def _shuffled(self, given: RecommendInput) -> Ints:
        of = self.products if given.allowed is None else np.unique(np.array(given.allowed, np.int64))
        seed = [abs(one.product) for one in given.history]
        return np.random.default_rng([0, *seed]).permutation(of)


def expected_recall(relevant: Ints, candidates: int, k: int) -> Floats:
    """The recall@k that chance has on average: of k places out of all candidates, relevant / candidates are hits."""
    found: Floats = min(k, candidates) * relevant / candidates / np.minimum(relevant, k)
    return found


class Popularity:
    """The products that were rated most often; of equal ones the one with the lowest id."""

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        rated = examples.rows.loc[examples.rows["kind"] == RATING, "product"].to_numpy(np.int64)
        products, counts = np.unique(rated, return_counts=True)
        self.products = products[np.argsort(-counts, kind="stable")]
        return self

    def predict(self, batch: Sequence[RecommendInput]) -> list[RecommendOutput]:
        return [_output(_open(self.products, one)) for one in batch]


class Tutorial:
    """The tutorial's collaborative filter: the cosine of the user's ratings with everybody's, the ten nearest others,
    and what they rated over 3.5 stars and the user did not, by that rating. It gives a product once for each neighbour
    who liked it; here the first counts.
    """

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        ratings = examples.rows[examples.rows["kind"] == RATING].drop_duplicates(["unit", "product"], keep="last")
        self.products, columns = np.unique(ratings["product"].to_numpy(np.int64), return_inverse=True)
        rows = ratings["unit"].factorize()[0]
        self.matrix = _sparse(ratings["value"].to_numpy(float), rows, columns, len(self.products))
        self.lengths = _lengths(self.matrix)
        return self

    def predict(self, batch: Sequence[RecommendInput]) -> list[RecommendOutput]:
        places = {product: place for place, product in enumerate(self.products.tolist())}
        asked = [
            (row, places[product], stars)
            for row, given in enumerate(batch)
            for product, stars in {one.product: one.value for one in reversed(given.history)}.items()
            if product in places
        ]
        if not asked:
            return [RecommendOutput(())] * len(batch)
        users, columns, stars = (np.array(column) for column in zip(*asked, strict=True))
        histories = _sparse(stars, users, columns, len(self.products), len(batch))
        alike = (histories @ self.matrix.T).toarray() / np.maximum(self.lengths, 1e-12)
        return [self._answer(given, row) for given, row in zip(batch, alike, strict=True)]

    def _answer(self, given: RecommendInput, alike: Floats) -> RecommendOutput:
        """`alike` is ordered as the cosine: the length of the asker's own ratings is the same for all."""
        if not alike.any():
            return RecommendOutput(())
        nearest = np.argsort(alike, kind="stable")[::-1][1 : NEIGHBOURS + 1]  # the first is the user
        found = self.matrix[nearest]
        order = np.argsort(-found.data, kind="stable")
        liked = order[found.data[order] > LIKED_OVER]
        products = np.array(list(dict.fromkeys(self.products[found.indices[liked]].tolist())), np.int64)
        return _output(_open(products, given))


def _sparse(values: Floats, rows: Ints, columns: Ints, width: int, height: int | None = None) -> Any:
    from scipy import sparse

    height = int(rows.max(initial=-1)) + 1 if height is None else height
    found = sparse.csr_matrix((values, (rows, columns)), shape=(height, width))
    found.sort_indices()
    return found


def _lengths(matrix: Any) -> Floats:
    found: Floats = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return found


def _open(products: Ints, given: RecommendInput) -> Ints:
    """The first n of the products that may be recommended."""
    known = np.array([*(one.product for one in given.history), *given.exclude], np.int64)
    found = products[~np.isin(products, known)]
    if given.allowed is not None:
        found = found[np.isin(found, np.array(given.allowed, np.int64))]
    return found[: given.n]


def _output(products: Ints) -> RecommendOutput:
    """Scores fall with the place, since only the order is meant; stars are not predicted."""
    return RecommendOutput(
        tuple(Ranked(one, 1 / place, 0.0, 0.0, None, "trending") for place, one in enumerate(products.tolist(), 1))
    )


BASELINES: Mapping[str, type[Any]] = {"random": Random, "popularity": Popularity, "tutorial": Tutorial}
