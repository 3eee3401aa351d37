"""`make measure`: real data through the whole job: import, train, score on held-out rows, recommend to one user.

Reads MovieLens latest-small and the Women's Clothing Reviews from SHOP_DATA, each into a database of its own that is
made anew. Each step is the manage.py command that a user would type; time and peak memory are what the operating system
says of that process.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOVIES, CLOTHING = "measurements", "measurements_clothing"
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlbackend.settings")
os.environ["SHOP_DB"] = MOVIES

import django


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("SHOP_DATA", str(ROOT.parent / "shared" / "data")))
    data = Path(parser.parse_args().data)
    os.environ["DATA_DIR"] = str(folder_of(MOVIES))
    django.setup()
    movies(data / "ratings")
    recommend("movielens-1")
    clothing(str(data / "reviews" / "womens_clothing_reviews.csv"))


def movies(data: Path) -> None:
    """Stays, for `make bench-recommend`."""
    rejected = make_database(MOVIES)
    step(MOVIES, "import_products", str(data / "movies.csv"), "--preset", "movielens", *rejected)
    step(MOVIES, "import_ratings", str(data / "ratings.csv"), "--preset", "movielens", *rejected)
    step(MOVIES, "train", "recommend", "--promote", "--verbosity", "0")
    for protocol in ("temporal-user", "new-products"):
        step(MOVIES, "evaluate", "recommend", "--protocol", protocol, "--verbosity", "0")


def clothing(reviews: str) -> None:
    rejected = make_database(CLOTHING)
    step(CLOTHING, "import_reviews", reviews, "--preset", "clothing", *rejected)
    step(CLOTHING, "import_reviews", reviews, "--preset", "clothing", *rejected)
    step(CLOTHING, "train", "sentiment", "--promote", "--verbosity", "0")
    step(CLOTHING, "evaluate", "sentiment", "--folds", "5")


def folder_of(database: str) -> Path:
    return ROOT / ".data" / database


def make_database(name: str) -> list[str]:
    """Anew, with its tables; gives what tells an importer where to put rejected rows."""
    from django.db import connection

    shutil.rmtree(folder_of(name), ignore_errors=True)
    folder_of(name).mkdir(parents=True)
    with connection._nodb_cursor() as cursor:  # noqa: SLF001  (Django's own way to a server without the database)
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name}")
    step(name, "migrate", "--verbosity", "0")
    return ["--rejected", f"{folder_of(name)}/rejected.csv", "--verbosity", "0"]


def step(database: str, *command: str) -> None:
    """Run one command and print what it took."""
    print(f"\n$ manage.py {' '.join(command)}", flush=True)
    start = time.monotonic()
    environment = {**os.environ, "SHOP_DB": database, "DATA_DIR": str(folder_of(database))}
    process = subprocess.Popen([sys.executable, str(ROOT / "manage.py"), *command], env=environment)
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
