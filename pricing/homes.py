"""Homes that were sold, in a CSV: read and checked whole, written whole or not at all.

A row is held to the bounds of a question (pricing/ml/price.py), but for homes without a bathroom: registers have some.
"""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from experiments.artifacts import written_whole
from experiments.errors import DomainError, Invalid
from experiments.mltask import Number, Text, bounds
from pricing.ml.price import PriceInput

FIELDS = ("bedrooms", "bathrooms", "sqft", "location", "price")
BOUNDS = {**bounds(PriceInput), "bathrooms": Number(ge=0, le=100), "price": Number(ge=0.01, le=1e12)}
WHOLE = ("bedrooms",)
LISTED = 10  # bad rows that are named


def columns_named(text: str) -> dict[str, str]:
    """`COLUMN=FIELD,…` as the column of each field that is named."""
    named: dict[str, str] = {}
    for entry in text.split(",") if text else ():
        column, _, field = (part.strip() for part in entry.rpartition("="))
        if not column:
            raise Invalid("map", f"--map: {entry!r} is not COLUMN=FIELD.")
        if field not in FIELDS:
            raise Invalid("map", f"--map: there is no field {field!r}. The fields are: {', '.join(FIELDS)}.")
        if field in named:
            raise Invalid("map", f"--map names {field} twice.")
        named[field] = column
    return named


def homes_read(path: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    """Columns bedrooms (int), bathrooms, sqft, price (float) and location (str, as it stands there). A field is read
    from the column that `columns` says, else from the one of its name; other columns are ignored.

    Raises Invalid for a file that cannot be read, one without homes, and one with bad rows: it names the first LISTED
    of them by line, field and bound.
    """
    rows = _rows(path)
    _, header = next(rows, (0, []))
    if not header:
        raise Invalid("data", f"{path} is empty.")
    places = _places(path, header, columns)
    homes, bad = [], []
    for line, cells in rows:
        if found := _faults(cells, places, len(header)):
            bad.append(f"line {line}: {', '.join(found)}")
        else:
            homes.append([cells[place] for place in places.values()])
    if bad:
        more = [f"and {len(bad) - LISTED:,} more"] if len(bad) > LISTED else []
        count = f"{len(bad):,} of {len(bad) + len(homes):,} rows cannot be learned from"
        raise Invalid("data", "\n  ".join([f"{path}: {count}.", *bad[:LISTED], *more]))
    if not homes:
        raise Invalid("data", f"{path} has no homes.")
    frame = pd.DataFrame(homes, columns=list(places))
    numbers = {name: frame[name].map(float) for name in places if name != "location"}
    return frame.assign(**numbers).astype(dict.fromkeys(WHOLE, int))


def homes_write(homes: pd.DataFrame, path: Path) -> None:
    """In the place of the file that is there, if one is. Raises DomainError where that cannot be."""
    try:
        with written_whole(path) as draft:
            homes.to_csv(draft, index=False)
    except OSError as error:
        raise DomainError(f"{path} cannot be written: {_why(error)}.") from error


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The line that a row starts on and its cells; the header comes first."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Invalid("data", f"{path} cannot be read: {_why(error)}.") from error
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = 1 + data.count(b"\n", 0, error.start)
        raise Invalid("data", f"{path}, line {line}: is not UTF-8.") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise Invalid("data", f"{path}, line {line}: cannot be split into columns: {error}.") from error
        if cells is None:
            return
        if cells:
            yield line, [cell.strip() for cell in cells]


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _places(path: Path, header: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    """Where each field stands in a row."""
    wanted = {field: columns.get(field, field) for field in FIELDS}
    missing = [f"no column {name!r}" for name in wanted.values() if name not in header]
    twice = [f"several columns {name!r}" for name in wanted.values() if header.count(name) > 1]
    if missing or twice:
        listed = ", ".join(header)[:500]
        found = ", ".join(missing + twice)
        raise Invalid("data", f"{path} has {found}: --map COLUMN=FIELD,… says what to read. Its columns: {listed}.")
    return {field: header.index(name) for field, name in wanted.items()}


def _faults(cells: Sequence[str], places: Mapping[str, int], count: int) -> list[str]:
    if len(cells) != count:
        return [f"has {len(cells)} columns, the header has {count}"]
    return [fault for field, place in places.items() if (fault := _fault(field, cells[place]))]


def _fault(field: str, cell: str) -> str:
    """What is wrong with a cell, or nothing."""
    said, whole = f"{field} {cell[:40]!r} is not a", field in WHOLE
    match BOUNDS[field]:
        case Text(max_length=most, min_length=least):
            printable = not any(character < " " for character in cell)  # the file would be read otherwise than written
            if not printable or not least <= len(cell) <= most:
                return f"{said} text of {least} to {most} characters on one line"
        case Number(ge=low, le=high):
            try:
                value = float(cell)
            except ValueError:
                value = math.nan
            if not low <= value <= high or (whole and value % 1):
                return f"{said} {'whole ' * whole}number from {low:,} to {high:,.0f}"
    return ""
