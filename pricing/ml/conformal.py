"""How far off a model may be: an interval that holds a stated share of all truths, whatever their distribution.

Each example that a model did not learn from has a score: how many of its own scales the truth lay from the centre
(locally weighted split conformal: Lei and others, "Distribution-Free Predictive Inference for Regression", 2018). The
interval reaches from one quantile of the scores to another, and each end keeps its own share of misses (as in theorem 2
of Romano, Patterson and Candès, "Conformalized Quantile Regression", 2019). Where several models that each learned from
all parts but one answer together, scores are of those that left the example out (cross-conformal: Vovk, 2015; Barber
and others, "Predictive inference with the jackknife+", 2021): there the share is not proven but measured.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

LEAST, MOST, USUAL = 0.5, 0.99, 0.9
STEPS = 100  # to 1
COVERAGES = tuple(place / STEPS for place in range(round(LEAST * STEPS), round(MOST * STEPS) + 1))


@dataclass(frozen=True)
class Intervals:
    """The scores at which intervals of each of COVERAGES end; between two of them by a straight line."""

    lower: tuple[float, ...]  # 0 or less
    upper: tuple[float, ...]  # 0 or more

    @classmethod
    def of(cls, scores: np.ndarray, *, below: float) -> Self:
        """`scores` has the shape (rows,), in scales; `below` is the share of all misses that may lie under an interval.
        With too few scores for a coverage, the outermost one is what there is.
        """
        ordered = np.sort(scores).tolist()
        lower = [-_upper([-one for one in reversed(ordered)], 1 - below * (1 - coverage)) for coverage in COVERAGES]
        upper = [_upper(ordered, 1 - (1 - below) * (1 - coverage)) for coverage in COVERAGES]
        return cls(tuple(min(one, 0.0) for one in lower), tuple(max(one, 0.0) for one in upper))

    def at(self, coverage: float) -> tuple[float, float]:
        """From LEAST to MOST."""
        place = (coverage - LEAST) * STEPS
        left = min(int(place), len(COVERAGES) - 2)
        lower, upper = (
            ends[left] + (ends[left + 1] - ends[left]) * (place - left) for ends in (self.lower, self.upper)
        )
        return lower, upper

    def to_dict(self) -> dict[str, Any]:
        return {"coverages": list(COVERAGES), "usual": USUAL, "lower": list(self.lower), "upper": list(self.upper)}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Self:
        return cls(tuple(kept["lower"]), tuple(kept["upper"]))


def _upper(ordered: Sequence[float], share: float) -> float:
    """The ceil((n + 1) share)-th of n ascending scores: one more score is at most that with this chance or more."""
    place = math.ceil((len(ordered) + 1) * share - 1e-9)
    return ordered[min(place, len(ordered)) - 1]
