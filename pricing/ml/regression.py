"""A fitted model with what stands around it: how a row is read, and how far off the answers are."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from experiments.mltask import Examples
from pricing.ml.conformal import Intervals
from pricing.ml.lessons import Lessons, enough
from pricing.ml.tabular import Preprocessing

PREPROCESSING, INTERVAL = "preprocessing.json", "interval.json"


class Model(Protocol):
    def answers(self, numbers: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Centre and logarithm of the scale, (rows, 2), from numbers (rows, columns) and places (rows,)."""
        ...

    def save(self, folder: Path) -> None: ...

    @classmethod
    def load(cls, folder: Path) -> Self: ...


class Asked(NamedTuple):
    row: Sequence[float]
    place: int  # as Preprocessing numbers it
    coverage: float


class Said(NamedTuple):
    """In the unit of the target; `beyond` where the row or the value lies outside of all examples."""

    value: float
    low: float
    high: float
    beyond: bool


@dataclass(frozen=True)
class Regression:
    preprocessing: Preprocessing
    model: Model
    intervals: Intervals

    @classmethod
    def learned(
        cls, examples: Examples, columns: Mapping[str, str], target: tuple[str, str],
        learn: Callable[[Lessons], tuple[Model, np.ndarray]], *, below: float, seed: int,
    ) -> Self:  # fmt: skip
        """`columns` and `target` are names with their transforms; a column `location` is read where there is one.
        `learn` gives the model and what each member says of each lesson, (rows, members, 2); `below` is the share of
        the misses that may lie under an interval. Raises DomainError for examples that teach nothing.
        """
        values = enough(examples, columns, target[0])
        places = [str(one) for one in examples.rows["location"]] if "location" in examples.rows else []
        preprocessing = Preprocessing.of(columns, target, values, places)
        lessons = Lessons.of(examples, preprocessing, places or [""] * len(examples), seed=seed)
        model, each = learn(lessons)
        return cls(preprocessing, model, Intervals.of(lessons.scores(each), below=below))

    def say(self, asked: Sequence[Asked]) -> list[Said]:
        if not asked:
            return []
        numbers = np.array([self.preprocessing.read(one.row) for one in asked])
        found = self.model.answers(numbers, np.array([one.place for one in asked]))
        return [self._said(one, *answer) for one, answer in zip(asked, found.tolist(), strict=True)]

    def _said(self, asked: Asked, centre: float, width: float) -> Said:
        target = self.preprocessing.target
        scale = math.exp(width)
        value, low, high = (target.back(centre + by * scale) for by in (0.0, *self.intervals.at(asked.coverage)))
        return Said(value, low, high, self.preprocessing.outside(asked.row) or target.outside(value))

    def save(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """`settings` are what the constructor of the algorithm was given."""
        kept = {"settings": dict(settings), **self.preprocessing.to_dict()}
        (folder / PREPROCESSING).write_text(json.dumps(kept))
        (folder / INTERVAL).write_text(json.dumps(self.intervals.to_dict()))
        self.model.save(folder)

    @classmethod
    def load(cls, folder: Path, model: type[Model]) -> tuple[Self, dict[str, Any]]:
        kept = json.loads((folder / PREPROCESSING).read_text())
        intervals = Intervals.from_dict(json.loads((folder / INTERVAL).read_text()))
        return cls(Preprocessing.from_dict(kept), model.load(folder), intervals), kept["settings"]
