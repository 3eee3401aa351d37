"""What a room says of a task so that the quality of its answers can be measured, and estimated before truths come.

A room has one `Quality` in its `quality.py` under the name of the task (a `-` is a `_` there). See
docs/monitoring.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.errors import Invalid

if TYPE_CHECKING:
    import pandas as pd

ESTIMATED = "estimated_"  # before the name of a figure, where both it and what is measured are named


@dataclass(frozen=True)
class Estimate:
    """The interval holds what the truths will say with the chance of 95 %, where they are as in the reference."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Known:
    """Answers with their truths: `facts` of the shape (rows, columns), `truth` of the shape (rows,)."""

    facts: np.ndarray
    truth: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Quality:
    """How the answers of a task are held against the truth.

    `outcomes` are the kinds of the outcomes that tell it of a prediction, and `truth` makes it of an outcome's value:
    None where that is none. `asked` makes inputs and truths of rows of the task's examples. `facts` are the numbers
    that count, of an input and an output as the log has them; which ones, `estimate` says, which learns from a
    reference and gives figures by their `names`. `measure` gives the same figures where truths are known.
    """

    names: tuple[str, ...]
    outcomes: tuple[str, ...]
    truth: Callable[[Any], float | None]
    asked: Callable[["pd.DataFrame"], tuple[Sequence[Any], np.ndarray]]
    facts: Callable[[Mapping[str, Any], Mapping[str, Any]], Sequence[float]]
    estimate: Callable[[Known, np.ndarray], dict[str, Estimate]]
    measure: Callable[[Known], dict[str, float]]


def assert_numbers(name: str, values: np.ndarray) -> None:
    """Raises Invalid where there is no row, or a number is not finite."""
    if not values.size or not np.isfinite(values).all():
        raise Invalid(name, f"{name}: expected finite numbers, one row or more.")
