"""What a running test's variants answered in the last minutes: what its guardrails act on."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from experiments.models import ABTest
from experiments.results.answers import Answered, answered
from experiments.results.metrics import METRICS
from experiments.results.scope import PREDICTIONS, scope_of
from experiments.statistics.guardrail import Known, share

WINDOW = timedelta(minutes=5)
FEWEST = 30  # answers of a variant: of fewer, one customer who tries again and again could be most
STATUSES = f"SELECT p.variant, p.status, count(*) FROM {PREDICTIONS} AS p WHERE {{tested}} GROUP BY 1, 2"
RATES = {"error_rate": "error", "fallback_rate": "fallback"}
LEVELS = {name: metric.level for name, metric in METRICS.items() if metric.level}
ACTED_ON = {*RATES, *LEVELS}


def lately(test: ABTest, now: datetime) -> dict[str, dict[str, Known]]:
    """The metrics that are ACTED_ON, by variant, the control first. What too few answers say is left out, and so is
    what was answered before the test was last started.
    """
    scope = scope_of(test, now)
    started, _ = scope.spans[-1]
    scope = replace(scope, spans=[(max(started, now - WINDOW), now)])
    counts = {(variant, status): count for variant, status, count in scope.ask(STATUSES)}
    found = answered(scope)
    return {name: _rates(name, counts) | _quantiles(found.get(name)) for name in scope.names.values()}


def _rates(variant: str, counts: Mapping[tuple[str, str], int]) -> dict[str, Known]:
    """A failure and what stood in for it are two answers: each rate leaves the other's out."""
    ok = counts.get((variant, "ok"), 0)
    bad = {metric: counts.get((variant, status), 0) for metric, status in RATES.items()}
    return {metric: share(count, ok + count) for metric, count in bad.items() if ok + count >= FEWEST}


def _quantiles(found: Answered | None) -> dict[str, Known]:
    if not found or found.count < FEWEST:
        return {}
    known = {metric: found.quantiles[level] for metric, level in LEVELS.items()}
    return {
        metric: Known(one.value, one.low, one.high)
        for metric, one in known.items()
        if one.low is not None and one.high is not None
    }
