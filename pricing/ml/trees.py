"""Boosted trees as arrays, answered by numpy: what scikit-learn fitted, without its objects."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np

from pricing.ml.tabular import OTHER

STORED = "trees.npz"
ROWS = 256  # that are looked at together
NODE = ("feature", "threshold", "left", "right", "value")


@dataclass(frozen=True)
class Trees:
    """A node sends a row left where its feature is at most the threshold; a leaf sends every row to itself. Each tree
    belongs to a member, and tells of the centre or of the logarithm of the scale; the mean of the members is answered.
    """

    feature: np.ndarray  # of each node
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray  # of a leaf, over the number of members
    root: np.ndarray  # of each tree, those of the centre first
    member: np.ndarray  # of each tree
    centres: np.ndarray  # how many trees tell of the centre
    depth: np.ndarray  # of the deepest tree
    start: np.ndarray  # what the two sums start at
    levels: np.ndarray  # (members, places): how dear a place is, as the member learned it

    @classmethod
    def of(cls, centres: Sequence[Any], scales: Sequence[Any], levels: np.ndarray) -> Self:
        """`centres` and `scales` are a HistGradientBoostingRegressor each, one a member."""
        trees = [
            (member, nodes)
            for models in (centres, scales)
            for member, model in enumerate(models)
            for nodes in _trees_of(model)
        ]
        sizes = [len(nodes) for _, nodes in trees]
        roots = np.cumsum([0, *sizes[:-1]])
        nodes = np.concatenate([nodes for _, nodes in trees])
        first, own = np.repeat(roots, sizes), np.arange(len(nodes))
        leaf = nodes["is_leaf"].astype(bool)
        return cls(
            feature=np.where(leaf, 0, nodes["feature_idx"]),
            threshold=np.where(leaf, np.inf, nodes["num_threshold"]),
            left=np.where(leaf, own, nodes["left"] + first),
            right=np.where(leaf, own, nodes["right"] + first),
            value=np.where(leaf, nodes["value"], 0.0) / len(levels),
            root=roots,
            member=np.array([member for member, _ in trees]),
            centres=np.array(sum(len(_trees_of(model)) for model in centres)),
            depth=np.array(nodes["depth"].max()),
            start=np.array([np.mean([_start_of(model) for model in models]) for models in (centres, scales)]),
            levels=levels,
        )

    def answers(self, numbers: np.ndarray, places: np.ndarray) -> np.ndarray:
        """`numbers` has the shape (rows, columns), `places` (rows,); centre and scale are (rows, 2)."""
        parts = [slice(first, first + ROWS) for first in range(0, len(numbers), ROWS)]
        return np.concatenate([self._answers(features(numbers[one], places[one], self.levels)) for one in parts])

    def _answers(self, read: np.ndarray) -> np.ndarray:
        """`read` has the shape (members, rows, features)."""
        at = np.repeat(self.root[None], read.shape[1], axis=0)
        rows = np.arange(len(at))[:, None]
        for _ in range(int(self.depth)):
            goes_left = read[self.member, rows, self.feature[at]] <= self.threshold[at]
            at = np.where(goes_left, self.left[at], self.right[at])
        values = self.value[at]
        # Each row is summed for itself, or it would come out otherwise in the last digits when asked with others.
        sums = [(one[: self.centres].sum(), one[self.centres :].sum()) for one in values]
        found: np.ndarray = np.array(sums) + self.start
        return found

    def save(self, folder: Path) -> None:
        np.savez(folder / STORED, allow_pickle=False, **{one.name: getattr(self, one.name) for one in fields(self)})

    @classmethod
    def load(cls, folder: Path) -> Self:
        with np.load(folder / STORED, allow_pickle=False) as kept:
            return cls(**{name: kept[name] for name in kept.files})


def features(numbers: np.ndarray, places: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """What trees look at: the numbers, the level of the place, and whether it is known; (members, rows, features)."""
    count, rows = len(levels), len(numbers)
    known = np.broadcast_to((places != OTHER)[None, :, None], (count, rows, 1))
    repeated = np.broadcast_to(numbers[None], (count, *numbers.shape))
    return np.concatenate([repeated, levels[:, places, None], known], axis=2)


def _trees_of(model: Any) -> list[np.ndarray]:
    """The nodes of each tree, in the order of fitting."""
    return [tree.nodes for [tree] in model._predictors]  # noqa: SLF001  (scikit-learn has no other way to them)


def _start_of(model: Any) -> float:
    return float(model._baseline_prediction.item())  # noqa: SLF001
