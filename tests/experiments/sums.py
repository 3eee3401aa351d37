"""Rows of users to sums, as the SQL would, for the tests of the statistics."""

import numpy as np
from numpy.typing import ArrayLike

from experiments.statistics.arms import Sums


def sums(metric: ArrayLike, other: ArrayLike = 0.0) -> Sums:
    y, x = np.broadcast_arrays(np.asarray(metric, float), np.asarray(other, float))
    return Sums(len(y), *(float(column.sum()) for column in (y, y * y, x, x * x, x * y)))


def shares(successes: int, users: int) -> Sums:
    return Sums(users, successes, successes)
