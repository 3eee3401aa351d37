"""`make bench-recommend`: recommendations with login and log against the tutorial's bare Flask services, on MovieLens.

Needs the database that `make measure` leaves (real ratings, a live recommender). Both servers run on this machine and
are asked in turn, A B A B, for the same customers and products; what counts are the medians and their ratios.
"""

import argparse
import os
import random
import secrets
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlbackend.settings")
os.environ.setdefault("SHOP_DB", "measurements")
os.environ.setdefault("DATA_DIR", str(Path(__file__).resolve().parent.parent / ".data" / "measurements"))

import django

django.setup()

from django.contrib.auth import get_user_model
from rest_framework_simplejwt.tokens import RefreshToken

from benchmarks.servers import MANAGE, ROOT, Load, call, free_port, load, server
from benchmarks.shops import need_live
from benchmarks.yardstick import THROTTLE, assert_honest, report, yardstick_tables
from experiments.models import Prediction
from reviews.models import Rating

OURS, THEIRS = free_port(), free_port()
CUSTOMERS = 200
Call = tuple[str, list[Any], list[str], str]  # address, bodies, tokens, method


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--yardstick", default=os.environ.get("YARDSTICK", str(ROOT.parent / "shared" / "yardstick")))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8, help="of one load")
    parser.add_argument("--clients", type=int, default=8)
    options = parser.parse_args()
    need_live("recommend", hint="run `make measure` once")
    assert_honest()
    users, products = sample()
    tokens = [token(user) for user in users]
    with tempfile.TemporaryDirectory() as folder:
        tables = yardstick_tables(Path(folder), [("", "good", 5.0), ("", "bad", 1.0)])
        yardstick = [sys.executable, f"{options.yardstick}/tutorial_service.py", *tables, "--port", str(THEIRS)]
        with (
            server(yardstick, f"http://127.0.0.1:{THEIRS}/"),
            server([*MANAGE, "web", "--port", str(OURS)], f"http://127.0.0.1:{OURS}/readyz", THROTTLE_USER=THROTTLE),
        ):
            api, flask = f"http://127.0.0.1:{OURS}/api/v1", f"http://127.0.0.1:{THEIRS}"
            by_user = [{"user_id": user, "n": 10} for user in users]
            by_product = [{"product_id": product, "n": 10} for product in products]
            pairs: dict[str, tuple[Call, Call]] = {
                "GET products/recommendations/": (
                    (f"{api}/products/recommendations/", [None], tokens, "GET"),
                    (f"{flask}/recommend/collaborative", by_user, [""], "POST"),
                ),
                "POST recommend/content/": (
                    (f"{api}/recommend/content/", by_product, tokens, "POST"),
                    (f"{flask}/recommend/content", by_product, [""], "POST"),
                ),
            }
            assert_answered(call(f"{api}/products/recommendations/", None, tokens[0]), "hybrid")
            assert_answered(call(f"{api}/recommend/content/", by_product[0], tokens[0]), "content")
            before, answered = logged(users), 0
            for what, sides in pairs.items():
                rounds: list[tuple[Load, Load]] = []
                for _ in range(options.rounds):
                    ours, theirs = (
                        load(url, bodies, clients=options.clients, seconds=options.seconds, tokens=keys, method=method)
                        for url, bodies, keys, method in sides
                    )
                    rounds.append((ours, theirs))
                answered += sum(ours.answers for ours, _ in rounds)
                report(what, options.clients, rounds)
            found = logged(users) - before
    print(f"answers {answered:,}, predictions in the log {found:,}")
    if found < answered:
        raise SystemExit("There are answers that are not in the log.")


def assert_answered(answer: Any, method: str) -> None:
    """A fallback would be quicker than the model."""
    assert (answer["method"], answer["degraded"]) == (method, False), answer["method"]


def sample() -> tuple[list[int], list[int]]:
    """Customers, and products that somebody rated."""
    rng = random.Random(0)
    users = sorted(set(Rating.objects.values_list("user_id", flat=True)))
    products = sorted(set(Rating.objects.values_list("product_id", flat=True)))
    return rng.sample(users, min(CUSTOMERS, len(users))), rng.sample(products, min(CUSTOMERS, len(products)))


def token(user_id: int) -> str:
    user = get_user_model().objects.get(pk=user_id)
    if not user.has_usable_password():
        user.set_password(secrets.token_urlsafe(12))
        user.save()
    made = RefreshToken.for_user(user).access_token
    made.set_exp(lifetime=timedelta(hours=10))
    return str(made)


def logged(users: list[int]) -> int:
    return Prediction.objects.filter(user_id__in=users).count()


if __name__ == "__main__":
    main()
