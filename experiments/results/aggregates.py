"""A test's exposures and outcomes as sums over users, by variant: one pass of SQL over each kind of rows, and no row of
a user comes to Python.

The rows of each user are added up first, then the users. Of outcomes those count that came in the window from the
exposure on; those of as long before it are x, what CUPED adjusts for, and never an effect.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from experiments.models import Outcome
from experiments.results.metrics import Metric
from experiments.results.scope import PREDICTIONS, Scope
from experiments.statistics.arms import Sums

DAY = "date_bin('1 day', at, '2000-01-01 00:00+00')"
OUTCOMES = f"""
SELECT e.user_id, e.variant_id, e.at, o.id, o.subject, o.prediction_id, o.created_at AS made,
       CASE WHEN jsonb_typeof(o.value) = 'number' THEN o.value::float8 END AS worth,
       o.created_at >= e.at AND o.created_at < e.at + %(window)s::interval AS after,
       o.created_at < e.at AND o.created_at >= e.at - %(window)s::interval AS before
FROM ({{exposed}}) AS e JOIN {Outcome._meta.db_table} AS o ON o.user_id = e.user_id
WHERE o.kind IN %(kinds)s AND o.created_at >= %(since)s AND o.created_at <= %(until)s AND o.user_id {{half}}
"""
SOURCES = {
    "outcomes": OUTCOMES,
    "led": f"""
SELECT o.* FROM ({OUTCOMES}) AS o JOIN {PREDICTIONS} AS p ON p.id = o.prediction_id
WHERE o.after AND p.user_id = o.user_id AND {{tested}}
""",
    "recommended": f"""
SELECT DISTINCT ON (o.user_id, o.subject) o.* FROM ({OUTCOMES}) AS o
WHERE o.after AND EXISTS (
    SELECT FROM {PREDICTIONS} AS p, jsonb_path_query(p.output, '$.products[*].product') AS product
    WHERE p.user_id = o.user_id AND p.created_at <= o.made AND 'product:' || product::text = o.subject AND {{tested}}
)
ORDER BY o.user_id, o.subject, o.id DESC
""",  # who rates a product again has changed their mind: the last one counts
}
SUMS = "sum({y}), sum({y} * {y}), sum({x}), sum({x} * {x}), sum({x} * {y})"
Cell = tuple[str, date]  # variant and day of exposure


def users_by_day(scope: Scope) -> dict[Cell, int]:
    """How many were exposed, by variant and day (UTC)."""
    rows = scope.ask(f"SELECT variant_id, {DAY}, count(*) FROM ({scope.halves('{exposed}')}) AS e GROUP BY 1, 2")
    return {(scope.names[variant], day.date()): count for variant, day, count in rows}


def users_between(scope: Scope, moments: Sequence[datetime]) -> dict[int, int]:
    """How many were exposed before the first of these moments (0), before the second one (1), and so on."""
    bucket = "width_bucket(at, %(moments)s::timestamptz[])"
    sql = f"SELECT {bucket}, count(*) FROM ({scope.halves('{exposed}')}) AS e GROUP BY 1"
    return dict(scope.ask(sql, moments=list(moments)))


def outcome_sums(scope: Scope, metrics: Sequence[Metric], users: Mapping[Cell, int]) -> dict[str, dict[Cell, Sums]]:
    """The sums of metrics that have the source and the outcomes in common, over these `users`."""
    rows = scope.ask(_summed(scope, metrics), kinds=metrics[0].outcomes)
    found = {(scope.names[variant], day.date()): sums for variant, day, *sums in rows}
    nothing = [0.0] * 5 * len(metrics)  # of users without any such outcome
    return {
        metric.name: {cell: Sums(n, *found.get(cell, nothing)[5 * at : 5 * at + 5]) for cell, n in users.items()}
        for at, metric in enumerate(metrics)
    }


def _summed(scope: Scope, metrics: Sequence[Metric]) -> str:
    """First a row a user, then one a variant and day."""
    columns, caps, sums = ["max(variant_id) AS variant_id", "max(at) AS at"], [], []
    for at, metric in enumerate(metrics):
        columns += [f"{metric.y()} AS y{at}", f"{metric.x()} AS x{at}"]
        pair = {"y": f"y{at}", "x": f"x{at}"}
        if metric.winsorised:
            order = f"WITHIN GROUP (ORDER BY y{at}) FILTER (WHERE y{at} > 0)"
            caps.append(f"percentile_cont({metric.winsorised}) {order} AS cap{at}")
            pair = {name: f"least({one}, cap{at})" for name, one in pair.items()}
        sums.append(SUMS.format(**pair))
    users = scope.halves(f"SELECT {', '.join(columns)} FROM ({SOURCES[metrics[0].source]}) AS rows GROUP BY user_id")
    capped = f", caps AS (SELECT {', '.join(caps)} FROM users)" if caps else ""
    return f"""
WITH users AS ({users}){capped}
SELECT variant_id, {DAY}, {", ".join(sums)} FROM users{", caps" if caps else ""} GROUP BY 1, 2
"""
