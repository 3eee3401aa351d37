"""What is learned from: rows as a model reads them, and which member leaves which out.

A twentieth of the rows is for validation: no member learns it. The others are dealt into parts, twice over, and each
member leaves one part out; what it says of that is what intervals are made from. Some rows are there a second time
without their place, so that a model knows what to say of a place that it does not know.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from experiments.errors import DomainError
from experiments.mltask import Examples
from pricing.ml.tabular import OTHER, Preprocessing

PARTS, DEALS = 5, 2
MEMBERS = PARTS * DEALS
VALIDATION = 20  # one row of so many
NAMELESS = 20  # one row of so many is there again without its place
FEWEST = 40  # rows
LEAST = 20  # rows that each member learns


@dataclass(frozen=True)
class Lessons:
    """`numbers` has the shape (rows, columns), `places`, `truth` and `validation` (rows,), `left_out` (rows, members).
    All of it is as `Preprocessing` reads it. The first `rows` are as they were given.
    """

    numbers: np.ndarray
    places: np.ndarray
    truth: np.ndarray
    left_out: np.ndarray
    validation: np.ndarray
    rows: int
    place_count: int

    @property
    def members(self) -> int:
        return int(self.left_out.shape[1])

    @classmethod
    def of(cls, examples: Examples, read: Preprocessing, places: list[str], *, seed: int) -> Self:
        rows = examples.rows
        known = read.numbers()
        values = rows[[column.name for column in read.columns]].to_numpy(float).tolist()
        numbers = np.array([read.read(row) for row in values])
        numbered = np.array([known.get(place, OTHER) for place in places])
        truth = np.array([read.target.read(value) for value in rows[read.target.name].tolist()])
        validation = _parts(examples, VALIDATION, seed) == 0
        deals = np.column_stack([_parts(examples, PARTS, seed + 1 + deal) for deal in range(DEALS)])
        left_out = (deals[:, :, None] == np.arange(PARTS)).reshape(len(rows), MEMBERS) | validation[:, None]
        if (~left_out).sum(axis=0).min() < LEAST:
            raise DomainError("Too many of the examples belong together to learn from some and be measured on others.")
        draw = np.random.default_rng(seed)
        again = draw.permutation(len(rows))[: len(rows) // NAMELESS if known else 0]
        order = np.concatenate([np.arange(len(rows)), again])
        nameless = np.concatenate([numbered, np.full(len(again), OTHER)])
        return cls(
            numbers[order], nameless, truth[order], left_out[order], validation[order], len(rows), 1 + len(known)
        )

    def scores(self, each: np.ndarray) -> np.ndarray:
        """How many scales the truth lies from the centre, by those members that left a row out; of rows as they were
        given, without those of validation. `each` is what every member says, (rows, members, 2), of all members or of
        the first deal's.
        """
        asked = np.flatnonzero(~self.validation[: self.rows])
        left_out = self.left_out[asked, : each.shape[1], None]
        said = (each[asked] * left_out).sum(axis=1) / left_out.sum(axis=1)
        found: np.ndarray = (self.truth[asked] - said[:, 0]) * np.exp(-said[:, 1])
        return found


def _parts(examples: Examples, count: int, seed: int) -> np.ndarray:
    """The part of each row, shape (rows,); what belongs together (column `unit`) is in one."""
    numbered = Examples(examples.rows.assign(at=range(len(examples))))
    found = np.zeros(len(examples), np.int64)
    for part, some in enumerate(numbered.parts(count, seed=seed)):
        found[some.rows["at"].to_numpy()] = part
    return found


def enough(examples: Examples, columns: Mapping[str, str], target: str) -> dict[str, np.ndarray]:
    """The numbers of the examples by column, each (rows,). Raises DomainError where there are too few rows or where
    one is missing.
    """
    if len(examples) < FEWEST:
        raise DomainError(f"There are {len(examples)} examples to learn {target} from; it takes {FEWEST} or more.")
    values = {name: examples.rows[name].to_numpy(float) for name in (*columns, target)}
    missing = [name for name, numbers in values.items() if not np.isfinite(numbers).all()]
    if missing:
        raise DomainError(f"Some examples have no {', no '.join(missing)}.")
    return values
