"""`make bench-experiments`: the results of an A/B test with a million exposures and three million outcomes.

All rows are made by SQL, in a database of its own that is made anew and dropped at the end: users who come over two
weeks, and outcomes of every kind before and after that. Then the log has a prediction of each user too. Times are
medians of FIVE, from Python and back, with the settings of the project's own Postgres. One test in two variants,
judged by its primary metric, two secondary ones and two guardrails.
"""

import argparse
import os
import statistics
import sys
import time
import timeit
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.shops import choose, make_database

NAME = "bench_experiments"
choose(NAME)

import django

django.setup()

from django.db import connection
from django.utils import timezone

from experiments.assignment import Person, Rules
from experiments.models import ABTest
from experiments.prediction_log import partitions_ensure
from experiments.results.aggregates import outcome_sums, users_by_day
from experiments.results.answers import answer_sums, answered
from experiments.results.metrics import METRICS
from experiments.results.scope import scope_of, snapshot
from experiments.results.summary import results_of

FIVE, DAYS, PRODUCTS = 5, 14, 5_000
UUID7 = """(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(hash, 1, 3) || 'a'
    || substr(hash, 4, 15))::uuid"""
FILL = [
    f"""
CREATE UNLOGGED TABLE came AS
SELECT user_id, at, variant, {UUID7} AS prediction_id
FROM (SELECT user_id, now() - random() * interval '{DAYS} days' AS at, md5(user_id::text) AS hash,
             (ARRAY[%(control)s, %(new)s])[1 + (random() < 0.5)::int] AS variant
      FROM generate_series(1, %(exposures)s) AS user_id) AS a ORDER BY at
""",
    """
INSERT INTO experiments_exposure (test_id, variant_id, user_id, prediction_id, created_at)
SELECT %(test)s, variant, user_id, prediction_id, at FROM came ORDER BY at
""",
    f"""
INSERT INTO experiments_outcome (kind, subject, value, user_id, prediction_id, created_at)
SELECT kind, 'product:' || CASE WHEN random() < 0.3 THEN (user_id %% 1000 * 7 + 1 + (9 * random())::int) %% {PRODUCTS}
                                ELSE (random() * {PRODUCTS})::int END,
       CASE kind WHEN 'purchase' THEN to_jsonb(round((5 * exp(3 * random()))::numeric, 2))
                 WHEN 'rating' THEN to_jsonb((1 + (9 * random())::int) / 2.0) ELSE '1' END,
       user_id, CASE WHEN made > at AND kind <> 'rating' AND random() < 0.6 THEN prediction_id END, made
FROM (SELECT came.*, CASE WHEN random() < 0.45 THEN 'view' WHEN random() < 0.55 THEN 'click'
                          WHEN random() < 0.5 THEN 'cart' WHEN random() < 0.4 THEN 'purchase' ELSE 'rating' END AS kind,
             CASE WHEN random() < 0.75 THEN at + random() ^ 2 * interval '10 days'
                  ELSE at - random() * interval '9 days' END AS made
      FROM came, generate_series(1, %(each)s)) AS a
ORDER BY made
""",
]
LOG = [
    f"""
CREATE UNLOGGED TABLE shown AS
SELECT number, jsonb_build_object('method', 'hybrid', 'products', jsonb_agg(jsonb_build_object(
    'product', (number * 7 + place) %% {PRODUCTS}, 'score', 0.123 * place, 'predicted_rating', 4.1, 'similarity', 0.2,
    'because', 17, 'reason', 'collaborative'))) AS output
FROM generate_series(0, 999) AS number, generate_series(1, 10) AS place GROUP BY number
""",
    """
INSERT INTO experiments_prediction (id, task, algorithm, version, variant, method, user_id, request_id, input, output,
                                    latency_ms, status, created_at)
SELECT prediction_id, 'recommend', 'hybrid', 1, CASE variant WHEN %(control)s THEN 'control' ELSE 'new' END, 'hybrid',
       user_id, md5(user_id::text), '{"n": 10}', output, exp(1 + 2 * random()),
       CASE WHEN random() < 0.002 THEN 'error' WHEN random() < 0.01 THEN 'fallback' ELSE 'ok' END, at
FROM came JOIN shown ON number = user_id %% 1000 ORDER BY at
""",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exposures", type=int, default=1_000_000)
    parser.add_argument("--outcomes", type=int, default=3_000_000)
    options = parser.parse_args()
    make_database(NAME)
    try:
        test = made_test()
        facts = {one.name: one.pk for one in test.variants.all()} | {
            "test": test.pk, "exposures": options.exposures, "each": options.outcomes // options.exposures
        }  # fmt: skip
        fill(FILL, facts)
        report_outcomes(test)
        fill(LOG, facts)
        report_predictions(test)
    finally:
        drop()
    rules = Rules(
        salt="a salt", traffic=1.0, audience="customers", signed_up_before=timezone.now(), variants=(1, 2),
        weights=(1, 1),
    )  # fmt: skip
    person = Person(12_345, False, timezone.now() - timedelta(days=1))
    seconds = min(timeit.repeat(partial(rules.variant_of, person, None), number=100_000, repeat=FIVE))
    print(f"assignment {seconds * 10:.1f} µs (at most 5)")


def made_test() -> ABTest:
    start = timezone.now() - timedelta(days=DAYS)
    test = ABTest.objects.create(
        name="which is better", task="recommend", state="running", started_at=start, planned_users=1_000,
        secondary_metrics=["purchase_rate", "revenue_per_user"],
        guardrails=[{"metric": "latency_p95", "bound": 0.1}, {"metric": "error_rate", "bound": 0.01}],
    )  # fmt: skip
    for name in ("control", "new"):
        test.variants.create(name=name)
    partitions_ensure(now=start)
    return test


def fill(statements: list[str], facts: dict[str, Any]) -> None:
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SET work_mem = '256MB'; SET session_replication_role = replica")  # no look at foreign keys
        for sql in statements:
            cursor.execute(sql, facts)
        cursor.execute("RESET ALL")
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("SELECT current_setting('fsync'), current_setting('shared_buffers')")
        print("filled in {:.0f} s; fsync {}, shared_buffers {}".format(time.monotonic() - began, *cursor.fetchone()))


def report_outcomes(test: ABTest) -> None:
    print(f"\n{'':24}{'seconds':>9}{'queries':>9}{'rows to Python':>16}", flush=True)
    scope = scope_of(test, timezone.now())
    with snapshot():
        users = users_by_day(scope)
        show("users by day", partial(users_by_day, scope))
        for metric in METRICS.values():
            if metric.source == "outcomes":
                show(metric.name, partial(outcome_sums, scope, [metric], users))
    took = show("results", partial(results_of, test=test))
    print(f"\nresults, with nothing in the log of predictions: {took:.3f} s (at most 2)\n", flush=True)


def report_predictions(test: ABTest) -> None:
    print(f"\n{'':24}{'seconds':>9}{'queries':>9}{'rows to Python':>16}", flush=True)
    scope = scope_of(test, timezone.now())
    with snapshot():
        users, found = users_by_day(scope), answered(scope)
        show("latency by variant", partial(answered, scope))
        for metric in METRICS.values():
            if metric.source == "predictions":
                show(metric.name, partial(answer_sums, scope, [metric], found))
            elif metric.source != "outcomes":
                show(metric.name, partial(outcome_sums, scope, [metric], users))
    took = show("results", partial(results_of, test=test))
    said = results_of(test=test).verdict
    print(f"\nresults, with a prediction of each user: {took:.3f} s\n{said.word}: {said.reason}\n", flush=True)


def show(name: str, call: Callable[[], Any]) -> float:
    """A line with the median time; none but sums may come to Python."""
    rows: list[int] = []

    def counted(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        done = execute(sql, params, many, context)
        rows.append(max(context["cursor"].cursor.rowcount, 0))
        return done

    times = []
    for _ in range(FIVE):
        rows.clear()
        start = time.perf_counter()
        with connection.execute_wrapper(counted):
            call()
        times.append(time.perf_counter() - start)
    median = statistics.median(times)
    load = os.getloadavg()[0]
    print(f"{name:24}{median:9.3f}{len(rows):9}{sum(rows):16}   load {load:.1f}", flush=True)
    assert sum(rows) < 1_000, "rows of users came to Python"
    return median


def drop() -> None:
    connection.close()
    with connection._nodb_cursor() as cursor:  # noqa: SLF001  (Django's own way to a server without the database)
        cursor.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


if __name__ == "__main__":
    main()
