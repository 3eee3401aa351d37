"""What the benchmarks against the tutorial's services share: its tables, what must be on, and the comparison."""

import csv
import statistics
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from benchmarks.servers import Load
from reviews.models import Product, Rating

THROTTLE = "100000000/min"  # on, and too high to refuse


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


def report(what: str, clients: int, rounds: list[tuple[Load, Load]]) -> None:
    """Medians of both sides, and the ratios round by round."""
    print(f"\n{what}, {clients} client{'s' * (clients > 1)}, {len(rounds)} rounds in turn, medians")
    print(f"{'':12}{'rate/s':>10}{'p50 ms':>10}{'p99 ms':>10}{'not 2xx':>10}")
    for name, side in (("this project", 0), ("yardstick", 1)):
        loads = [pair[side] for pair in rounds]
        rate, p50, p99 = (statistics.median(getattr(one, what) for one in loads) for what in ("rate", "p50", "p99"))
        print(f"{name:12}{rate:10.0f}{p50:10.2f}{p99:10.2f}{sum(one.bad for one in loads):10}")
    rate = statistics.median(a.rate / b.rate for a, b in rounds)
    p50 = statistics.median(b.p50 / a.p50 for a, b in rounds)
    print(f"ratio of rates {rate:.2f}, of p50 (yardstick's over ours) {p50:.2f}", flush=True)
