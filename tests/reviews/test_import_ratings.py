"""`import_ratings`: users made, times kept, one rating a user a product, nothing lost without a word."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import AbstractUser
from django.core.management.base import CommandError

from reviews.importing import importer
from reviews.models import Product, Rating
from tests.reviews.importing import counts, rejected, run_import

pytestmark = pytest.mark.django_db

HEADER = "userId,movieId,rating,timestamp\n"
PRESET = ("--preset", "movielens")


@pytest.fixture(autouse=True)
def movies() -> list[Product]:
    return [Product.objects.create(source="movielens", external_id=str(n), name=f"Movie {n}") for n in (10, 20, 30)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ratings.csv"


def test_ratings_keep_their_value_time_and_line(file: Path, movies: list[Product]) -> None:
    file.write_text(HEADER + "1,10,4.5,964982703\n2,10,0.5,964982703.25\n")
    assert counts(run_import("ratings", file, *PRESET)) == (2, 0, 0)
    assert list(
        Rating.objects.order_by("id").values_list(
            "source", "external_id", "user__username", "product", "value", "rated_at"
        )
    ) == [
        ("movielens", "2", "movielens-1", movies[0].id, 4.5, datetime(2000, 7, 30, 18, 45, 3, tzinfo=UTC)),
        ("movielens", "3", "movielens-2", movies[0].id, 0.5, datetime(2000, 7, 30, 18, 45, 3, 250_000, tzinfo=UTC)),
    ]


def test_the_users_made_cannot_log_in(file: Path, django_user_model: type[AbstractUser]) -> None:
    file.write_text(HEADER + "1,10,4.5,964982703\n2,10,3,964982703\n")
    run_import("ratings", file, *PRESET)
    users = list(django_user_model.objects.all())
    assert [user.has_usable_password() for user in users] == [False, False]
    assert len({user.password for user in users}) == 2
    assert authenticate(username="movielens-1", password=users[0].password) is None


def test_run_twice_it_changes_nothing(file: Path, django_user_model: type[AbstractUser]) -> None:
    file.write_text(HEADER + "1,10,4.5,964982703\n1,20,3,964982703\n")
    run_import("ratings", file, *PRESET)

    def everything() -> list[Any]:
        models: tuple[Any, ...] = (Rating, Product, django_user_model)
        return [list(model.objects.order_by("id").values()) for model in models]

    before = everything()
    assert counts(run_import("ratings", file, *PRESET)) == (0, 2, 0)
    assert everything() == before


@pytest.mark.parametrize("rows", [2, 20_000])
def test_a_second_rating_of_a_product_is_rejected_and_the_first_named(
    file: Path, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "CHUNK_ROWS", rows)
    file.write_text(
        HEADER + "1,10,4,964982703\n2,10,3,964982703\n1,10,5,964982704\n1,10,4,964982703\n1,20,1,964982703\n"
    )
    for expected in ((3, 0, 2), (0, 3, 2)):
        assert counts(run_import("ratings", file, *PRESET)) == expected
        assert [row[:3] for row in rejected(file)] == [
            ["4", "user", "user 1 has rated product 10 already: line 2"],
            ["5", "user", "user 1 has rated product 10 already: line 2"],
        ]
    assert Rating.objects.get(user__username="movielens-1", product__external_id="10").value == 4


def test_a_rating_of_an_unknown_product_is_rejected_and_makes_no_user(
    file: Path, django_user_model: type[AbstractUser]
) -> None:
    Product.objects.create(source="elsewhere", external_id="99", name="Not ours")
    file.write_text(HEADER + "1,99,4,964982703\n2,10,4,964982703\n")
    assert counts(run_import("ratings", file, *PRESET)) == (1, 0, 1)
    assert rejected(file) == [
        ["2", "product", "there is no product 99 of movielens", "1", "99", "4", "964982703"],
    ]
    assert django_user_model.objects.get().username == "movielens-2"


def test_nobody_who_can_log_in_is_given_imported_ratings(file: Path, django_user_model: type[AbstractUser]) -> None:
    django_user_model.objects.create_user("movielens-1", password="chosen before the import")
    file.write_text(HEADER + "1,10,4,964982703\n2,10,4,964982703\n")
    assert counts(run_import("ratings", file, *PRESET)) == (1, 0, 1)
    assert rejected(file)[0][1:3] == ["user", "the username movielens-1 belongs to an account that can log in"]
    assert Rating.objects.get().user.username == "movielens-2"


def test_a_second_file_without_ids_needs_a_source_of_its_own(file: Path) -> None:
    file.write_text(HEADER + "1,10,4,964982703\n")
    run_import("ratings", file, *PRESET)
    more = file.with_name("more.csv")
    more.write_text(HEADER + "1,20,2,964982703\n")
    with pytest.raises(CommandError, match="No row was good"):
        run_import("ratings", more, *PRESET)
    assert rejected(more)[0][:3] == ["2", "external_id", "line 2 of movielens is in already, with other content"]
    printed = run_import("ratings", more, *PRESET, "--source", "more", "--catalogue", "movielens")
    assert counts(printed) == (1, 0, 0)
    assert Rating.objects.filter(user__username="movielens-1").count() == 2


def test_ratings_before_their_products_are_refused_with_the_sources_there_are(file: Path) -> None:
    file.write_text(HEADER + "1,10,4,964982703\n")
    with pytest.raises(CommandError, match=r"no products of 'ratings'.*--catalogue \(movielens\)"):
        run_import("ratings", file, "--map", "userId=user,movieId=product,rating=value")


def test_ratings_can_make_the_products_they_name(tmp_path: Path) -> None:
    file = tmp_path / "sales.tsv"
    file.write_text("who\twhat\ttitle\tstars\nann\tb1\tBlue bowl\t4\nbob\tb1\tBlue bowl\t2\n")
    printed = run_import("ratings", file, "--map", "who=user,what=product,title=product.name,stars=value")
    assert counts(printed) == (2, 0, 0)
    assert Product.objects.get(source="sales").name == "Blue bowl"


def test_an_import_makes_products_trend(file: Path, movies: list[Product]) -> None:
    file.write_text(HEADER + "1,10,5,964982703\n1,20,5,1700000000\n")
    run_import("ratings", file, *PRESET)
    assert list(Product.objects.order_by("-trend").values_list("external_id", flat=True)[:2]) == ["20", "10"]
