"""`--map`, `--preset`, `--format`: what does not fit is said before a row is read, with what there is instead."""

from pathlib import Path

import pytest
from django.core.management import load_command_class
from django.core.management.base import CommandError

from reviews.models import Product
from tests.reviews.importing import run_import

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "things.csv"
    file.write_text('id,Brand,Model,"A, B",id\n1,Acme,X 2,both,9\n2,,Y,both,9\n')
    return file


def test_several_columns_make_one_field(file: Path) -> None:
    run_import("products", file, "--map", "{Brand} {Model}=name, Brand=category")
    assert list(Product.objects.values_list("name", "category")) == [("Acme X 2", "Acme"), ("Y", "")]


def test_a_column_with_a_comma_is_quoted_and_maps_add_up(file: Path) -> None:
    run_import("products", file, "--map", '"A, B=category"', "--map", "Model=name")
    assert list(Product.objects.values_list("name", "category")) == [("X 2", "both"), ("Y", "both")]


def test_one_column_can_feed_two_fields(file: Path) -> None:
    run_import("products", file, "--map", "Model=name,Model=description")
    assert list(Product.objects.values_list("name", "description")) == [("X 2", "X 2"), ("Y", "Y")]


def test_a_map_changes_single_fields_of_a_preset(tmp_path: Path) -> None:
    file = tmp_path / "movies.csv"
    file.write_text("movieId,title,genres,year\n1,Boat,Drama,1999\n")
    run_import("products", file, "--preset", "movielens", "--map", "year=category")
    assert Product.objects.values_list("source", "name", "category", "description").get() == (
        "movielens", "Boat", "1999", "Drama",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Model", "'Model' is not column=field"),
        ("Model=title", "There is no field 'title'. The fields are: external_id, name, description"),
        ("Colour=name", "name wants the column 'Colour'. The file has: 'id', 'Brand', 'Model', 'A, B', 'id'"),
        ("{Brand} {Colour}=name", "name wants the column 'Colour'"),
        ("Model=category", "Nothing feeds name: name columns with --map. The file has: 'id', 'Brand'"),
        ("Model=name,id=external_id", "the column 'id', and the file has two of that name"),
        ("Brand=name,Model=name", "names 'name' twice; join columns as in '{first} {second}=name'"),
        ("", "Nothing feeds name"),
    ],
)
def test_a_map_that_does_not_fit_is_refused_before_a_row_is_read(file: Path, text: str, message: str) -> None:
    with pytest.raises(CommandError) as refused:
        run_import("products", file, "--map", text)
    assert message in str(refused.value)
    assert not Product.objects.exists()


def test_products_made_on_the_way_need_a_name(tmp_path: Path) -> None:
    file = tmp_path / "r.csv"
    file.write_text("user,product,value,kind\n1,p,4,Pots\n")
    with pytest.raises(CommandError, match=r"it must feed product\.name too"):
        run_import("ratings", file, "--map", "user=user,product=product,value=value,kind=product.category")


def test_keys_that_not_every_json_line_has_can_be_mapped(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    file.write_text('{"name": "A"}\n{"name": "B", "kind": "Pots"}\n')
    run_import("products", file, "--map", "name=name,kind=category")
    assert list(Product.objects.values_list("name", "category")) == [("A", ""), ("B", "Pots")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.csv", b"", "is empty"),
        ("p.csv", b"\n\n", "is empty"),
        ("p.jsonl", b"", "holds no JSON object"),
        ("p.jsonl", b'["name"]\n', "holds no JSON object"),
        ("p.csv", "name\nLamp\n".encode("utf-16"), "has no header that can be read"),
        ("p.csv", b'name,"kind\nLamp,x\n', "has no header that can be read: it cannot be split"),
        ("p.txt", b"name\nLamp\n", "give --format csv, tsv or jsonl"),
        ("p", b"name\nLamp\n", "give --format csv, tsv or jsonl"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(CommandError, match=message):
        run_import("products", file)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    for file in (tmp_path / "missing.csv", folder):
        with pytest.raises(CommandError, match="is not a file"):
            run_import("products", file)


def test_a_given_format_goes_before_the_ending(tmp_path: Path) -> None:
    file = tmp_path / "p.txt"
    file.write_text("name\tcategory\nLamp, tall\tLight\n")
    run_import("products", file, "--format", "tsv")
    assert Product.objects.get().name == "Lamp, tall"


def test_a_header_alone_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text("name\n")
    assert "0 products read" in run_import("products", file)


@pytest.mark.parametrize(
    ("command", "presets"),
    [("import_products", "{movielens,clothing}"), ("import_reviews", "{clothing}"), ("import_ratings", "{movielens}")],
)
def test_help_lists_the_fields_and_the_presets(command: str, presets: str) -> None:
    text = load_command_class("reviews", command).create_parser("manage.py", command).format_help()
    assert presets in text
    assert "(required)" in text
