"""A CSV of homes: what is read of it, what is refused and how that is said, and how it is written."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from experiments.errors import DomainError, Invalid
from pricing.homes import columns_named, homes_read, homes_write

HEADER = "bedrooms,bathrooms,sqft,location,price"
GOOD = "3,2.25,1800,98178,500000"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "homes.csv"


def read(path: Path, *lines: str, header: str = HEADER, columns: str = "") -> pd.DataFrame:
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return homes_read(path, columns_named(columns))


def refused(path: Path, *lines: str, header: str = HEADER, columns: str = "") -> str:
    with pytest.raises(Invalid) as caught:
        read(path, *lines, header=header, columns=columns)
    return caught.value.detail


def test_a_row_is_a_home(path: Path) -> None:
    [home] = read(path, GOOD).to_dict("records")
    assert home == {"bedrooms": 3, "bathrooms": 2.25, "sqft": 1800.0, "location": "98178", "price": 500_000.0}
    assert isinstance(home["bedrooms"], int)


@pytest.mark.parametrize("location", ["01234", "98178", "1e5", "NA", "null", "Köln, Süd", 'the "Hill"', "9.0", "東京"])
def test_a_location_stays_the_text_that_it_is(path: Path, location: str) -> None:
    quoted = location.replace('"', '""')
    found = read(path, f'3,2,1800,"{quoted}",500000')
    assert list(found["location"]) == [location]
    homes_write(found, path)
    assert homes_read(path, {}).equals(found)


def test_what_is_written_is_read_as_the_same_numbers(path: Path) -> None:
    found = read(path, "0,0.25,20,Hill,0.01", "100,100,100000,Hill,1e12", "3,1.1,1234.5678901,Hill,333333.33")
    homes_write(found, path)
    assert homes_read(path, {}).equals(found)


def test_columns_come_in_any_order_and_others_are_ignored(path: Path) -> None:
    found = read(path, "synthetic,500000,Hill,1800,2.25,3", header="source,price,location,sqft,bathrooms,bedrooms")
    assert list(found) == HEADER.split(",")
    assert found.loc[0].tolist() == [3, 2.25, 1800, "Hill", 500_000]


def test_a_map_says_which_column_is_which(path: Path) -> None:
    header = "bedrooms,bathrooms,sqft_living,sqft,zipcode,price"
    found = read(path, "3,2,1800,7000,98178,500000", header=header, columns="sqft_living=sqft, zipcode = location")
    assert (found.loc[0, "sqft"], found.loc[0, "location"]) == (1800, "98178")


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_files_of_other_systems_are_read(path: Path, ends: str) -> None:
    path.write_bytes(ends.join(["\ufeff" + HEADER, f" {GOOD.replace(',', ' , ')}", "", GOOD]).encode())
    assert list(homes_read(path, {})["location"]) == ["98178", "98178"]


@pytest.mark.parametrize(
    ("field", "cells", "bound"),
    [
        ("bedrooms", ["-1", "101", "2.5", "", "three", "nan", "inf", "1e400"], "a whole number from 0 to 100"),
        ("bathrooms", ["-0.25", "100.5", "", "-inf"], "a number from 0 to 100"),
        ("sqft", ["0", "19.9", "100001", "1000000000000", "1,800"], "a number from 20 to 100,000"),
        ("location", ["", "  ", "x" * 101, "a\nb", "a\0b"], "a text of 1 to 100 characters on one line"),
        ("price", ["0", "-5", "0.001", "1e13", "$5", "NaN"], "a number from 0.01 to 1,000,000,000,000"),
    ],
)
def test_a_cell_beyond_its_bounds_is_named(path: Path, field: str, cells: list[str], bound: str) -> None:
    place = HEADER.split(",").index(field)
    for cell in cells:
        row = GOOD.split(",")
        row[place] = f'"{cell}"'
        said = refused(path, GOOD, ",".join(row))
        shown = repr(cell.strip()[:40])
        assert said == f"{path}: 1 of 2 rows cannot be learned from.\n  line 3: {field} {shown} is not {bound}"


def test_every_fault_of_a_row_is_named(path: Path) -> None:
    said = refused(path, "x,2,1800,Hill,0")
    assert "line 2: bedrooms 'x' is not a whole number from 0 to 100, price '0' is not a number from 0.01" in said


def test_the_first_ten_bad_rows_are_named_and_the_others_counted(path: Path) -> None:
    said = refused(path, GOOD, *["3,2,0,Hill,500000"] * 1_234, GOOD).splitlines()
    assert said[0] == f"{path}: 1,234 of 1,236 rows cannot be learned from."
    assert [line.split(":")[0] for line in said[1:-1]] == [f"  line {number}" for number in range(3, 13)]
    assert said[-1] == "  and 1,224 more"


def test_the_line_is_the_one_where_the_row_starts(path: Path) -> None:
    said = refused(path, '3,2,1800,"Hill', 'top",500000', "", "3,2,1800,Hill,0")
    assert [line[:8] for line in said.splitlines()[1:]] == ["  line 2", "  line 5"]


@pytest.mark.parametrize(("row", "count"), [("3,2,1800,Hill", 4), (f"{GOOD},more", 6), (" ", 1)])
def test_a_row_of_another_length_is_named(path: Path, row: str, count: int) -> None:
    assert f"line 3: has {count} columns, the header has 5" in refused(path, GOOD, row)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty."),
        (b"\n\n", "is empty."),
        (HEADER.encode(), "has no homes."),
        (f"{HEADER}\n{GOOD}\n3,2,1800,K\xf6ln,1\n".encode("latin-1"), ", line 3: is not UTF-8."),
        (HEADER.encode("utf-16"), ", line 1: is not UTF-8."),
        (f'{HEADER}\n{GOOD}\n3,2,1800,"Hill,1\n'.encode(), ", line 3: cannot be split into columns: unexpected end"),
        (f'{HEADER}\n3,2,1800,"Hill"top,1\n'.encode(), ", line 2: cannot be split into columns: "),
        (f"{HEADER}\n3,2,1800,{'x' * 200_000},1\n".encode(), ", line 2: cannot be split into columns: field larger"),
        (HEADER.replace(",", ";").encode(), f"Its columns: {HEADER.replace(',', ';')}."),
    ],
)
def test_a_file_that_cannot_be_read_is_named(path: Path, content: bytes, says: str) -> None:
    path.write_bytes(content)
    with pytest.raises(Invalid) as caught:
        homes_read(path, {})
    assert caught.value.detail.startswith(str(path))
    assert says in caught.value.detail


def test_no_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"nothing\.csv cannot be read: no such file or directory"):
        homes_read(tmp_path / "nothing.csv", {})
    with pytest.raises(Invalid, match="cannot be read: is a directory"):
        homes_read(tmp_path, {})


def test_all_missing_columns_are_named_with_those_that_there_are(path: Path) -> None:
    said = refused(path, "1,2", header="rooms,price", columns="rooms=bedrooms,area=sqft")
    assert "has no column 'bathrooms', no column 'area', no column 'location': --map" in said
    assert said.endswith("Its columns: rooms, price.")


def test_a_column_that_is_there_twice_is_named_where_it_is_read(path: Path) -> None:
    twice = {"header": f"{HEADER},sqft", "columns": ""}
    assert "has several columns 'sqft'" in refused(path, f"{GOOD},7000", **twice)
    read(path, f"{GOOD},a,b", header=f"{HEADER},note,note")
    read(path, f"{GOOD},7000,1800", header=f"{HEADER},sqft,living", columns="living=sqft")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sqft_living", "--map: 'sqft_living' is not COLUMN=FIELD."),
        ("=sqft", "--map: '=sqft' is not COLUMN=FIELD."),
        ("zipcode=location,", "--map: '' is not COLUMN=FIELD."),
        ("living=area", "--map: there is no field 'area'. The fields are: bedrooms, bathrooms, sqft, location, price."),
        ("living=", "--map: there is no field ''."),
        ("living=sqft,lot=sqft", "--map names sqft twice."),
    ],
)
def test_a_map_that_cannot_be_is_refused(text: str, says: str) -> None:
    with pytest.raises(Invalid) as caught:
        columns_named(text)
    assert caught.value.detail.startswith(says)
    assert caught.value.field == "map"


def test_a_column_may_have_an_equals_sign_in_its_name() -> None:
    assert columns_named("a=b=sqft") == {"sqft": "a=b"}


def test_a_file_that_is_there_is_replaced_whole(path: Path) -> None:
    homes = read(path, GOOD)
    homes_write(pd.concat([homes, homes]), path)
    assert len(homes_read(path, {})) == 2
    assert [one.name for one in path.parent.iterdir()] == ["homes.csv"]


def test_a_write_that_fails_leaves_the_file_that_is_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    homes = read(path, GOOD)
    before = path.read_bytes()

    def full(self: pd.DataFrame, file: Path, **options: Any) -> None:
        file.write_text("bedrooms,ba")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(DomainError, match=r"homes\.csv cannot be written: no space left on device"):
        homes_write(homes, path)
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == ["homes.csv"]


def test_a_file_in_a_folder_that_is_not_there_is_written(tmp_path: Path) -> None:
    homes = read(tmp_path / "given.csv", GOOD)
    homes_write(homes, tmp_path / "new" / "folder" / "homes.csv")
    assert homes_read(tmp_path / "new" / "folder" / "homes.csv", {}).equals(homes)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    homes = read(tmp_path / "given.csv", GOOD)
    (tmp_path / "folder").mkdir()
    for place in (tmp_path / "folder", tmp_path / "given.csv" / "homes.csv"):
        with pytest.raises(DomainError, match=f"{place} cannot be written: "):
            homes_write(homes, place)
