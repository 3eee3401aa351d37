"""MovieLens and the clothing reviews, whole. SHOP_DATA names the folder that has them."""

import os
from pathlib import Path

import pytest
from django.conf import settings

from reviews.models import Product, Rating, Review
from tests.reviews.importing import counts, run_import

DATA = Path(os.environ.get("SHOP_DATA", settings.BASE_DIR.parent / "shared" / "data"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data: {DATA} is not there (SHOP_DATA)"),
]


def test_movielens_goes_in_whole(tmp_path: Path) -> None:
    bad = ("--rejected", tmp_path / "bad.csv")
    movies, ratings = DATA / "ratings" / "movies.csv", DATA / "ratings" / "ratings.csv"
    assert counts(run_import("products", movies, "--preset", "movielens", *bad)) == (9_742, 0, 0)
    assert counts(run_import("ratings", ratings, "--preset", "movielens", *bad)) == (100_836, 0, 0)
    assert counts(run_import("ratings", ratings, "--preset", "movielens", *bad)) == (0, 100_836, 0)
    assert Rating.objects.values("user").distinct().count() == 610
    assert Product.objects.filter(trend__gt=0).exists()


def test_the_clothing_reviews_go_in_but_for_those_without_text(tmp_path: Path) -> None:
    file = DATA / "reviews" / "womens_clothing_reviews.csv"
    options = ("--preset", "clothing", "--rejected", tmp_path / "bad.csv")
    assert counts(run_import("reviews", file, *options)) == (22_641, 0, 845)
    assert counts(run_import("reviews", file, *options)) == (0, 22_641, 845)
    assert Review.objects.filter(author=None, sentiment="").count() == 22_641
    assert not Rating.objects.exists()
