"""`make bench`: this project's predictions, with login, validation and the log on disk, against the tutorial's bare
Flask services.

Both servers run on this machine and are asked in turn, A B A B, with the same texts; what counts are the medians and
their ratios. The yardstick (YARDSTICK=, a folder with tutorial_service.py) trains on the same reviews, read from this
project's database.
"""

import argparse
import csv
import os
import secrets
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlbackend.settings")

import django

django.setup()

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection

from benchmarks.servers import MANAGE, ROOT, Load, call, free_port, load, server
from experiments.models import Prediction
from experiments.registry import live_version
from reviews.models import Product, Rating, Review

OURS, THEIRS = free_port(), free_port()
THROTTLE = "100000000/min"  # on, and too high to refuse


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--yardstick", default=os.environ.get("YARDSTICK", str(ROOT.parent / "shared" / "yardstick")))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=6, help="of one load")
    options = parser.parse_args()
    if not live_version("sentiment"):
        raise SystemExit(
            "There is no live sentiment model: run `manage.py train sentiment --promote`, or `make run` once."
        )
    assert_honest()
    reviews = list(Review.objects.exclude(rating=None).order_by("id").values_list("title", "text", "rating")[:20_000])
    bodies = [{"title": title, "text": text} for title, text, _ in reviews[:200]]
    password = secrets.token_urlsafe(12)
    name = f"bench-{secrets.token_hex(4)}"
    user = get_user_model().objects.create_user(name, password=password)
    before = Prediction.objects.filter(user_id=user.pk).count()
    with tempfile.TemporaryDirectory() as folder:
        tables = yardstick_tables(Path(folder), reviews)
        yardstick = [sys.executable, f"{options.yardstick}/tutorial_service.py", *tables, "--port", str(THEIRS)]
        with (
            server(yardstick, f"http://127.0.0.1:{THEIRS}/"),
            server([*MANAGE, "web", "--port", str(OURS)], f"http://127.0.0.1:{OURS}/readyz", THROTTLE_USER=THROTTLE),
        ):
            login = call(f"http://127.0.0.1:{OURS}/api/v1/auth/token/", {"username": name, "password": password})
            ours = (f"http://127.0.0.1:{OURS}/api/v1/predict/sentiment/", login["access"])
            theirs = (f"http://127.0.0.1:{THEIRS}/predict/sentiment", "")
            answered = 0
            for clients in (8, 1):
                rounds: list[tuple[Load, Load]] = []
                for _ in range(options.rounds):
                    pair = [
                        load(url, bodies, clients=clients, seconds=options.seconds, token=t)
                        for url, t in (ours, theirs)
                    ]
                    rounds.append((pair[0], pair[1]))
                answered += sum(one.answers for one, _ in rounds)
                report(clients, rounds)
    logged = Prediction.objects.filter(user_id=user.pk).count() - before
    print(f"answers {answered:,}, predictions in the log {logged:,}")
    if logged < answered:
        raise SystemExit("There are answers that are not in the log.")


def assert_honest() -> None:
    """The log is on disk before an answer leaves, and callers are throttled."""
    with connection.cursor() as cursor:
        for setting in ("fsync", "synchronous_commit"):
            cursor.execute(f"SHOW {setting}")
            assert cursor.fetchone()[0] == "on", f"{setting} must be on"
    assert settings.REST_FRAMEWORK["DEFAULT_THROTTLE_CLASSES"], "throttles must be on"


def yardstick_tables(folder: Path, reviews: list[Any]) -> list[str]:
    """The CSV files that the yardstick reads."""
    tables = {
        "reviews": (["text", "label"], [(text, int(stars >= 4)) for _, text, stars in reviews]),
        "ratings": (["user_id", "product_id", "rating"], Rating.objects.values_list("user_id", "product_id", "value")),
        "products": (["id", "name", "description"], Product.objects.values_list("id", "name", "description")),
    }
    arguments = []
    for name, (header, rows) in tables.items():
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows)
        arguments += [f"--{name}", str(folder / f"{name}.csv")]
    return arguments


def report(clients: int, rounds: list[tuple[Load, Load]]) -> None:
    print(f"\nPOST predict/sentiment/, {clients} client{'s' * (clients > 1)}, {len(rounds)} rounds in turn, medians")
    print(f"{'':12}{'rate/s':>10}{'p50 ms':>10}{'p99 ms':>10}{'not 2xx':>10}")
    for name, side in (("this project", 0), ("yardstick", 1)):
        loads = [pair[side] for pair in rounds]
        rate, p50, p99 = (statistics.median(getattr(one, what) for one in loads) for what in ("rate", "p50", "p99"))
        print(f"{name:12}{rate:10.0f}{p50:10.2f}{p99:10.2f}{sum(one.bad for one in loads):10}")
    rate = statistics.median(a.rate / b.rate for a, b in rounds)
    p50 = statistics.median(b.p50 / a.p50 for a, b in rounds)
    print(f"ratio of rates {rate:.2f}, of p50 (yardstick's over ours) {p50:.2f}", flush=True)


if __name__ == "__main__":
    main()
