"""The collaborative parts: four ways to say what customers with this history like next.

Each is fitted on sequences and answers for a history at places 0 … items - 1 with a weight each: `scores` gives one
number a product, `between` what each product of the history adds to each of a few others.
"""

from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

from recommendations.ml.item_item import ItemItem, strongest
from recommendations.ml.linear import item_weights
from recommendations.ml.sequences import Floats, Ints, Sequences
from recommendations.ml.transitions import training_rows


class Collaborative(Protocol):
    def scores(self, places: Ints, weights: Floats) -> Floats: ...

    def between(self, places: Ints, targets: Ints) -> Floats: ...

    def save(self, folder: Path, name: str) -> None: ...

    @classmethod
    def load(cls, folder: Path, name: str) -> Self: ...


def fit_linear(
    found: Sequences, strengths: Floats, words: Any, *, l2: float, neighbours: int, ahead: float, side: float
) -> ItemItem:
    """The item-item linear model (EASE: Steck, 2019), which also learns from what came next (transitions.py) and from
    the products' words: each term is one more row, of the products that have it, so that a product that few know is
    near those of its kind.
    """
    from scipy import sparse

    inputs, targets = training_rows(found, strengths, ahead)
    if side:
        rows = _term_rows(words) * np.float32(side)
        inputs, targets = sparse.vstack([inputs, rows], format="csr"), sparse.vstack([targets, rows], format="csr")
    return ItemItem.of(item_weights(inputs, targets, l2=l2, neighbours=neighbours))


def _term_rows(words: Any) -> Any:
    """Terms x items: each row has the length 1, so that a common term says less of each of its products."""
    from scipy import sparse

    rows = words.T.tocsr()
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return (sparse.diags(1 / np.maximum(lengths, 1e-9)) @ rows).astype(np.float32).tocsr()


def fit_item_neighbours(found: Sequences, strengths: Floats, *, neighbours: int, shrink: float) -> ItemItem:
    """Two products are alike as the cosine of who liked them says, shrunk where few liked both (Sarwar et al., 2001;
    Deshpande and Karypis, 2004); each keeps its most alike.
    """
    matrix = found.matrix(strengths)
    both = (matrix.T @ matrix).tocsr()
    norms = np.sqrt(np.maximum(both.diagonal(), 1e-12))
    both.setdiag(0)
    both.eliminate_zeros()
    rows = np.repeat(np.arange(len(norms)), np.diff(both.indptr))
    both.data *= both.data / (both.data + shrink) / (norms[rows] * norms[both.indices])
    return ItemItem.of(strongest(both, neighbours).T)


class Factors:
    """Implicit-feedback matrix factorisation by alternating least squares (Hu, Koren and Volinsky, 2008), by the
    library `implicit`. A history is folded in: its factors are the solution of the least squares for the
    products as they are.
    """

    def __init__(self, factors: Floats, confidence: float, l2: float) -> None:
        self.factors, self.confidence, self.l2 = factors, float(confidence), float(l2)
        self.gram = factors.T @ factors + self.l2 * np.eye(factors.shape[1])

    @classmethod
    def fit(cls, found: Sequences, strengths: Floats, *, factors: int, confidence: float, l2: float) -> Self:
        from implicit.als import AlternatingLeastSquares
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, "blas"):  # `implicit` has threads of its own
            model = AlternatingLeastSquares(
                factors=factors, alpha=confidence, regularization=l2, iterations=15, random_state=0
            )
            model.fit(found.matrix(strengths), show_progress=False)
        return cls(np.asarray(model.item_factors, np.float32), confidence, l2)

    def _inverse(self, places: Ints, weights: Floats) -> Floats:
        mine = self.factors[places]
        extra: Floats = np.linalg.inv(self.gram + (mine.T * (self.confidence * np.maximum(weights, 0))) @ mine)
        return extra

    def scores(self, places: Ints, weights: Floats) -> Floats:
        loud = np.where(weights > 0, 1 + self.confidence * weights, 0.0)  # what is not liked is not preferred
        found: Floats = self.factors @ (self._inverse(places, weights) @ (self.factors[places].T @ loud))
        return found

    def between(self, places: Ints, targets: Ints) -> Floats:
        """As in explanations of Hu et al., section 5, with the confidence of a single like."""
        mine = self.factors[places]
        found: Floats = mine @ self._inverse(places, np.ones(len(places))) @ self.factors[targets].T
        return found * (1 + self.confidence)

    def save(self, folder: Path, name: str) -> None:
        np.save(folder / f"{name}_factors.npy", self.factors)
        np.save(folder / f"{name}_numbers.npy", np.array([self.confidence, self.l2]))

    @classmethod
    def load(cls, folder: Path, name: str) -> Self:
        confidence, l2 = np.load(folder / f"{name}_numbers.npy")
        return cls(np.load(folder / f"{name}_factors.npy", mmap_mode="r"), confidence, l2)


class UserNeighbours:
    """What the customers most like this one liked (Herlocker et al., 1999), weighted with the cosine. The artifact
    holds rows of likes without saying whose they are.
    """

    def __init__(self, likes: ItemItem, count: int) -> None:
        self.likes, self.count = likes, int(count)  # customers x products
        self.alike = ItemItem(likes.columns, likes.rows)

    @classmethod
    def fit(cls, found: Sequences, strengths: Floats, *, neighbours: int) -> Self:
        from scipy import sparse

        matrix = found.matrix(strengths)
        lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
        return cls(ItemItem.of(sparse.diags(1 / np.maximum(lengths, 1e-9)) @ matrix), neighbours)

    def _nearest(self, places: Ints, weights: Floats) -> tuple[Ints, Floats]:
        alike = self.alike.scores(places, weights)
        best = np.argsort(-alike, kind="stable")[: self.count]
        best = best[alike[best] > 0]
        return best, alike[best]

    def scores(self, places: Ints, weights: Floats) -> Floats:
        return self.likes.scores(*self._nearest(places, weights))

    def between(self, places: Ints, targets: Ints) -> Floats:
        users, _ = self._nearest(places, np.ones(len(places)))
        return self.likes.between(users, places).T @ self.likes.between(users, targets)

    def save(self, folder: Path, name: str) -> None:
        self.likes.save(folder, name)
        np.save(folder / f"{name}_count.npy", np.array(self.count))

    @classmethod
    def load(cls, folder: Path, name: str) -> Self:
        return cls(ItemItem.load(folder, name), int(np.load(folder / f"{name}_count.npy")))
