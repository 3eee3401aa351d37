"""A row of numbers, and the name of a place, as models of price and rating read them.

Kept with a version as JSON, so that whoever has the file (a browser too) reads a row the same way.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from experiments.errors import DomainError

OTHER = 0  # the number of every place that is not known
SELDOM = 10  # rows of a place below which it is not known
FLAT = 1e-9  # a spread that is none

Transform = Callable[[float], float]
TRANSFORMS: dict[str, tuple[Transform, Transform]] = {  # there and back
    "log": (math.log, math.exp),
    "log1p": (math.log1p, math.expm1),
    "none": (float, float),
}


@dataclass(frozen=True)
class Column:
    """One number, from `low` to `high` in the examples. A model reads it clipped to these, transformed, less `mean`,
    over `scale`; mean and scale are in the transformed unit.
    """

    name: str
    transform: str  # of TRANSFORMS
    mean: float
    scale: float
    low: float
    high: float

    @classmethod
    def of(cls, name: str, transform: str, values: np.ndarray) -> Self:
        """`values` has the shape (rows,). Raises DomainError for one that cannot be transformed."""
        there = TRANSFORMS[transform][0]
        try:
            seen = np.array([there(value) for value in values.tolist()])
        except (ValueError, OverflowError):
            seen = np.array([math.nan])
        if not np.isfinite(seen).all():
            least = {"log": "over 0", "log1p": "0 or more", "none": "numbers"}[transform]
            raise DomainError(f"The values of {name} to learn from must all be {least}.")
        spread = float(seen.std())
        scale = spread if spread > FLAT else 1.0
        return cls(name, transform, float(seen.mean()), scale, float(values.min()), float(values.max()))

    def read(self, value: float) -> float:
        there = TRANSFORMS[self.transform][0]
        return (there(min(max(value, self.low), self.high)) - self.mean) / self.scale

    def back(self, standard: float) -> float:
        """The value of which `read` makes this, for any number of scales from the mean."""
        return TRANSFORMS[self.transform][1](self.mean + self.scale * standard)

    def outside(self, value: float) -> bool:
        return not self.low <= value <= self.high


@dataclass(frozen=True)
class Preprocessing:
    """`locations` are those with SELDOM examples or more: they have the numbers 1 and up."""

    columns: tuple[Column, ...]
    locations: tuple[str, ...]
    target: Column

    @classmethod
    def of(
        cls,
        columns: Mapping[str, str],
        target: tuple[str, str],
        values: Mapping[str, np.ndarray],
        places: Iterable[str],
    ) -> Self:
        """`columns` and `target` are names with their transforms; `values` has an array (rows,) for each."""
        often = sorted(place for place, count in Counter(places).items() if count >= SELDOM)
        read = tuple(Column.of(name, transform, values[name]) for name, transform in columns.items())
        return cls(read, tuple(often), Column.of(*target, values[target[0]]))

    def numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.locations, OTHER + 1)}

    def read(self, row: Sequence[float]) -> list[float]:
        return [column.read(value) for column, value in zip(self.columns, row, strict=True)]

    def outside(self, row: Sequence[float]) -> bool:
        """Whether a number lies beyond all examples."""
        return any(column.outside(value) for column, value in zip(self.columns, row, strict=True))

    def to_dict(self) -> dict[str, Any]:
        return {
            "columns": [asdict(column) for column in self.columns],
            "locations": list(self.locations),
            "target": asdict(self.target),
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Self:
        columns = tuple(Column(**column) for column in kept["columns"])
        return cls(columns, tuple(kept["locations"]), Column(**kept["target"]))
