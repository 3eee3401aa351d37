"""How many stars a customer would give to a product, from the ratings of that customer's history alone. Nothing is kept
of any customer, so that a new one, or a new rating, needs no training.

A prediction is a weighted sum of what three parts say, each about what the parts before it left over:
  - the product: its bias, as in the baseline of Koren, Bell and Volinsky, "Matrix Factorization Techniques" (2009);
  - the customer's line: how far from the biases these ratings are, how much is made of a product's bias, and whether
    well-known products are liked more than obscure ones; a ridge regression over the history, where a rating fades
    with its age, since tastes drift (Koren, "Collaborative Filtering with Temporal Dynamics", 2009);
  - the neighbourhood: what is left of the ratings of the products most like this one, by adjusted cosine (Sarwar et
    al., 2001), shrunk where few rated them.
The half-life of a rating and the weights of the parts are chosen on customers' last ratings, kept back for it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np

from recommendations.ml.item_item import Rows, most_alike
from recommendations.ml.sequences import Bools, Floats, Ints

NAME = "stars"
LOWEST, HIGHEST = 0.5, 5.0
UNHEARD = 3.5  # the mean where there is no rating to learn from
ITEM_SHRINK, USER_SHRINK = 3.0, 5.0  # ratings of the mean that stand beside a product's, and a customer's, own
SWEEPS = 10  # between the biases of products and those of customers
LINE_SHRINK = np.diag([3.0, 6.0, 30.0])  # of the offset, and of the slopes over bias and fame
COSINE_SHRINK = 30.0  # squared stars that stand beside the sum of squares of what is left of a product's ratings
NEAR_SHRINK = 1.0  # likeness to nothing that stands beside the neighbours'
HALF_LIVES = (12.0, 25.0, 50.0, 100.0, 200.0)  # in ratings of the same customer
WEIGHTS = (1.0, 1.0, 1.0)  # of the three parts, where there is nothing to choose them on
WEIGHT_SHRINK = 20.0  # squared stars that a part has to say before its weight moves half of the way
FEW = 5  # ratings of a customer below which none is kept back
KEPT_BACK = 0.2
PAIRS = 5 * 10**8  # of ratings by one customer, in all, that say which products are alike
BLOCK = 10**7  # entries of the items x items matrix that are held at once


@dataclass(frozen=True)
class Ratings:
    """Customer k's are items[starts[k] : starts[k + 1]] and the stars beside them, newest first."""

    items: Ints
    stars: Floats
    starts: Ints

    @classmethod
    def of(cls, users: Ints, items: Ints, stars: Floats) -> "Ratings":
        """From rows in ascending order of time, customers in any order."""
        order = np.argsort(users, kind="stable")
        counts = np.unique(users, return_counts=True)[1]
        starts = np.append(0, np.cumsum(counts)).astype(np.int64)
        newest_first = order[np.repeat(starts[:-1] + starts[1:] - 1, counts) - np.arange(len(order))]
        return cls(items[newest_first].astype(np.int32), stars[newest_first].astype(np.float32), starts)

    @property
    def counts(self) -> Ints:
        return np.diff(self.starts)

    def users(self) -> Ints:
        return np.repeat(np.arange(len(self.starts) - 1, dtype=np.int32), self.counts)

    def age(self) -> Ints:
        """How many later ratings the same customer gave."""
        return np.arange(len(self.items)) - np.repeat(self.starts[:-1], self.counts)

    def only(self, kept: Bools) -> "Ratings":
        starts = np.append(0, np.cumsum(kept))[self.starts]
        return Ratings(self.items[kept], self.stars[kept], starts)

    def __iter__(self) -> Iterator[tuple[Ints, Floats]]:
        for start, end in pairwise(self.starts.tolist()):
            yield self.items[start:end], self.stars[start:end]


class StarsModel:
    """`neighbours` are kept of each product; the weights are chosen on at most `most_users` customers."""

    def __init__(self, *, neighbours: int = 60, most_users: int = 5_000) -> None:
        self.neighbours, self.most_users = neighbours, most_users

    def fit(self, users: Ints, items: Ints, stars: Floats, *, item_count: int) -> Self:
        """One entry a rating, a customer's in ascending order of time; the items are codes below `item_count`."""
        ratings = Ratings.of(users, items, stars)
        self.half_life, self.weights = HALF_LIVES[-1], np.array(WEIGHTS)
        back = self._kept_back(ratings)
        if back.any():
            earlier = ratings.only(ratings.age() >= np.repeat(back, ratings.counts))
            self._learn_items(earlier, item_count)
            self.half_life = min(HALF_LIVES, key=lambda one: self._weigh(ratings, back, one))
            self._learn_neighbours(earlier, item_count)
            self._weigh(ratings, back, self.half_life)
        self._learn_items(ratings, item_count)
        self._learn_neighbours(ratings, item_count)
        return self

    def predict(self, items: Ints, stars: Floats, targets: Ints) -> Floats:
        """Stars from LOWEST to HIGHEST for each of the targets, from a history with its newest rating first; -1 is a
        product that came after the training, of which only that much is known.
        """
        places, wanted = (np.where(codes < 0, len(self.known) - 1, codes) for codes in (items, targets))
        said: Floats = self.mean + self._parts(places, stars, wanted) @ self.weights
        return np.clip(said, LOWEST, HIGHEST)

    def save(self, folder: Path) -> None:
        np.save(folder / f"{NAME}_known.npy", self.known)
        self.near.save(folder, f"{NAME}_near")
        said = {
            "neighbours": self.neighbours,
            "most_users": self.most_users,
            "mean": self.mean,
            "half_life": self.half_life,
            "weights": self.weights.tolist(),
        }
        (folder / f"{NAME}.json").write_text(json.dumps(said))

    @classmethod
    def load(cls, folder: Path) -> Self:
        said = json.loads((folder / f"{NAME}.json").read_text())
        self = cls(neighbours=said["neighbours"], most_users=said["most_users"])
        self.mean, self.half_life, self.weights = said["mean"], said["half_life"], np.array(said["weights"])
        self.known = np.asarray(np.load(folder / f"{NAME}_known.npy", mmap_mode="r"))
        self.near = Rows.load(folder, f"{NAME}_near")
        return self

    def _parts(self, items: Ints, stars: Floats, targets: Ints) -> Floats:
        """Targets x what the three parts say, in stars off the mean."""
        line, rest = self._line(items, stars)
        known = self.known[targets]
        left, rated = np.zeros(len(self.known)), np.zeros(len(self.known))
        left[items[::-1]], rated[items] = rest[::-1], 1  # of two ratings of one product, the newer stays
        entries, target = self.near.entries(targets)
        near, alike = self.near.indices[entries], self.near.values[entries]
        total = np.bincount(target, alike * left[near], len(targets))
        likeness = np.bincount(target, alike * rated[near], len(targets))
        return np.column_stack([known[:, 1], known @ line, total / (likeness + NEAR_SHRINK)])

    def _line(self, items: Ints, stars: Floats) -> tuple[Floats, Floats]:
        """The customer's line (offset, slopes over bias and fame), and what it leaves of each of the ratings."""
        known = self.known[items]
        off = stars - self.mean - known[:, 1]
        weighted = known.T * 0.5 ** (np.arange(len(items)) / self.half_life)
        line = np.linalg.solve(weighted @ known + LINE_SHRINK, weighted @ off)
        return line, off - known @ line

    def _kept_back(self, ratings: Ratings) -> Ints:
        """How many of each customer's newest ratings the choices are made on."""
        enough = np.flatnonzero(ratings.counts >= FEW)
        if len(enough) > self.most_users:
            enough = np.random.default_rng(0).choice(enough, self.most_users, replace=False)
        back = np.zeros_like(ratings.counts)
        back[enough] = np.ceil(KEPT_BACK * ratings.counts[enough] - 1e-9)
        return back

    def _weigh(self, ratings: Ratings, back: Ints, half_life: float) -> float:
        """Take this half-life and the weights that suit it best, by a ridge regression towards WEIGHTS; returns the
        mean squared error that they leave, in squared stars.
        """
        self.half_life = half_life
        parts, truth = [], []
        for (items, stars), held in zip(ratings, back.tolist(), strict=True):
            if held:
                parts.append(self._parts(items[held:], stars[held:], items[:held]))
                truth.append(stars[:held] - self.mean)
        said, rest = np.concatenate(parts), np.concatenate(truth)
        gram = said.T @ said + WEIGHT_SHRINK * np.eye(len(WEIGHTS))
        self.weights = WEIGHTS + np.linalg.solve(gram, said.T @ (rest - said @ WEIGHTS))
        return float(np.mean((rest - said @ self.weights) ** 2))

    def _learn_items(self, ratings: Ratings, item_count: int) -> None:
        """`known`: 1, bias (stars) and fame (log of its number of ratings, less the mean of that over all ratings) of
        an item in each row; the last row is for an item that nobody rated.
        """
        users, items, counts = ratings.users(), ratings.items, ratings.counts
        self.mean = float(ratings.stars.mean(dtype=float)) if len(items) else UNHEARD
        off = ratings.stars - self.mean
        bias, rated = np.zeros(item_count + 1), np.bincount(items, minlength=item_count + 1)
        for _ in range(SWEEPS):
            generous = np.bincount(users, off - bias[items], len(counts)) / (counts + USER_SHRINK)
            bias = np.bincount(items, off - generous[users], item_count + 1) / (rated + ITEM_SHRINK)
        fame = np.log1p(rated)
        self.known = np.column_stack([np.ones(item_count + 1), bias, fame - (fame[items].mean() if len(items) else 0)])
        nothing = np.empty(0)
        self.near = Rows(np.zeros(item_count + 2, np.int64), nothing.astype(np.int32), nothing)

    def _learn_neighbours(self, ratings: Ratings, item_count: int) -> None:
        """`near`: row = an item, columns = the `neighbours` most like it: those whose ratings, less what the customers'
        lines explain, rise and fall with its own.
        """
        from scipy import sparse

        counts = ratings.counts
        newest = int(counts.max(initial=0))
        # The work grows with the square of what a customer rated: the oldest ratings of those who rated most stay out.
        while (np.minimum(counts, newest).astype(float) ** 2).sum() > PAIRS:
            newest = newest * 9 // 10
        ratings = ratings.only(ratings.age() < newest)
        rest = [self._line(items, stars)[1].astype(np.float32) for items, stars in ratings]
        left = np.concatenate([np.empty(0, np.float32), *rest])
        shape = (len(counts), item_count + 1)
        matrix = sparse.csr_matrix((left, ratings.items, ratings.starts), shape=shape)
        length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel() + COSINE_SHRINK)
        matrix = (matrix @ sparse.diags(1 / length)).astype(np.float32).tocsr()
        by_item = matrix.T.tocsr()
        size = max(1, BLOCK // (item_count + 1))
        blocks = [
            most_alike(by_item[start : start + size] @ matrix, self.neighbours, start)
            for start in range(0, item_count + 1, size)
        ]
        self.near = Rows.of(sparse.vstack(blocks, format="csr"))
