"""The figures of one version, or of a whole task, from the rollups of a span. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.monitoring.histogram import CONFIDENCE, LATENCY, Floats, added, quantiles
from experiments.monitoring.report import Counts, LatencyFigures, OverTime
from experiments.monitoring.windows import Span

LEVELS = (0.5, 0.95, 0.99)


@dataclass(frozen=True)
class Rollup:
    """One row, without what it is of. Its `place` is that of a bucket of the span."""

    place: int
    ok: int
    fallbacks: int
    errors: int
    latency_ms: float
    latency: bytes
    confidence: bytes


def counts_of(rows: Iterable[Rollup], minutes: float) -> Counts:
    ok = fallbacks = errors = 0
    for row in rows:
        ok, fallbacks, errors = ok + row.ok, fallbacks + row.fallbacks, errors + row.errors
    total = ok + fallbacks + errors
    return Counts(
        predictions=total, ok=ok, fallbacks=fallbacks, errors=errors, per_minute=_ratio(total, minutes),
        error_rate=_ratio(errors, ok + errors), fallback_rate=_ratio(fallbacks, ok + fallbacks),
    )  # fmt: skip


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def figures_of(rows: Sequence[Rollup], span: Span) -> tuple[LatencyFigures, list[int], OverTime]:
    """The latency, the confidence (a count a bin) and what each bucket had."""
    places, size = [row.place for row in rows], len(span.buckets)
    latency = added(LATENCY, [row.latency for row in rows], places, size)
    confidence = added(CONFIDENCE, [row.confidence for row in rows], [0] * len(rows), 1)
    overall, ms = quantiles(latency.sum(axis=0)[None], LEVELS)[0], sum(row.latency_ms for row in rows)
    ok, fallbacks, errors = (
        np.bincount(places, [getattr(row, name) for row in rows], size).astype(int)
        for name in ("ok", "fallbacks", "errors")
    )
    by_bucket = [_known(one) for one in quantiles(latency, LEVELS).T]
    over_time = OverTime((ok + fallbacks + errors).tolist(), fallbacks.tolist(), errors.tolist(), *by_bucket)
    return LatencyFigures(_ratio(ms, float(ok.sum())), *_known(overall)), confidence[0].tolist(), over_time


def _known(values: Floats) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]
