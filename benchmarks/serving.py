"""`make bench`: this project's predictions, with login, validation and the log on disk, against the tutorial's bare
Flask services.

Both servers run on this machine and are asked in turn, A B A B, with the same texts; what counts are the medians and
their ratios. Prices, which the tutorial has in the browser alone, stand beside its sentiment too. The yardstick
(YARDSTICK=, a folder with tutorial_service.py) trains on the same reviews, read from this project's database.
"""

import argparse
import os
import secrets
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlbackend.settings")

import django

django.setup()

from django.contrib.auth import get_user_model

from benchmarks.servers import MANAGE, ROOT, Load, call, free_port, load, server
from benchmarks.shops import need_live
from benchmarks.yardstick import THROTTLE, assert_honest, report, yardstick_tables
from experiments.models import Prediction
from pricing.datasets import price
from pricing.ml.price import COLUMNS
from reviews.models import Review

OURS, THEIRS = free_port(), free_port()
BATCH = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--yardstick", default=os.environ.get("YARDSTICK", str(ROOT.parent / "shared" / "yardstick")))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=6, help="of one load")
    options = parser.parse_args()
    need_live("sentiment", "price")
    assert_honest()
    reviews = list(Review.objects.exclude(rating=None).order_by("id").values_list("title", "text", "rating")[:20_000])
    texts = [{"title": title, "text": text} for title, text, _ in reviews[:200]]
    homes = price().test.rows[[*COLUMNS, "location"]].head(200).to_dict("records")
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
            routes = {name: f"http://127.0.0.1:{OURS}/api/v1/predict/{name}/" for name in ("sentiment", "price")}
            theirs = (f"http://127.0.0.1:{THEIRS}/predict/sentiment", texts, "")
            answered = 0
            asked: dict[str, list[Any]] = {"sentiment": texts, "price": homes}
            for name, bodies in asked.items():
                ours = (routes[name], bodies, login["access"])
                for clients in (8, 1):
                    rounds: list[tuple[Load, Load]] = []
                    for _ in range(options.rounds):
                        pair = [
                            load(url, given, clients=clients, seconds=options.seconds, tokens=[token])
                            for url, given, token in (ours, theirs)
                        ]
                        rounds.append((pair[0], pair[1]))
                    answered += sum(one.answers for one, _ in rounds)
                    report(f"POST predict/{name}/", clients, rounds)
            together(
                [{"title": title, "text": text} for title, text, _ in reviews[:BATCH]],
                routes["sentiment"],
                login["access"],
                options.rounds,
            )
    logged = Prediction.objects.filter(user_id=user.pk).count() - before
    print(f"answers {answered:,}, predictions in the log {logged:,}")
    if logged < answered:
        raise SystemExit("There are answers that are not in the log.")


def together(bodies: list[dict[str, str]], url: str, token: str, rounds: int) -> None:
    """Texts in one request, against as many requests one after another."""
    ratios = []
    for _ in range(rounds):
        start = time.perf_counter()
        for body in bodies:
            call(url, body, token)
        alone = time.perf_counter() - start
        call(url, {"instances": bodies}, token)
        ratios.append(alone / (time.perf_counter() - start - alone))
    print(f"\n{len(bodies)} texts in one request: {median(ratios):.1f} times as fast as one by one")


if __name__ == "__main__":
    main()
