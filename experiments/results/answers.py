"""A test's predictions as counts, quantiles and sums over users, by variant: how fast each answers, and how often it
fails or something else answers instead. The log names the variant, so users whom it never answered, who are in no
exposure, count as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from experiments.results.aggregates import SUMS
from experiments.results.figures import added
from experiments.results.metrics import Metric
from experiments.results.scope import PREDICTIONS, TESTED, Scope, halves
from experiments.statistics.arms import Sums, quantile_levels

LEVELS = (0.5, 0.95)
ANSWERS = f"FROM {PREDICTIONS} AS p WHERE {TESTED} AND p.status = 'ok'"


@dataclass(frozen=True)
class Quantile:
    """Of latency, in ms, and between which two the true one lies: None where there are too few predictions."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Answered:
    """How many answers a variant gave, and the quantiles of their latency by level."""

    count: int
    quantiles: Mapping[float, Quantile]


def answered(scope: Scope) -> dict[str, Answered]:
    """Of each variant that answered."""
    counts = dict(scope.ask(f"SELECT p.variant, count(*) {ANSWERS} GROUP BY 1"))
    if not counts:
        return {}
    names = {place: name for place, name in enumerate(scope.names.values()) if name in counts}
    levels = {f"levels{place}": _levels(counts[name]) for place, name in names.items()}
    each = (
        f"SELECT {place}, percentile_cont(%(levels{place})s::float8[]) WITHIN GROUP (ORDER BY p.latency_ms) {ANSWERS}"
        f" AND p.variant = %(name{place})s"
        for place in names
    )
    return {
        names[place]: Answered(
            counts[names[place]], {level: Quantile(*values[3 * at :][:3]) for at, level in enumerate(LEVELS)}
        )
        for place, values in scope.ask(" UNION ALL ".join(each), **levels)
    }


def answer_sums(
    scope: Scope, metrics: Sequence[Metric], found: Mapping[str, Answered]
) -> tuple[dict[str, dict[str, Sums]], int]:
    """The sums of each metric by variant, and how many users several variants answered. y is how many of a user's
    predictions the metric counts, x out of how many. Users with predictions of several variants are in no sums. `found`
    is of the same scope.
    """
    alone = {1 << place: name for place, name in enumerate(scope.names.values())}
    variants = f"bit_or({_by_variant(scope, map(str, alone))}::bigint)"
    columns = [f"{variants} AS variants", f"{variants} FILTER (WHERE status = 'ok') AS answered"]
    values: dict[str, float | None] = {}
    for at, metric in enumerate(metrics):
        limits = {
            f"limit{at}_{place}": found[name].quantiles[metric.level].value if metric.level and name in found else None
            for place, name in enumerate(alone.values())
        }
        limit = _by_variant(scope, (f"%({one})s::float8" for one in limits))
        columns += [f"{metric.y().replace('{limit}', limit)} AS y{at}", f"{metric.x()} AS x{at}"]
        values |= limits
    users = (
        f"SELECT {', '.join(columns)} FROM {PREDICTIONS} AS p WHERE p.user_id {{half}} AND {TESTED} GROUP BY p.user_id"
    )
    sums = ["variants", "answered", "count(*)", *(SUMS.format(y=f"y{at}", x=f"x{at}") for at in range(len(metrics)))]
    rows = scope.ask(f"SELECT {', '.join(sums)} FROM ({halves(users)}) AS users GROUP BY 1, 2", **values)
    seen = {alone[of] for of, *_ in rows if of in alone}
    by_name = {
        metric.name: {
            name: added(Sums(n, *each[5 * at :][:5]) for of, _, n, *each in rows if alone.get(of) == name)
            for name in seen
        }
        for at, metric in enumerate(metrics)
    }
    return by_name, sum(n for _, answered, n, *_ in rows if answered and answered not in alone)


def _by_variant(scope: Scope, then: Iterable[str]) -> str:
    cases = (f"WHEN %(name{place})s THEN {one}" for place, one in zip(range(len(scope.names)), then, strict=True))
    return f"CASE variant {' '.join(cases)} END"


def _levels(count: int) -> list[float | None]:
    """Each level, and those that its quantile is sure to lie between."""
    return [one for level in LEVELS for one in (level, *(quantile_levels(level, count) or (None, None)))]
