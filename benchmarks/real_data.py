"""`make measure`: real data through the whole job: import, train, score on held-out rows, recommend to one user.

Reads MovieLens latest-small and the Women's Clothing Reviews from SHOP_DATA, each into a database of its own that is
made anew. Each step is the manage.py command that a user would type; time and peak memory are what the operating system
says of that process.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.shops import DATA, choose, folder_of, make_database, step

MOVIES, CLOTHING = "measurements", "measurements_clothing"
choose(MOVIES)

import django


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    data: Path = parser.parse_args().data
    django.setup()
    movies(data / "ratings")
    recommend("movielens-1")
    choose(CLOTHING)
    clothing(str(data / "reviews" / "womens_clothing_reviews.csv"))


def movies(data: Path) -> None:
    """Stays, for `make bench-recommend`."""
    make_database(MOVIES)
    rejected = where_rejected(MOVIES)
    step("import_products", str(data / "movies.csv"), "--preset", "movielens", *rejected)
    step("import_ratings", str(data / "ratings.csv"), "--preset", "movielens", *rejected)
    step("train", "recommend", "--promote", "--verbosity", "0")
    for protocol in ("temporal-user", "new-products"):
        step("evaluate", "recommend", "--protocol", protocol, "--verbosity", "0")


def clothing(reviews: str) -> None:
    make_database(CLOTHING)
    rejected = where_rejected(CLOTHING)
    step("import_reviews", reviews, "--preset", "clothing", *rejected)
    step("import_reviews", reviews, "--preset", "clothing", *rejected)
    step("train", "sentiment", "--promote", "--verbosity", "0")
    step("evaluate", "sentiment", "--folds", "5")


def where_rejected(database: str) -> list[str]:
    """Tells an importer where to put rejected rows."""
    return ["--rejected", f"{folder_of(database)}/rejected.csv", "--verbosity", "0"]


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
