"""Every kind of bad row goes to FILE.rejected.csv with its own reason, and the rest goes in."""

import json
import time
from pathlib import Path

import pytest
from django.core.management.base import CommandError

from reviews.importing import importer, lines
from reviews.models import Product, Rating, Review
from tests.reviews.importing import counts, rejected, run_import

pytestmark = pytest.mark.django_db

RATING = {"user": "1", "product": "p", "value": "4", "rated_at": "1500000000"}
PRODUCT = {
    "external_id": "n",
    "name": "Lamp",
    "description": "",
    "category": "",
    "price": "",
    "seller": "",
    "view_count": "",
}
REVIEW = {"product": "p", "author": "", "title": "", "text": "Good.", "rating": "", "created_at": "2020-01-01"}
STARS = ", stars are 0.5 to 5 in halves"
TIME = " (seconds since 1970, or ISO 8601)"
FUTURE = " (a number is taken as seconds since 1970)"
TOMORROW = str(int(time.time()) + 2 * 86_400)


@pytest.fixture(autouse=True)
def product() -> Product:
    return Product.objects.create(source="shop", external_id="p", name="Pot")


def one_bad_row(tmp_path: Path, kind: str, good: dict[str, str], field: str, value: str) -> tuple[str, str]:
    """The field and reason that a row is rejected with when it stands before a good one."""
    bad = good | {"external_id": "bad"} | {field: value}
    good = good | {"external_id": "good"}
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(bad) + "\n" + json.dumps(good) + "\n")
    assert counts(run_import(kind, file, "--source", "shop")) == (1, 0, 1)
    [[line, at, reason, row]] = rejected(file)
    assert (line, json.loads(row)) == ("1", bad)
    return at, reason


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("user", " ", "is blank"),
        ("product", "", "is blank"),
        ("value", "", "is blank"),
        ("rated_at", "", "is blank"),
        ("external_id", "", "is blank"),
        ("external_id", "x" * 129, "has 129 characters, the most is 128"),
        ("user", "x" * 86, "has 86 characters, the most is 85"),
        ("product", "unknown", "there is no product unknown of shop"),
        ("value", "four", "is no number: 'four'"),
        ("value", "4,5", "is no number: '4,5'"),
        ("value", "1_0", "is no number: '1_0'"),
        ("value", "٤", "is no number: '٤'"),
        ("value", "NaN", "is no number: 'NaN'"),
        ("value", "-Infinity", "is no number: '-Infinity'"),
        ("value", "9" * 100, f"is no number: '{'9' * 40}'"),
        ("value", "0", f"is 0{STARS}"),
        ("value", "5.5", f"is 5.5{STARS}"),
        ("value", "3.7", f"is 3.7{STARS}"),
        ("value", "1e999999", f"is 1e999999{STARS}"),
        ("value", "0.5000000000000000000000000000000000001", f"is 0.5000000000000000000000000000000000001{STARS}"),
        ("rated_at", "yesterday", f"is no time: 'yesterday'{TIME}"),
        ("rated_at", "2020-02-30", f"is no time: '2020-02-30'{TIME}"),
        ("rated_at", "NaN", f"is no time: 'NaN'{TIME}"),
        ("rated_at", "-1", "lies before 1970: -1"),
        ("rated_at", "1969-12-31", "lies before 1970: 1969-12-31"),
        ("rated_at", "0001-01-01T00:00+14:00", f"is no time: '0001-01-01T00:00+14:00'{TIME}"),
        # An id of its own: every process of the test run must collect the same ones, and the value follows the clock.
        pytest.param("rated_at", TOMORROW, f"lies in the future: {TOMORROW}{FUTURE}", id="rated_at-tomorrow"),
        ("rated_at", "1500000000000", f"lies in the future: 1500000000000{FUTURE}"),
        ("rated_at", "1e300", f"lies in the future: 1e300{FUTURE}"),
        ("rated_at", "9999-12-31T23:59:59-12:00", f"is no time: '9999-12-31T23:59:59-12:00'{TIME}"),
    ],
)
def test_a_bad_rating_is_told_why(tmp_path: Path, field: str, value: str, reason: str) -> None:
    assert one_bad_row(tmp_path, "ratings", RATING, field, value) == (field, reason)
    assert Rating.objects.get().external_id == "good"


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("name", "", "is blank"),
        ("name", "x" * 301, "has 301 characters, the most is 300"),
        ("description", "x" * 20_001, "has 20001 characters, the most is 20000"),
        ("category", "x" * 101, "has 101 characters, the most is 100"),
        ("seller", "x" * 201, "has 201 characters, the most is 200"),
        ("price", "-0.01", "is negative: -0.01"),
        ("price", "9.999", "has more than 2 decimals: 9.999"),
        ("price", "10000000000", "is 10000000000, the most is 9999999999.99"),
        ("price", "$9.99", "is no number: '$9.99'"),
        ("view_count", "-1", "is -1, not a whole number from 0 to 2147483647"),
        ("view_count", "1.5", "is 1.5, not a whole number from 0 to 2147483647"),
        ("view_count", "2147483648", "is 2147483648, not a whole number from 0 to 2147483647"),
    ],
)
def test_a_bad_product_is_told_why(tmp_path: Path, field: str, value: str, reason: str) -> None:
    assert one_bad_row(tmp_path, "products", PRODUCT, field, value) == (field, reason)
    assert set(Product.objects.values_list("external_id", flat=True)) == {"p", "good"}


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("text", " \n", "is blank"),
        ("text", "x" * 10_001, "has 10001 characters, the most is 10000"),
        ("title", "x" * 301, "has 301 characters, the most is 300"),
        ("external_id", "x" * 121, "has 121 characters, the most is 120"),
        ("rating", "6", f"is 6{STARS}"),
        ("created_at", "soon", f"is no time: 'soon'{TIME}"),
    ],
)
def test_a_bad_review_is_told_why(tmp_path: Path, field: str, value: str, reason: str) -> None:
    assert one_bad_row(tmp_path, "reviews", REVIEW, field, value) == (field, reason)
    assert Review.objects.get().external_id == "good"


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "x" * 300), ("description", "ü" * 20_000), ("price", "9999999999.990"), ("price", "-0")],
)
def test_what_just_fits_goes_in(tmp_path: Path, field: str, value: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(PRODUCT | {field: value}) + "\n")
    assert counts(run_import("products", file)) == (1, 0, 0)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"1,p", "has 2 columns, the header has 3"),
        (b"1,p,4,4", "has 4 columns, the header has 3"),
        (b"1,p\0,4", "column 'product' holds a NUL character"),
        (b"1,caf\xe9,4", "column 'product' is not UTF-8"),
        (b'1,"p"x,4', "cannot be split into columns: ',' expected after '\"'"),
        (b'1,"p,4', "cannot be split into columns: ',' expected after '\"'"),
        (b"1," + b"x" * 200_000 + b",4", "cannot be split into columns: field larger than field limit (131072)"),
        (b"1,p,4" + b"," * (1 << 20), "cannot be split into columns: longer than 1048576 characters"),
    ],
)
def test_a_row_that_cannot_be_read_costs_no_other(tmp_path: Path, row: bytes, reason: str) -> None:
    file = tmp_path / "r.csv"
    file.write_bytes(b"user,product,value\n1,p,4\n" + row + b'\n2,"p",4\n3,p,"4"\n')
    assert counts(run_import("ratings", file, "--source", "shop")) == (3, 0, 1)
    [[line, field, said, *cells]] = rejected(file)
    assert (line, field, said) == ("3", "", reason)
    assert ",".join(cells).encode("utf-8", "surrogateescape") == row[: 1 << 20]
    assert list(Rating.objects.order_by("id").values_list("external_id", flat=True)) == ["2", "4", "5"]


def test_a_quote_that_is_never_closed_costs_its_own_line(tmp_path: Path) -> None:
    file = tmp_path / "r.csv"
    file.write_text('user,product,value\n1,p,4\n2,"p,4\n' + "".join(f"{n},p,4\n" for n in range(3, 50)))
    assert counts(run_import("ratings", file, "--source", "shop")) == (48, 0, 1)
    assert rejected(file) == [["3", "", "cannot be split into columns: unexpected end of data", '2,"p,4']]


def test_a_record_that_never_ends_is_held_to_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "RECORD_LIMIT", 60)
    file = tmp_path / "r.csv"
    file.write_text(
        "user,product,value\n1,p,4\n" + '2,"p\n",4,"\n",\n' * 2 + '3,"p\n\n\n\n",4\n' + "\n" * 60 + "4,p,4\n"
    )
    run_import("ratings", file, "--source", "shop")
    assert set(Rating.objects.values_list("user__username", flat=True)) == {"shop-1", "shop-3", "shop-4"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('["p"]', "is not a JSON object"),
        ("4", "is not a JSON object"),
        ('{"user": 1', "is not JSON: Expecting ',' delimiter: line 2 column 1 (char 11)"),
        ("[" * 100_000, "is not JSON: maximum recursion depth exceeded"),
        ('{"user": ["1"], "product": "p", "value": 4}', "column 'user' is neither text nor a number"),
        ('{"user": true, "product": "p", "value": 4}', "column 'user' is neither text nor a number"),
        ('{"user": "\\u0000", "product": "p", "value": 4}', "column 'user' holds a NUL character"),
        ('{"user": "\\ud800", "product": "p", "value": 4}', "column 'user' is not UTF-8"),
    ],
)
def test_a_json_line_that_cannot_be_read_costs_no_other(tmp_path: Path, row: str, reason: str) -> None:
    file = tmp_path / "r.jsonl"
    good = json.dumps({"user": 2, "product": "p", "value": 4, "more": [1]})
    file.write_text(f"\n{row}\n  \n{good}\n")
    assert counts(run_import("ratings", file, "--source", "shop")) == (1, 0, 1)
    [[line, _, said, as_read]] = rejected(file)
    assert (line, as_read) == ("2", row)
    assert said.startswith(reason)
    assert Rating.objects.get().external_id == "4"


def test_json_numbers_lose_no_digit(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    file.write_text('{"external_id": 123456789012345678901234567890, "name": 7.10, "price": 0.10}\n')
    run_import("products", file)
    assert Product.objects.filter(external_id="123456789012345678901234567890", name="7.10", price="0.10").exists()


def test_rejected_rows_can_be_mended_and_imported_under_their_old_lines(tmp_path: Path) -> None:
    file = tmp_path / "r.csv"
    file.write_text("who,what,stars,note\n1,p,4,\n2,p,44,\n3,p,,x\n4,p,1,\n")
    options = ("--source", "shop", "--map", "who=user,what=product,stars=value")
    assert counts(run_import("ratings", file, *options)) == (2, 0, 2)
    bad = file.with_name("r.csv.rejected.csv")
    assert bad.read_text().splitlines() == [
        "line,field,reason,who,what,stars,note",
        '3,value,"is 44, stars are 0.5 to 5 in halves",2,p,44,',
        "4,value,is blank,3,p,,x",
    ]
    mended = tmp_path / "mended.csv"
    mended.write_text(bad.read_text().replace(",44,", ",4,").replace(",,x", ",3,x"))
    assert counts(run_import("ratings", mended, *options, "--map", "line=external_id")) == (2, 0, 0)
    assert set(Rating.objects.values_list("external_id", flat=True)) == {"2", "3", "4", "5"}


def test_rejections_come_in_the_order_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "CHUNK_ROWS", 3)
    file = tmp_path / "r.csv"
    file.write_text("user,product,value\n1,q,4\n1,p,9\n1,q,4\n1,p,4\n1,p,x\n1,p,4\n")
    assert counts(run_import("ratings", file, "--source", "shop")) == (1, 0, 5)
    assert [row[0] for row in rejected(file)] == ["2", "3", "4", "6", "7"]


def test_a_later_run_leaves_only_its_own_rejections(tmp_path: Path) -> None:
    file = tmp_path / "r.csv"
    file.write_text("user,product,value\n1,p,4\n2,p,9\n")
    run_import("ratings", file, "--source", "shop")
    file.write_text("user,product,value\n1,p,4\n2,p,5\n")
    run_import("ratings", file, "--source", "shop")
    assert rejected(file) == []


def test_no_file_is_made_where_nothing_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "r.csv"
    file.write_text("user,product,value\n1,p,4\n")
    run_import("ratings", file, "--source", "shop")
    assert list(tmp_path.iterdir()) == [file]


def test_the_rejected_rows_can_go_elsewhere(tmp_path: Path) -> None:
    file, elsewhere = tmp_path / "r.csv", tmp_path / "bad rows.csv"
    file.write_text("user,product,value\n1,p,4\n2,p,9\n")
    assert str(elsewhere) in run_import("ratings", file, "--source", "shop", "--rejected", elsewhere)
    assert len(elsewhere.read_text().splitlines()) == 2
    with pytest.raises(CommandError, match="is the file to import"):
        run_import("ratings", file, "--source", "shop", "--rejected", file)
    with pytest.raises(CommandError, match="No such file or directory"):
        run_import("ratings", file, "--source", "shop", "--rejected", tmp_path / "missing" / "bad.csv")
    assert file.read_text().endswith("2,p,9\n")


def test_a_folder_that_cannot_be_written_moves_them_to_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    (tmp_path / "r.csv").write_text("user,product,value\n1,p,4\n2,p,9\n")
    with (tmp_path / "r.csv").open() as opened:
        file = Path("/dev/fd") / str(opened.fileno())  # a folder that not even root can write to
        printed = run_import("ratings", file, "--source", "shop", "--format", "csv")
    assert "/dev/fd cannot be written" in printed
    assert len((here / f"{file.name}.rejected.csv").read_text().splitlines()) == 2


def test_when_no_row_is_good_the_command_fails(tmp_path: Path) -> None:
    file = tmp_path / "r.csv"
    file.write_text("user,product,value\n1,p,9\n")
    with pytest.raises(CommandError, match=r"No row was good. Each with its reason is in .*r\.csv\.rejected\.csv"):
        run_import("ratings", file, "--source", "shop")
