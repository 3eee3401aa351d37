"""`make bench-monitoring`: the monitoring page, over ten million predictions and over a hundred thousand.

Two databases of their own, made anew and dropped at the end: a log of 30 days with a small and with a large number of
predictions, of six tasks with two versions each. The predictions are made by SQL, with inputs as short as can be; the
rollups by the worker's own job. Then each window is asked for in both by turns: `summary_of`, from Python and back; the
same as the JSON of the API; and the page as the admin serves it. Times, and how much more the large log takes in a
turn, are medians of TURNS: whatever else is at work on the machine is so for both.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.shops import choose, make_database

SMALL, LARGE = "bench_monitoring_small", "bench_monitoring_large"
choose(SMALL)
os.environ.setdefault("LOG_LEVEL", "WARNING")

import django

django.setup()

from django.contrib.auth import get_user_model
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from experiments.models import ModelVersion, PredictionRollup, Promotion, QualityMeasure
from experiments.monitoring import rollups, watermarks
from experiments.monitoring.rollups import rollups_update
from experiments.monitoring.summary import summary_of
from experiments.monitoring.views import SummarySerializer
from experiments.monitoring.windows import HOUR, MINUTE, WINDOWS, floor
from experiments.prediction_log import partitions_ensure
from experiments.uuid7 import EPOCH

TURNS, DAYS = 60, 30
AT_MOST_MS, AT_MOST_MORE = 500, 0.2
TASKS = ["sentiment", "recommend", "price", "entities", "summary", "image"]
UUID7 = """(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(hash, 1, 3) || 'a'
    || substr(hash, 4, 15))::uuid"""
# Evenly over the time. A version is live for half of it. Latencies are log-normal, with another mean for each task.
FILL = f"""
INSERT INTO experiments_prediction (id, task, algorithm, version, variant, method, user_id, request_id, input, output,
                                    confidence, latency_ms, status, created_at)
SELECT {UUID7}, (%(tasks)s::text[])[1 + n %% 6], 'default', CASE WHEN at < %(middle)s THEN 1 ELSE 2 END, '', '',
       n %% 100000, hash, '{{}}', '{{}}', CASE WHEN n %% 6 IN (0, 5) THEN power(random(), 0.3) END,
       exp(1 + n %% 6 + 0.6 * sqrt(-2 * ln(1 - random())) * cos(6.2832 * random())),
       CASE WHEN random() < 0.002 THEN 'error' WHEN random() < 0.01 THEN 'fallback' ELSE 'ok' END, at
FROM (SELECT n, md5(n::text) AS hash, %(start)s + interval '1 second' * ({DAYS * 86_400}
             * (n + random()) / %(count)s::float8) AS at FROM generate_series(0, %(count)s - 1) AS n) AS made
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--large", type=int, default=10_000_000)
    options = parser.parse_args()
    now = timezone.now()
    try:
        for name, count in ((SMALL, options.small), (LARGE, options.large)):
            choose(name)
            make_database(name)
            use(name)
            fill(now, count)
            roll_up(now)
        report(now)
    finally:
        for name in (SMALL, LARGE):
            drop(name)


def use(name: str) -> None:
    """Have Django talk to this database from here on, by a connection that stays."""
    if name not in _connections:
        _connections[name] = connections.create_connection("default")
        _connections[name].settings_dict = {**connection.settings_dict, "NAME": name}
    connections["default"] = _connections[name]


def fill(now: datetime, count: int) -> None:
    start = now - timedelta(days=DAYS)
    for month in (start, now):
        partitions_ensure(now=month, ahead=0)
    began = time.monotonic()
    with connection.cursor() as cursor:
        middle = now - timedelta(days=DAYS / 2)
        cursor.execute(FILL, {"tasks": TASKS, "middle": middle, "start": start, "count": count})
        cursor.execute("VACUUM (ANALYZE) experiments_prediction")
        cursor.execute(
            "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits"
            " WHERE inhparent = 'experiments_prediction'::regclass"
        )
        size = float(cursor.fetchone()[0]) / 1e9
    print(f"{count:,} predictions in {time.monotonic() - began:.0f} s, {size:.1f} GB", flush=True)
    for task in TASKS:
        made = {"task": task, "algorithm": "default", "artifact": "-", "manifest": {}, "digest": "-"}
        first = ModelVersion.objects.create(version=1, **made)
        second = ModelVersion.objects.create(version=2, live=True, **made)
        Promotion.objects.create(task=task, kind="promote", to_version=first, at=start)
        Promotion.objects.create(task=task, kind="promote", from_version=first, to_version=second, at=middle)
        of = {"task": task, "version": 2, "value": 0.5, "n": 100, "window_start": start, "window_end": now}
        QualityMeasure.objects.bulk_create(
            QualityMeasure(name=f"measure {number % 8}", made_at=now - HOUR * (number // 8), **of)
            for number in range(8 * 24)
        )


def roll_up(now: datetime) -> None:
    began = time.monotonic()
    while (watermarks.reached(rollups.NAME) or EPOCH) < floor(now, MINUTE):
        rollups_update(now=now)
    took = time.monotonic() - began
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) experiments_predictionrollup")
        cursor.execute("SELECT pg_total_relation_size('experiments_predictionrollup')")
        size = cursor.fetchone()[0] / 1e6
    rows = {grain: PredictionRollup.objects.filter(grain=grain).count() for grain in ("minute", "hour", "day")}
    began = time.monotonic()
    rollups_update(now=now)
    again = (time.monotonic() - began) * 1000
    print(f"rolled up in {took:.0f} s, and then each minute in {again:.0f} ms; {size:.0f} MB: ", end="")
    print(", ".join(f"{count:,} of a {grain}" for grain, count in rows.items()), flush=True)


def report(now: datetime) -> None:
    """Each by turns in both databases; the page is served to one of the staff."""
    head = ["window", *(f"{what} {facts}" for what in ASKED for facts in ("small", "large", "more")), "queries", "load"]
    print("\n" + "".join(f"{one:>14}" for one in head))
    clients, fine = {name: staff_of(name) for name in (SMALL, LARGE)}, True
    for window in WINDOWS:
        took = {(what, name): list[float]() for what in ASKED for name in clients}
        for turn in range(-1, TURNS):
            for what, ask in ASKED.items():
                for name, client in clients.items():
                    use(name)
                    ms = timed(ask, client, window, now)
                    if turn >= 0:  # what a new connection has to learn of the tables is not timed
                        took[what, name].append(ms)
        with CaptureQueriesContext(connection) as captured:
            shown(clients[LARGE], window, now)
        print(f"{window:>14}", end="")
        for what in ASKED:
            small, large = (statistics.median(took[what, name]) for name in clients)
            more = statistics.median(b / a - 1 for a, b in zip(took[what, SMALL], took[what, LARGE], strict=True))
            fine &= what != "page" or (max(took[what, LARGE]) < AT_MOST_MS and more < AT_MOST_MORE)
            print(f"{small:14.1f}{large:14.1f}{more:14.0%}", end="")
        print(f"{len(captured):14}{os.getloadavg()[0]:14.1f}", flush=True)
    print(
        f"\nthe page under {AT_MOST_MS} ms each time, and the same within {AT_MOST_MORE:.0%}: {'yes' if fine else 'NO'}"
    )


def staff_of(name: str) -> Client:
    """Somebody of the staff of this database, logged in."""
    use(name)
    client = Client(headers={"host": "localhost"})
    client.force_login(get_user_model().objects.create_superuser("owner", password=None))
    return client


def shown(client: Client, window: str, now: datetime) -> None:
    answer = client.get("/admin/monitoring/", {"window": window})
    assert answer.status_code == 200
    assert answer.content.count(b"<svg role") >= 2 * len(TASKS)


def as_json(client: Client, window: str, now: datetime) -> None:
    data = SummarySerializer(summary_of(window, now)).data
    assert sum(task["counts"]["predictions"] for task in data["tasks"])


def summarised(client: Client, window: str, now: datetime) -> None:
    summary_of(window, now)


def timed(ask: Callable[[Client, str, datetime], None], *given: Any) -> float:
    """In ms."""
    start = time.perf_counter()
    ask(*given)
    return (time.perf_counter() - start) * 1000


def drop(name: str) -> None:
    use("postgres")
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


_connections: dict[str, Any] = {}
ASKED = {"summary": summarised, "JSON": as_json, "page": shown}

if __name__ == "__main__":
    main()
