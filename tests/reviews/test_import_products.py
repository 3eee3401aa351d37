"""`import_products`: the same rows from every format, each field as it was, once."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management.base import CommandError
from django.utils import timezone

from reviews.models import Product, Seller
from tests.reviews.importing import counts, rejected, run_import

pytestmark = pytest.mark.django_db

MAP = (
    "id=external_id,label=name,about=description,kind=category,cost=price,shop=seller,views=view_count,made=created_at"
)
ROWS = [
    ["id", "label", "about", "kind", "cost", "shop", "views", "made"],
    ["k-1", "Kettle", "Boils,\tand whistles.", "Kitchen", "19.90", "Hob & Co", "7", "2024-03-01T12:00:00+02:00"],
    ["k-2", "Kännchen", 'Says "ding".', "Kitchen", "", "Hob & Co", "", "1500000000"],
]


def separated(delimiter: str) -> str:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if set(cell) & {'"', delimiter} else cell

    return "".join(delimiter.join(map(quoted, row)) + "\n" for row in ROWS)


def json_lines() -> str:
    records: list[dict[str, object]] = [dict(zip(ROWS[0], row, strict=True)) for row in ROWS[1:]]
    records[0] |= {"cost": 19.9, "views": 7}
    records[1] |= {"cost": None, "made": 1500000000}
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.mark.parametrize(
    ("name", "text"), [("p.csv", separated(",")), ("p.tsv", separated("\t")), ("p.jsonl", json_lines())]
)
def test_every_format_gives_the_same_products(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    assert counts(run_import("products", file, "--map", MAP, "--source", "shop")) == (2, 0, 0)
    kettle, pot = Product.objects.order_by("external_id")
    assert (kettle.source, kettle.external_id, kettle.name) == ("shop", "k-1", "Kettle")
    assert (kettle.description, kettle.category) == ("Boils,\tand whistles.", "Kitchen")
    assert (kettle.price, str(kettle.seller), kettle.view_count) == (Decimal("19.90"), "Hob & Co", 7)
    assert kettle.created_at == datetime(2024, 3, 1, 10, tzinfo=UTC)
    assert (pot.name, pot.description, pot.price, pot.view_count) == ("Kännchen", 'Says "ding".', None, 0)
    assert pot.created_at == datetime(2017, 7, 14, 2, 40, tzinfo=UTC)
    assert Seller.objects.count() == 1


def test_run_twice_it_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text(separated(","))
    run_import("products", file, "--map", MAP)
    before = list(Product.objects.order_by("id").values())
    Product.objects.filter(external_id="k-1").update(price=Decimal("5.00"))  # the shop has a sale
    before[0]["price"] = Decimal("5.00")
    assert counts(run_import("products", file, "--map", MAP)) == (0, 2, 0)
    assert list(Product.objects.order_by("id").values()) == before


def test_a_file_without_ids_uses_the_line_on_which_a_row_starts(tmp_path: Path) -> None:
    file = tmp_path / "things.csv"
    file.write_bytes(b'\xef\xbb\xbfname,description\r\nA,"one\r\ntwo"\r\n\r\nB,\r\n')
    before = timezone.now()
    assert counts(run_import("products", file)) == (2, 0, 0)
    assert list(Product.objects.values_list("source", "external_id", "name", "description")) == [
        ("things", "2", "A", "one\r\ntwo"),
        ("things", "5", "B", ""),
    ]
    assert before <= Product.objects.earliest("created_at").created_at <= timezone.now()


def test_a_second_product_under_the_same_id_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text("external_id,name\n1,Lamp\n1,Lamp\n1,Sofa\n")
    for expected in ((1, 1, 1), (0, 2, 1)):
        assert counts(run_import("products", file)) == expected
        assert rejected(file) == [["4", "external_id", "id 1 of p is in already, with other content", "1", "Sofa"]]
    assert Product.objects.get().name == "Lamp"


def test_movielens_titles_come_with_their_genres(tmp_path: Path) -> None:
    file = tmp_path / "movies.csv"
    file.write_text(
        'movieId,title,genres\n7,"Boat, The (1999)",Drama|War\n8,Blank (2001),(no genres listed)\n', encoding="utf-8"
    )
    run_import("products", file, "--preset", "movielens")
    assert list(Product.objects.values_list("source", "external_id", "name", "category", "description", "price")) == [
        ("movielens", "7", "Boat, The (1999)", "Drama", "Drama, War", None),
        ("movielens", "8", "Blank (2001)", "", "", None),
    ]


def test_a_source_whose_users_could_be_taken_for_anothers_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text("external_id,name\n1,Lamp\n")
    run_import("products", file, "--source", "shop")
    run_import("products", file, "--source", "shop_eu")
    for name in ("shop-eu", "shop-eu-2"):
        with pytest.raises(CommandError, match=f"Beside 'shop' the source cannot be called '{name}'"):
            run_import("products", file, "--source", name)
    for name in ("a b", "x" * 65, "a/b"):
        with pytest.raises(CommandError, match="is not 1 to 64 letters"):
            run_import("products", file, "--source", name)
    assert Product.objects.count() == 2
