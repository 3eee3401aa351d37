"""Products that are alike by their words, and by their pictures where both have one. Fitted at training."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from recommendations.ml.item_item import ItemItem, Rows, most_alike, strongest
from recommendations.ml.recommend import Newcomers
from recommendations.ml.sequences import Floats, words_of

if TYPE_CHECKING:
    import pandas as pd

NEIGHBOURS = 50  # most alike products that are kept of each
LIKE = 10  # products that say what a newcomer is like
BLOCK = 1_000  # products compared with all others at once
MOST_TERMS = 50_000
LOOKS = 0.5  # what the pictures of two products count against their words
COMMON = 0.2  # share of the products from which on a term is too common to say that two are alike


class Content:
    """TF-IDF of the words with sublinear term counts (Salton and Buckley, 1988), and the vectors of the pictures less
    their mean, which all pictures share; two products are as alike as the cosines say.
    """

    def fit(self, products: "pd.DataFrame") -> Self:
        """`products` has the columns product (ascending), name, category and description; and, where the shop's
        pictures are known, `looks`: a vector or None.
        """
        texts = words_of(products)
        vectorizer = _vectorizer(max_features=MOST_TERMS, max_df=COMMON if len(texts) > 100 else 1.0)
        try:
            vectors = vectorizer.fit_transform(texts)
        except ValueError:  # no product has a word
            vectorizer = _vectorizer(vocabulary=["-"])
            vectors = vectorizer.fit_transform(texts or [""])[: len(texts)]
        self.terms = [str(term) for term in vectorizer.get_feature_names_out()]
        self.idf = vectorizer.idf_
        self.products = products["product"].to_numpy(np.int64)
        self.words = Rows.of(vectors)
        found = _stacked(products)
        self.usual = found[found.any(axis=1)].mean(axis=0) if found.any() else np.zeros(found.shape[1], np.float32)
        self.looks = self._seen(products)
        self.alike = ItemItem.of(self._alike())
        return self

    def _seen(self, products: "pd.DataFrame") -> Floats:
        """Products x dimensions, rows of length 1; zeros for a product without a picture, or with a vector of another
        network than the others.
        """
        found = _stacked(products)
        if found.shape[1] != len(self.usual):
            return np.zeros((len(products), len(self.usual)), np.float32)
        there = found.any(axis=1)
        found[there] -= self.usual
        found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
        return found

    def _together(self, words: Any, looks: Floats) -> Any:
        """Rows of likeness to the products of the training (CSR), of rows of likeness by words."""
        from scipy import sparse

        if not looks.any():
            return words
        both = np.outer(looks.any(axis=1), np.asarray(self.looks).any(axis=1))
        found = words.toarray()
        by_looks = np.maximum(looks @ np.asarray(self.looks).T, 0)
        return sparse.csr_matrix(np.where(both, (1 - LOOKS) * found + LOOKS * by_looks, found), dtype=np.float32)

    def vectors(self) -> Any:
        """Products x terms (CSR, float32), rows of length 1."""
        from scipy import sparse

        shape = (len(self.products), len(self.terms))
        return sparse.csr_matrix((self.words.values, self.words.indices, self.words.indptr), shape=shape)

    def _alike(self) -> Any:
        """Row = a product, columns = the NEIGHBOURS most like it, without itself."""
        from scipy import sparse

        vectors = self.vectors()
        others = vectors.T.tocsr()
        blocks = [
            most_alike(
                self._together(vectors[start : start + BLOCK] @ others, self.looks[start : start + BLOCK]),
                NEIGHBOURS,
                start,
            )
            for start in range(0, max(len(self.products), 1), BLOCK)
        ]
        return sparse.vstack(blocks, format="csr")

    def nearest(self, products: "pd.DataFrame") -> Newcomers:
        """What products that came later are like, under the vocabulary of the training: the LIKE most similar ones of
        each, with the squares of the cosines, which trust a close relative more than many distant ones.
        """
        vectorizer = _vectorizer(vocabulary=self.terms)
        vectorizer.idf_ = self.idf
        texts = words_of(products)
        vectors = vectorizer.transform(texts).astype(np.float32) if texts else self.vectors()[:0]
        found = strongest(self._together(vectors @ self.vectors().T, self._seen(products)), LIKE).tocoo()
        return Newcomers(
            products=tuple(products["product"].to_numpy(np.int64)[found.row].tolist()),
            like=tuple(self.products[found.col].tolist()),
            similarity=tuple(float(value) ** 2 for value in found.data),
        )

    def save(self, folder: Path) -> None:
        self.alike.save(folder, "content")
        self.words.save(folder, "words")
        np.save(folder / "words_idf.npy", self.idf)
        np.save(folder / "words_products.npy", self.products)
        np.save(folder / "looks.npy", self.looks)
        np.save(folder / "looks_usual.npy", self.usual)
        (folder / "terms.json").write_text(json.dumps(self.terms))

    @classmethod
    def load(cls, folder: Path) -> Self:
        self = cls()
        self.alike, self.words = ItemItem.load(folder, "content"), Rows.load(folder, "words")
        self.idf, self.products = (np.load(folder / f"words_{name}.npy", mmap_mode="r") for name in ("idf", "products"))
        self.looks, self.usual = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("looks", "looks_usual"))
        self.terms = json.loads((folder / "terms.json").read_text())
        return self


def _stacked(products: "pd.DataFrame") -> Floats:
    """The column `looks` as products x dimensions (float32); zeros where there is none."""
    if "looks" not in products or products["looks"].isna().all():
        return np.zeros((len(products), 0), np.float32)
    width = len(products["looks"].dropna().iloc[0])
    rows = [one if isinstance(one, Sequence | np.ndarray) and len(one) == width else np.zeros(width)
            for one in products["looks"]]  # fmt: skip
    return np.array(rows, np.float32)


def _vectorizer(**more: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(stop_words="english", sublinear_tf=True, strip_accents="unicode", **more)
