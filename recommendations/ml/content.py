"""Products that are alike by their words: TF-IDF of name, category and description, fitted at training."""

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from recommendations.ml.item_item import ItemItem, Rows, strongest
from recommendations.ml.recommend import Newcomers
from recommendations.ml.sequences import words_of

if TYPE_CHECKING:
    import pandas as pd

NEIGHBOURS = 50  # most alike products that are kept of each
LIKE = 10  # products that say what a newcomer is like
BLOCK = 1_000  # products compared with all others at once
MOST_TERMS = 50_000
COMMON = 0.2  # share of the products from which on a term is too common to say that two are alike


class Content:
    """TF-IDF with sublinear term counts (Salton and Buckley, 1988); two products are as alike as the cosine says."""

    def fit(self, products: "pd.DataFrame") -> Self:
        """`products` has the columns product (ascending), name, category and description."""
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
        self.alike = ItemItem.of(self._alike())
        return self

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
            most_alike(vectors[start : start + BLOCK] @ others, NEIGHBOURS, start)
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
        found = strongest(vectors @ self.vectors().T, LIKE).tocoo()
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
        (folder / "terms.json").write_text(json.dumps(self.terms))

    @classmethod
    def load(cls, folder: Path) -> Self:
        self = cls()
        self.alike, self.words = ItemItem.load(folder, "content"), Rows.load(folder, "words")
        self.idf, self.products = (np.load(folder / f"words_{name}.npy", mmap_mode="r") for name in ("idf", "products"))
        self.terms = json.loads((folder / "terms.json").read_text())
        return self


def most_alike(alike: Any, count: int, first: int) -> Any:
    """Each row's `count` largest among those above 0 (CSR; of equal ones the first columns stay). Row k is product
    first + k, which is not like itself. Overwrites `alike`.
    """
    for product, (start, end) in enumerate(pairwise(alike.indptr.tolist()), first):
        values = alike.data[start:end]
        values[alike.indices[start:end] == product] = 0
        least = np.partition(values, -count)[-count] if end - start > count else 0
        values[values < max(least, 0)] = 0  # now, as a few are sorted faster than all
    alike.eliminate_zeros()
    return strongest(alike, count)


def _vectorizer(**more: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(stop_words="english", sublinear_tf=True, strip_accents="unicode", **more)
