"""A test's predictions as counts, quantiles and sums over users, by variant: how fast each answers, and how often it
fails or something else answers instead. The log names the variant, so users whom it never answered, who are in no
exposure, count as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.results.aggregates import SUMS
from experiments.results.figures import added
from experiments.results.metrics import Metric
from experiments.results.scope import PREDICTIONS, Scope
from experiments.statistics.arms import Z_95, Sums, quantile_levels

LEVELS = (0.5, 0.95)
SIDES = (0.0, -Z_95, Z_95)  # a level itself, and those that its quantile is sure to lie between
# Of one variant: its answers, and their latency at each level and at both of its quantile_levels, interpolated as by
# percentile_cont. That would need the levels beforehand, so another pass to count the answers. A sort of all is quicker
# than a histogram, which takes two passes to be exact. It holds 16 bytes an answer.
ANSWERS = f"""
SELECT {{place}}, answers, level, side,
       sorted[floor(at) + 1] + (at - floor(at)) * (sorted[ceil(at) + 1] - sorted[floor(at) + 1])
FROM (
    SELECT count(*) AS answers, array_agg(p.latency_ms ORDER BY p.latency_ms) AS sorted
    FROM {PREDICTIONS} AS p WHERE p.variant = %(name{{place}})s AND p.status = 'ok' AND {{tested}}
) AS latencies, unnest(%(levels)s::float8[]) AS level, unnest(%(sides)s::float8[]) AS side,
LATERAL (SELECT (level + side * sqrt(level * (1 - level) / answers)) * (answers - 1) AS at) AS places
WHERE answers > 0
"""


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
    names = list(scope.names.values())
    each = (ANSWERS.replace("{place}", str(place)) for place in range(len(names)))
    rows = scope.ask(" UNION ALL ".join(each), levels=list(LEVELS), sides=list(SIDES))
    latency = {(names[place], level, side): value for place, _, level, side, value in rows}
    return {
        name: Answered(
            count, {level: _quantile(level, count, *(latency[name, level, side] for side in SIDES)) for level in LEVELS}
        )
        for name, count in {names[place]: count for place, count, *_ in rows}.items()
    }


def _quantile(level: float, count: int, value: float, *between: Any) -> Quantile:
    return Quantile(value, *(between if quantile_levels(level, count) else (None, None)))


def answer_sums(
    scope: Scope, metrics: Sequence[Metric], found: Mapping[str, Answered]
) -> tuple[dict[str, dict[str, Sums]], int]:
    """The sums of each metric by variant, and how many users several variants answered. y is how many of a user's
    predictions the metric counts, x out of how many. Users with predictions of several variants are in no sums. `found`
    is of the same scope.
    """
    alone = {1 << place: name for place, name in enumerate(scope.names.values())}
    bits = 1 << len(alone)  # a bit for each variant that was asked, and above them one for each that answered
    met = (f"CASE status WHEN 'ok' THEN {one * bits + one} ELSE {one} END" for one in alone)
    columns = [f"bit_or(({_by_variant(scope, met)})::bigint) AS variants"]
    values: dict[str, float | None] = {}
    for at, metric in enumerate(metrics):
        limits = {
            f"limit{at}_{place}": found[name].quantiles[metric.level].value if metric.level and name in found else None
            for place, name in enumerate(alone.values())
        }
        limit = _by_variant(scope, (f"%({one})s::float8" for one in limits))
        columns += [f"{metric.y().replace('{limit}', limit)} AS y{at}", f"{metric.x()} AS x{at}"]
        values |= limits
    rows_of = "p.user_id {half} AND {tested}"
    by_user = scope.halves(f"SELECT {', '.join(columns)} FROM {PREDICTIONS} AS p WHERE {rows_of} GROUP BY p.user_id")
    sums = ["variants", "count(*)", *(SUMS.format(y=f"y{at}", x=f"x{at}") for at in range(len(metrics)))]
    rows = scope.ask(f"SELECT {', '.join(sums)} FROM ({by_user}) AS users GROUP BY 1", **values)
    users_of = {name: [one for variants, *one in rows if variants % bits == bit] for bit, name in alone.items()}
    by_name = {
        metric.name: {
            name: added(Sums(n, *each[5 * at :][:5]) for n, *each in users) for name, users in users_of.items() if users
        }
        for at, metric in enumerate(metrics)
    }
    return by_name, sum(n for variants, n, *_ in rows if variants // bits and variants // bits not in alone)


def _by_variant(scope: Scope, then: Iterable[str]) -> str:
    cases = (f"WHEN %(name{place})s THEN {one}" for place, one in zip(range(len(scope.names)), then, strict=True))
    return f"CASE variant {' '.join(cases)} END"
