"""What is said to be in is in, whatever happens then; and two imports at once do not disturb each other."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError, connection

from reviews.importing import importer
from reviews.importing.staging import Staging
from reviews.models import Product, Rating, Review
from tests.concurrency import at_once
from tests.reviews.importing import counts, rejected, run_import

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

USERS, PRODUCTS = 100, 40
RATINGS = USERS * PRODUCTS
IMPORT = """
import sys
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from django.core.management import call_command
from reviews.importing import importer
importer.CHUNK_ROWS = 100
call_command("import_ratings", sys.argv[2], source="shop")
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    products = tmp_path / "products.csv"
    products.write_text("external_id,name\n" + "".join(f"{n},Thing {n}\n" for n in range(PRODUCTS)))
    run_import("products", products, "--source", "shop")
    file = tmp_path / "ratings.csv"
    rows = [
        f"{user},{n},{1 + (user + n) % 5},{1_500_000_000 + user}\n" for user in range(USERS) for n in range(PRODUCTS)
    ]
    file.write_text("user,product,value,rated_at\n" + "".join(rows))
    return file


def started(file: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", IMPORT, str(connection.settings_dict["NAME"]), str(file)]
    return subprocess.Popen(command, cwd=settings.BASE_DIR, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def rows_in() -> list[tuple[Any, ...]]:
    return list(Rating.objects.order_by("id").values_list("external_id", "user__username", "product__name", "value"))


def assert_complete() -> None:
    rows = rows_in()
    assert len(rows) == RATINGS
    assert {external_id for external_id, *_ in rows} == {str(line) for line in range(2, RATINGS + 2)}
    for external_id, user, product, value in rows:
        at, n = divmod(int(external_id) - 2, PRODUCTS)
        assert (user, product, value) == (f"shop-{at}", f"Thing {n}", 1 + (at + n) % 5)


def test_after_a_kill_what_was_in_stays_and_a_second_run_adds_the_rest(file: Path) -> None:
    process = started(file)
    deadline = time.monotonic() + 60
    while Rating.objects.count() < 300 and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    _, bar = process.communicate()
    said = [int(part.rsplit(None, 1)[-1].replace(",", "")) for part in bar.split(" in,")[:-1]]
    kept = rows_in()
    assert process.returncode == -signal.SIGKILL
    assert max(said, default=0) <= len(kept) < RATINGS
    assert len(kept) % 100 == 0
    assert sorted(path.name for path in file.parent.iterdir()) == ["products.csv", "ratings.csv"]
    new, there, bad = counts(run_import("ratings", file, "--source", "shop"))
    assert (new + there, bad) == (RATINGS, 0)
    assert there >= len(kept)  # a commit that was under way may have followed
    assert rows_in()[: len(kept)] == kept
    assert_complete()


def test_two_processes_at_once_both_finish_with_every_row_once(file: Path) -> None:
    processes = [started(file), started(file)]
    printed = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    new = [counts(text) for text in printed]
    assert sum(counted[0] for counted in new) == RATINGS
    assert all(sum(counted) == RATINGS and counted[2] == 0 for counted in new)
    assert_complete()


def test_two_at_once_that_share_users_and_sellers_in_opposite_order_both_finish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "CHUNK_ROWS", 20)
    rows = [f"r{n},u{n % 9},p{n},Thing {n},Seller {n % 7},Fine.,4\n" for n in range(200)]
    header = "external_id,author,product,product.name,product.seller,text,rating\n"
    files = [tmp_path / "up.csv", tmp_path / "down.csv"]
    for file, ordered in zip(files, (rows, rows[::-1]), strict=True):
        file.write_text(header + "".join(ordered))
    printed = at_once(*[lambda file=file: run_import("reviews", file, "--source", "shop") for file in files])
    assert sum(counts(text)[0] for text in printed) == 200
    assert all(sum(counts(text)) == 200 and counts(text)[2] == 0 for text in printed)
    assert (Review.objects.count(), Rating.objects.count(), Product.objects.count()) == (200, 200, 200)


def test_a_database_that_fails_is_told_with_what_is_in(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(file.read_text().replace("\n0,0,1,", "\n0,0,nine,"))
    copy, calls = Staging.copy, iter(range(100))

    def copy_or_fail(staging: Staging, rows: Any) -> None:
        if next(calls) == 2:
            raise DatabaseError("terminating connection")
        copy(staging, rows)

    monkeypatch.setattr(importer, "CHUNK_ROWS", 1_000)
    monkeypatch.setattr(Staging, "copy", copy_or_fail)
    with pytest.raises(CommandError, match=r"Stopped by terminating connection. 1,999 rows are in; the same command"):
        run_import("ratings", file, "--source", "shop")
    assert Rating.objects.count() == 1_999
    assert [row[:3] for row in rejected(file)] == [["2", "value", "is no number: 'nine'"]]
