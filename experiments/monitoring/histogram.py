"""Histograms that can be added up: of latency in bins that grow with the value, of confidence in equal ones. Pure.

Each bin of latency is 2.4 % wider than the one before, so a quantile, which is exact to the bin, is at most 1.2 % off
whatever its size, and stays so however many histograms are added up. That is the idea of DDSketch (Masson, Rim and Lee,
2019, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees", VLDB 12); the range is
fixed here, so no bin ever has to be given up.

A histogram is stored as its bins that are not empty, each of 6 bytes, as Postgres's int2send and int4send write them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SHORTEST, LONGEST = 0.05, 60_000.0  # ms
WIDTHS = 600  # between the two
PACKED = np.dtype([("bin", ">i2"), ("count", ">i4")])


@dataclass(frozen=True)
class Bins:
    """Bin k holds the values from edge k - 1 up to and without edge k; the first and the last one all beyond."""

    edges: tuple[float, ...]

    @property
    def size(self) -> int:
        return len(self.edges) + 1

    def of(self, values: npt.ArrayLike) -> Counts:
        """The bin of each value: what `width_bucket(value, edges)` is in Postgres."""
        return np.searchsorted(self.edges, values, side="right")

    @cached_property
    def middles(self) -> Floats:
        """What stands for the values of each bin: 2lu / (l + u), whose relative error is the same at both edges l and
        u; the outermost edges for what is beyond them.
        """
        low, high = np.array(self.edges[:-1]), np.array(self.edges[1:])
        return np.concatenate([self.edges[:1], 2 * low * high / (low + high), self.edges[-1:]])


LATENCY = Bins(tuple(SHORTEST * (LONGEST / SHORTEST) ** (at / WIDTHS) for at in range(WIDTHS + 1)))
CONFIDENCE = Bins(tuple(at / 20 for at in range(1, 20)))


def packed(counts: Counts) -> bytes:
    """Of one histogram, of shape (bins,)."""
    bins = np.flatnonzero(counts)
    found = np.empty(len(bins), PACKED)
    found["bin"], found["count"] = bins, counts[bins]
    return found.tobytes()


def added(bins: Bins, histograms: Sequence[bytes | memoryview], groups: Sequence[int], count: int) -> Counts:
    """Packed histograms added up by the group of each, one of `count` numbered from 0: of shape (count, bins)."""
    lengths = [len(one) // PACKED.itemsize for one in histograms]
    found = np.frombuffer(b"".join(histograms), PACKED)
    rows = np.repeat(np.asarray(groups, np.int64), lengths)
    places = rows * bins.size + found["bin"]
    flat = np.bincount(places, weights=found["count"], minlength=count * bins.size)  # floats: exact up to 2^53
    return flat.astype(np.int64).reshape(count, bins.size)


def quantiles(counts: npt.NDArray[Any], levels: Sequence[float]) -> Floats:
    """Of latency in ms, for histograms of shape (rows, bins): of shape (rows, levels), NaN where a row is empty.

    The quantile of n values is the one in place floor(level (n - 1)) when they are sorted, counted from 0, as in
    DDSketch: what numpy calls the method `lower`.
    """
    reached = counts.cumsum(axis=1)
    total = reached[:, -1]
    found = np.full((len(counts), len(levels)), np.nan)
    for at, level in enumerate(levels):
        rank = np.floor(level * (total - 1))
        place = (reached <= rank[:, None]).sum(axis=1)
        found[:, at] = np.where(total > 0, LATENCY.middles[np.minimum(place, LATENCY.size - 1)], np.nan)
    return found
