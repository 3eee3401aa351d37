"""`make measure-alarms`: a bad version goes live under load. How soon is it noticed and taken back, and who suffers?

On a database of its own the real `manage.py web` and `manage.py worker` run, and clients ask for sentiment and post
reviews with stars all the time. A version whose answers take ten times as long is put live, later one that says the
opposite of what it should. The rules are those that a shop begins with; of two of them the action is set to roll back,
with a cool-down of a minute so that there can be two in one run.
"""

import argparse
import http.client
import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.shops import choose, make_database

NAME = "bench_alarms"
os.environ |= {"DJANGO_SETTINGS_MODULE": "benchmarks.injected.settings", "LOG_LEVEL": "WARNING"}
choose(NAME)

import django

django.setup()

from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone
from rest_framework_simplejwt.tokens import RefreshToken

from benchmarks.servers import MANAGE, free_port, server
from experiments.alarms.readings import figure_of
from experiments.log_sample import Window
from experiments.models import Alarm, AlarmRule, Prediction, Promotion
from experiments.prediction_log import partitions_ensure
from experiments.registry import version_promote, version_train
from reviews.models import Product, Review

AT_MOST_S = 60
GIVEN_UP_S = 300
USERS, PRODUCTS = 50, 400
TEXTS = [("I love it, lovely soft fabric and a great fit", 5), ("I hate it, terrible fabric and a poor fit", 1),
         ("Great value, very happy", 5), ("Poor value, very sad", 1)]  # fmt: skip
TIMES = 10  # as long


@dataclass
class Client:
    """Asks and reviews in turn, no pair of a user and a product twice, and notes when what failed."""

    port: int
    pairs: Iterator[tuple[str, int]]
    answered: list[float] = field(default_factory=list)
    failed: list[tuple[float, object]] = field(default_factory=list)

    def run(self, stop: threading.Event, pause: float) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        for turn in itertools.count():
            if stop.wait(pause):
                return
            token, product = next(self.pairs)
            text, stars = TEXTS[turn // 2 % len(TEXTS)]
            path, body = f"reviews/{product}/sentiment/", {"text": text, "rating": stars}
            if turn % 2:
                path, body = "predict/sentiment/", {"text": text}
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
            try:
                connection.request("POST", f"/api/v1/{path}", json.dumps(body), headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                self.failed.append((time.time(), error))
                continue
            if answer.status in (200, 201):
                self.answered.append(time.time())
            else:
                self.failed.append((time.time(), answer.status))


@dataclass(frozen=True)
class Row:
    what: str
    rule: str
    alarm_s: float
    rollback_s: float
    bad: int
    sent: int
    failed: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--pause", type=float, default=0.05, help="seconds between two requests of a client")
    parser.add_argument("--turns", type=int, default=1, help="how often both versions go live")
    options = parser.parse_args()
    make_database(NAME)
    try:
        rows = measured(options)
    finally:
        connection.close()
        with connection._nodb_cursor() as cursor:  # noqa: SLF001  (Django's own way to a server without the database)
            cursor.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
    report(rows)


def measured(options: argparse.Namespace) -> list[Row]:
    fill()
    port, stop = free_port(), threading.Event()
    clients = [Client(port, pairs(number)) for number in range(options.clients)]
    threads = [threading.Thread(target=one.run, args=[stop, options.pause], daemon=True) for one in clients]
    web = [*MANAGE, "web", "--workers", "2", "--port", str(port)]
    worker_port = free_port()
    worker = [*MANAGE, "worker", "--metrics-port", str(worker_port)]
    with (
        server(web, f"http://127.0.0.1:{port}/healthz", THROTTLE_USER="100000000/min"),
        server(worker, f"http://127.0.0.1:{worker_port}/metrics"),
    ):
        for thread in threads:
            thread.start()
        rows = []
        for _ in range(options.turns):
            wait(130, "usual traffic")
            now = timezone.now()
            usual = figure_of("latency_p95", "sentiment", Window(now - timedelta(minutes=10), now))
            assert usual
            print(f"95 % of the answers took {usual.value:.1f} ms at most, of {usual.n:,}", flush=True)
            seconds = (TIMES - 1) * usual.value / 1000
            rows.append(injected(f"latency x {TIMES}", "slow", "Slow", clients, {"seconds": seconds}))
            wait(130, "usual traffic again")
            rows.append(injected("wrong answers", "wrong", "Wrong", clients, {}))
        stop.set()
        for thread in threads:
            thread.join()
    return rows


def fill() -> None:
    """Products, reviews to learn from, a live version that has learned, and rules that roll back."""
    partitions_ensure(now=timezone.now())
    products = Product.objects.bulk_create(Product(name=f"Lamp {number}") for number in range(PRODUCTS))
    Review.objects.bulk_create(
        Review(product=product, text=text, rating=stars) for product in products for text, stars in TEXTS
    )
    version_promote(task="sentiment", version=version_train(task="sentiment").version)
    chosen = AlarmRule.objects.filter(name__in=["Slow", "Wrong"])
    assert chosen.update(action="rollback", cooldown_minutes=1) == 2


def pairs(number: int) -> Iterator[tuple[str, int]]:
    users = [get_user_model().objects.create_user(f"bench-{number}-{one}") for one in range(USERS)]
    tokens = [RefreshToken.for_user(user).access_token for user in users]
    for token in tokens:
        token.set_exp(lifetime=timedelta(hours=10))
    products = list(Product.objects.order_by("id").values_list("pk", flat=True))
    return itertools.product(map(str, tokens), products)


def injected(what: str, algorithm: str, rule: str, clients: list[Client], params: dict[str, float]) -> Row:
    """Put a bad version live and wait until it is rolled back."""
    version = version_train(task="sentiment", algorithm=algorithm, params=params).version
    promoted = version_promote(task="sentiment", version=version, force=True, reason="a bad one, to be noticed").at
    end = time.monotonic() + GIVEN_UP_S
    while not Promotion.objects.filter(kind="rollback", from_version__version=version).exists():
        if time.monotonic() > end:
            print(list(Alarm.objects.values_list("name", "task", "version", "state", "value", "bound", "action")))
            raise SystemExit(f"Nobody rolled {algorithm} back within {GIVEN_UP_S} s.")
        time.sleep(0.2)
    alarm = Alarm.objects.get(version=version, rollback__isnull=False)
    assert alarm.name == rule, f"{alarm} rolled back, and not {rule}"
    assert alarm.rollback
    time.sleep(5)  # until all processes serve the other one again
    since = promoted.timestamp()
    sent = [at for client in clients for at in client.answered if at >= since]
    failed = [one for client in clients for one in client.failed if one[0] >= since]
    print(f"{what}: {alarm.figures} of {alarm.n:,}; {failed[:3]}", flush=True)
    return Row(
        what, rule, _seconds(promoted, alarm.fired_at), _seconds(promoted, alarm.rollback.at),
        Prediction.objects.filter(task="sentiment", version=version).count(), len(sent) + len(failed), len(failed),
    )  # fmt: skip


def _seconds(start: datetime, end: datetime | None) -> float:
    assert end
    return (end - start).total_seconds()


def wait(seconds: float, why: str) -> None:
    print(f"{seconds:g} s of {why}", flush=True)
    time.sleep(seconds)


def report(rows: list[Row]) -> None:
    print("\nseconds from the promotion of a bad version to its alarm and to the rollback")
    print(f"{'':16}{'rule':10}{'alarm':>8}{'rollback':>10}{'bad answers':>13}{'requests':>10}{'failed':>8}")
    for row in rows:
        print(f"{row.what:16}{row.rule:10}{row.alarm_s:8.1f}{row.rollback_s:10.1f}"
              f"{row.bad:13,}{row.sent:10,}{row.failed:8,}")  # fmt: skip
    if max(row.alarm_s for row in rows) > AT_MOST_S or any(row.failed for row in rows):
        raise SystemExit(f"Over the bar: an alarm within {AT_MOST_S} s, and no failed request.")


if __name__ == "__main__":
    main()
