"""`make measure`: real data through the whole job: import, train, score on held-out rows, recommend to one user.

Reads the Women's Clothing Reviews and MovieLens latest-small from SHOP_DATA, into a database of its own that is made
anew. Each step is the manage.py command that a user would type; time and peak memory are the operating system's for
that process.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "measurements"
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlbackend.settings")
os.environ["SHOP_DB"] = DATABASE

import django


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("SHOP_DATA", str(ROOT.parent / "shared" / "data")))
    data = Path(parser.parse_args().data)
    folder = ROOT / ".data" / DATABASE  # its models stay, for `make bench-recommend`
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["DATA_DIR"] = str(folder)
    django.setup()
    make_database()
    rejected = ["--rejected", f"{folder}/rejected.csv", "--verbosity", "0"]
    step("migrate", "--verbosity", "0")
    reviews = str(data / "reviews" / "womens_clothing_reviews.csv")
    step("import_reviews", reviews, "--preset", "clothing", *rejected)
    step("import_reviews", reviews, "--preset", "clothing", *rejected)
    step("train", "sentiment", "--promote", "--verbosity", "0")
    step("evaluate", "sentiment", "--folds", "5")
    step("import_products", str(data / "ratings" / "movies.csv"), "--preset", "movielens", *rejected)
    step("import_ratings", str(data / "ratings" / "ratings.csv"), "--preset", "movielens", *rejected)
    step("train", "recommend", "--promote", "--verbosity", "0")
    for protocol in ("temporal-user", "new-products"):
        step("evaluate", "recommend", "--protocol", protocol, "--verbosity", "0")
    step("models")
    recommend("movielens-1")


def make_database() -> None:
    from django.db import connection

    with connection._nodb_cursor() as cursor:  # noqa: SLF001  (Django's own way to a server without the database)
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {DATABASE}")


def step(*command: str) -> None:
    """Run one command and print what it took."""
    print(f"\n$ manage.py {' '.join(command)}", flush=True)
    start = time.monotonic()
    process = subprocess.Popen([sys.executable, str(ROOT / "manage.py"), *command])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    print(f"  {time.monotonic() - start:.1f} s, {usage.ru_maxrss / 1024:.0f} MB", flush=True)
    if process.returncode:
        raise SystemExit(process.returncode)


def recommend(username: str) -> None:
    from django.contrib.auth import get_user_model

    from recommendations.services import recommend_for
    from reviews.models import Rating

    user = get_user_model().objects.get(username=username)
    liked = Rating.objects.filter(user=user).order_by("-value", "-rated_at").select_related("product")[:5]
    print(f"\n{username} liked {', '.join(one.product.name for one in liked)}. Recommended:")
    found = recommend_for(user_id=user.pk, n=10, filters={})
    for product, ranked in found.products:
        print(f"  {product.name:60} {ranked.predicted_rating:.1f} stars, because of {product.more}")


if __name__ == "__main__":
    main()
