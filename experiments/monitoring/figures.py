"""The figures of one version, or of a whole task, from the rollups of a span. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.monitoring.histogram import CONFIDENCE, LATENCY, added, quantiles
from experiments.monitoring.report import Counts, Latency, OverTime
from experiments.monitoring.windows import Span

LEVELS = (0.5, 0.95, 0.99)


@dataclass(frozen=True)
class Rollup:
    """One row, without what it is of. Its `place` is that of a bucket of the span."""

    place: int
    status: str
    count: int
    latency_ms: float
    latency: bytes
    confidence: bytes


def counts_of(rows: Iterable[Rollup], minutes: float) -> Counts:
    of = Counter[str]()
    for row in rows:
        of[row.status] += row.count
    ok, fallbacks, errors, total = of["ok"], of["fallback"], of["error"], of.total()
    return Counts(
        predictions=total, ok=ok, fallbacks=fallbacks, errors=errors, per_minute=total / minutes if minutes else None,
        error_rate=_share(errors, ok + errors), fallback_rate=_share(fallbacks, ok + fallbacks),
    )  # fmt: skip


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def figures_of(rows: Sequence[Rollup], span: Span) -> tuple[Latency, list[int], OverTime]:
    """The latency, the confidence (a count a bin) and what each bucket had."""
    answered, size = [row for row in rows if row.status == "ok"], len(span.buckets)
    latency = added(LATENCY, [row.latency for row in answered], [row.place for row in answered], size)
    confidence = added(CONFIDENCE, [row.confidence for row in answered], [0] * len(answered), 1)
    overall, count = quantiles(latency.sum(axis=0)[None], LEVELS)[0], int(latency.sum())
    mean = sum(row.latency_ms for row in answered) / count if count else None
    by_bucket = quantiles(latency, LEVELS)
    over_time = OverTime(
        _per_bucket(rows, size), _per_bucket([row for row in rows if row.status == "fallback"], size),
        _per_bucket([row for row in rows if row.status == "error"], size), *(_known(one) for one in by_bucket.T),
    )  # fmt: skip
    return Latency(mean, *_known(overall)), confidence[0].tolist(), over_time


def _per_bucket(rows: Sequence[Rollup], size: int) -> list[int]:
    found = np.zeros(size, np.int64)
    np.add.at(found, [row.place for row in rows], [row.count for row in rows])
    return found.tolist()


def _known(values: Any) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]
