"""How good ranked lists are, for each user: does what was held out stand at the top, and how varied is what is shown?

Conventions, since published figures differ by them: every product that may be recommended is ranked, none is sampled
(Krichene and Rendle, 2020); relevant is what was held out and got LIKED stars or more; users without any do not count.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.mltask import Examples
from recommendations.ml.recommend import Happened, Rated, RecommendInput
from recommendations.ml.sequences import RATING, Bools, Floats, Ints

if TYPE_CHECKING:
    import pandas as pd

LIKED = 4.0  # stars
BATCH = 256  # users asked about at once
NOTHING = np.iinfo(np.int64).min  # stands in a list that is shorter than asked for
POPULAR = 0.2  # share of the catalogue, the most rated first, that is called popular


@dataclass(frozen=True)
class Case:
    """A user who is measured on: the history before, newest first, and the products rated later with their stars."""

    given: RecommendInput
    products: Ints
    stars: Floats

    @property
    def relevant(self) -> Ints:
        return np.unique(self.products[self.stars >= LIKED])


def ranking_scores(predictor: Any, examples: Examples) -> dict[str, float]:
    """The means over the users of `examples` (columns unit, product, kind, value, held_out; a user's rows in order of
    time) and the share of the catalogue that was shown to any of them; 0 where nobody can be measured on.
    """
    cases = [case for case in cases_of(examples.rows) if len(case.relevant)]
    found = {"ndcg@10": 0.0, "recall@20": 0.0, "coverage@10": 0.0, "map@10": 0.0, "hit@10": 0.0}
    if cases:
        ranked = lists(predictor, [replace(case.given, n=20) for case in cases])
        relevant = [case.relevant for case in cases]
        hit, counts = hits(ranked, relevant), np.array([len(one) for one in relevant])
        found = {
            "ndcg@10": float(ndcg(hit, counts, 10).mean()),
            "recall@20": float(recall(hit, counts, 20).mean()),
            "coverage@10": coverage(ranked[:, :10], catalogue_size(examples)),
            "map@10": float(average_precision(hit, counts, 10).mean()),
            "hit@10": float(hit_rate(hit, 10).mean()),
        }
    return found


def catalogue_size(examples: Examples) -> int:
    return int(examples.side.get("products", examples.rows)["product"].nunique())


def cases_of(rows: "pd.DataFrame") -> list[Case]:
    """One for each user of whom a rating is held out."""
    users = rows["unit"].factorize()[0]
    order = np.argsort(users, kind="stable")
    users = users[order]
    held, rated = rows["held_out"].to_numpy(bool)[order], (rows["kind"] == RATING).to_numpy(bool)[order]
    products, stars = rows["product"].to_numpy(np.int64)[order], rows["value"].to_numpy(float)[order]
    kinds = rows["kind"].to_numpy()[order]
    cases = []
    for user in np.unique(users[held]):
        mine = np.arange(*np.searchsorted(users, [user, user + 1]))
        past = mine[~held[mine]][::-1]
        ratings, events, later = past[rated[past]], past[~rated[past]], mine[held[mine]]
        given = RecommendInput(
            history=tuple(map(Rated, products[ratings].tolist(), stars[ratings].tolist())),
            events=tuple(map(Happened, products[events].tolist(), kinds[events].tolist())),
        )
        cases.append(Case(given, products[later], stars[later]))
    return cases


def lists(predictor: Any, asked: Sequence[RecommendInput]) -> Ints:
    """users x n: what the predictor ranks for each, the best first."""
    found = np.full((len(asked), max((one.n for one in asked), default=0)), NOTHING)
    for start in range(0, len(asked), BATCH):
        for row, output in enumerate(predictor.predict(asked[start : start + BATCH]), start):
            ids = [one.product for one in output.products]
            found[row, : len(ids)] = ids
    return found


def hits(ranked: Ints, relevant: Sequence[Ints]) -> Bools:
    """users x n: which places hold something relevant. A product that comes again in a list is no second hit."""
    size = ranked.size
    ids, codes = np.unique(np.concatenate([ranked.ravel(), *relevant]), return_inverse=True)
    row = np.arange(len(ranked)) * len(ids)
    shown = codes[:size] + np.repeat(row, ranked.shape[1])
    wanted = codes[size:] + np.repeat(row, [len(one) for one in relevant])
    first = np.zeros(size, bool)
    first[np.unique(shown, return_index=True)[1]] = True
    found: Bools = (np.isin(shown, wanted) & first).reshape(ranked.shape)
    return found


def ndcg(hit: Bools, relevant: Ints, k: int) -> Floats:
    """Normalised discounted cumulative gain (Järvelin and Kekäläinen, 2002) with gains of 0 and 1:
    sum of 1 / log2(place + 1) over the hits in the first k, as a share of that of min(k, relevant) hits at the top.
    """
    discount = 1 / np.log2(np.arange(k) + 2)
    found: Floats = hit[:, :k] @ discount[: hit.shape[1]] / discount.cumsum()[np.minimum(relevant, k) - 1]
    return found


def recall(hit: Bools, relevant: Ints, k: int) -> Floats:
    """Hits in the first k / min(k, relevant), as in Liang et al. (2018): who likes more than k can still reach 1."""
    found: Floats = hit[:, :k].sum(axis=1) / np.minimum(relevant, k)
    return found


def average_precision(hit: Bools, relevant: Ints, k: int) -> Floats:
    """Sum over the hits in the first k of the share of hits up to that place, / min(k, relevant). Its mean is MAP."""
    first = hit[:, :k]
    precision = first.cumsum(axis=1) / (np.arange(first.shape[1]) + 1)
    found: Floats = (precision * first).sum(axis=1) / np.minimum(relevant, k)
    return found


def hit_rate(hit: Bools, k: int) -> Floats:
    """1 where there is a hit in the first k."""
    return hit[:, :k].any(axis=1).astype(float)


def coverage(ranked: Ints, catalogue: int) -> float:
    """The share of the catalogue that is in anybody's list (catalogue coverage: Ge et al., 2010)."""
    return len(np.unique(ranked[ranked != NOTHING])) / max(catalogue, 1)


@dataclass(frozen=True)
class Background:
    """What is known of each product beside who likes it; `ids` ascending, the others one entry a product.

    `information` is -log2 of the share of the users learned from who rated it (as if by one where by none), `popular`
    says whether it is of the most rated fifth, `words` is products x terms (CSR, TF-IDF, rows of length 1) or None
    where there are no words.
    """

    ids: Ints
    information: Floats
    popular: Bools
    words: Any

    @classmethod
    def of(cls, fit: Examples) -> "Background":
        ratings = fit.rows[fit.rows["kind"] == RATING].drop_duplicates(["unit", "product"])
        known = fit.side["products"]["product"] if "products" in fit.side else fit.rows["product"]
        rated = ratings["product"].to_numpy(np.int64)
        ids = np.union1d(known.to_numpy(np.int64), rated)
        counts = np.bincount(np.searchsorted(ids, rated), minlength=len(ids))
        popular = np.zeros(len(ids), bool)
        popular[np.argsort(-counts, kind="stable")[: round(POPULAR * len(ids))]] = True
        users = max(int(ratings["unit"].nunique()), 1)
        return cls(ids, -np.log2(np.maximum(counts, 1) / users), popular, _words(fit, ids))

    def places(self, ranked: Ints) -> Ints:
        """Where the products of the lists stand in the arrays; -1 where there is none."""
        at = np.searchsorted(self.ids, ranked).clip(0, max(len(self.ids) - 1, 0))
        return np.where(self.ids[at] == ranked, at, -1) if len(self.ids) else np.full(ranked.shape, -1)

    def novelty(self, ranked: Ints) -> Floats:
        """Mean self-information of a list in bits (Zhou et al., 2010); NaN for an empty one."""
        return _mean_of_lists(self.information, self.places(ranked))

    def popular_share(self, ranked: Ints) -> Floats:
        """Share of a list that is popular (the short head: Abdollahpouri et al., 2019); NaN for an empty one."""
        return _mean_of_lists(self.popular.astype(float), self.places(ranked))

    def diversity(self, ranked: Ints) -> Floats:
        """1 - mean cosine of the words of all pairs of a list (intra-list similarity: Ziegler et al., 2005); NaN for a
        list of less than two.

        With s the sum of the m rows, the m (m - 1) ordered pairs have the cosines s.s - (sum of each row with itself).
        """
        from scipy import sparse

        places = self.places(ranked)
        users, _ = np.nonzero(places >= 0)
        chosen = places[places >= 0]
        lengths = np.bincount(users, minlength=len(ranked))
        if self.words is None:
            return np.full(len(ranked), np.nan)
        members = sparse.csr_matrix((np.ones(len(users)), (users, chosen)), shape=(len(ranked), len(self.ids)))
        own = np.asarray(self.words.multiply(self.words).sum(axis=1)).ravel()
        total = members @ self.words
        pairs = np.asarray(total.multiply(total).sum(axis=1)).ravel() - members @ own
        found: Floats = np.where(lengths > 1, 1 - pairs / np.maximum(lengths * (lengths - 1), 1), np.nan)
        return found


def _mean_of_lists(values: Floats, places: Ints) -> Floats:
    filled = places >= 0
    count = filled.sum(axis=1)
    total = np.where(filled, values[places] if len(values) else 0.0, 0.0).sum(axis=1)
    found: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return found


def _words(fit: Examples, ids: Ints) -> Any:
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer

    from recommendations.ml.sequences import words_of

    if "products" not in fit.side:
        return None
    products = fit.side["products"].drop_duplicates("product")
    try:
        found = TfidfVectorizer(stop_words="english").fit_transform(words_of(products))
    except ValueError:  # no product has a word
        return None
    at = np.searchsorted(ids, products["product"].to_numpy(np.int64))
    order = sparse.csr_matrix((np.ones(len(at)), (at, np.arange(len(at)))), shape=(len(ids), len(at)))
    return (order @ found).tocsr()
