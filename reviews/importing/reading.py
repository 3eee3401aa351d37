"""Files as records: CSV and TSV by their header, JSON lines by their keys. Nothing is held but the record at hand.

A record that cannot be read is handed out with its `fault`, and reading goes on at the next line: a quote that is never
closed costs the line it stands on, not the rest of the file.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from experiments.errors import Invalid
from reviews.importing.lines import Lines

FORMATS = {"csv": "csv", "tsv": "tsv", "tab": "tsv", "jsonl": "jsonl", "ndjson": "jsonl"}  # by extension
LOOK_AHEAD = 10_000  # JSON lines whose keys are the file's columns


class Record(NamedTuple):
    line: int  # the physical line it starts on, from 1
    end: int  # bytes of the file up to its end
    as_read: list[str]  # all there was
    cells: list[str]  # the wanted columns, or none where there is a fault
    fault: str


class Table(Protocol):
    columns: list[str]
    as_read_columns: list[str]

    def records(self, wanted: Sequence[str]) -> Iterator[Record]: ...


def open_table(path: Path, kind: str = "") -> Table:
    """Raises Invalid for a file that holds no such table, OSError for one that cannot be read."""
    kind = kind or FORMATS.get(path.suffix[1:].lower(), "")
    if not kind:
        raise Invalid("format", f"{path} does not say by its ending what it is: give --format csv, tsv or jsonl.")
    if not path.is_file():
        raise Invalid("file", f"{path} is not a file.")
    return JsonLines(path) if kind == "jsonl" else Separated(path, "\t" if kind == "tsv" else ",")


class Separated:
    """CSV, or TSV with another delimiter. Quotes as in RFC 4180; the first record is the header."""

    def __init__(self, path: Path, delimiter: str) -> None:
        self._path, self._delimiter = path, delimiter
        with path.open("rb") as file:
            header = next(self._rows(file), None)
        if header is None:
            raise Invalid("file", f"{path} is empty.")
        if fault := header.fault or _text_fault(header.as_read, header.as_read):
            raise Invalid("file", f"{path} has no header that can be read: it {fault}.")
        self.columns = self.as_read_columns = [name.strip() for name in header.as_read]

    def records(self, wanted: Sequence[str]) -> Iterator[Record]:
        picked = [self.columns.index(column) for column in wanted]
        with self._path.open("rb") as file:
            rows = self._rows(file)
            next(rows)
            for line, end, row, _, unsplit in rows:
                fault = unsplit or self._fault(row)
                yield Record(line, end, row, [] if fault else [row[index] for index in picked], fault)

    def _fault(self, row: list[str]) -> str:
        if len(row) != len(self.columns):
            return f"has {len(row)} columns, the header has {len(self.columns)}"
        return _text_fault(self.columns, row)

    def _rows(self, file: BinaryIO) -> Iterator[Record]:
        lines = Lines(file)
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        while True:
            start = lines.start_record()
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                first = lines.keep_first()
                yield Record(start, lines.end, [first], [], f"cannot be split into columns: {error}")
                continue
            if row:
                yield Record(start, lines.end, row, [], "")


class JsonLines:
    """One object a line. Numbers stay as they are written, so that no id or price loses a digit; null is blank."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            found = [content for *_, content in islice(self._contents(file), LOOK_AHEAD) if isinstance(content, dict)]
        if not found:
            raise Invalid("file", f"{path} holds no JSON object in its first {LOOK_AHEAD} lines.")
        self.columns = list(dict.fromkeys(key for content in found for key in content))
        self.as_read_columns = ["row"]

    def records(self, wanted: Sequence[str]) -> Iterator[Record]:
        with self._path.open("rb") as file:
            for line, end, text, content in self._contents(file):
                cells, fault = _json_cells(content, wanted) if isinstance(content, dict) else ([], content)
                yield Record(line, end, [text], [] if fault else cells, fault)

    def _contents(self, file: BinaryIO) -> Iterator[tuple[int, int, str, dict[str, object] | str]]:
        """Line, end and text of each line that is not blank, with its object or with what is wrong with it."""
        lines = Lines(file)
        while True:
            start = lines.start_record()
            try:
                text = next(lines)
            except StopIteration:
                return
            except csv.Error as error:
                yield start, lines.end, lines.keep_first(), f"is {error}"
                continue
            if text.strip():
                yield start, lines.end, text.rstrip("\r\n"), _json_object(text)


def _json_object(text: str) -> dict[str, object] | str:
    try:
        content = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        return f"is not JSON: {error}"
    return content if isinstance(content, dict) else "is not a JSON object"


def _json_cells(content: dict[str, object], wanted: Sequence[str]) -> tuple[list[str], str]:
    cells = []
    for column in wanted:
        value = content.get(column)
        if not isinstance(value, str | None):
            return [], f"column {column!r} is neither text nor a number"
        cells.append(value or "")
    return cells, _text_fault(wanted, cells)


def _text_fault(columns: Sequence[str], cells: Sequence[str]) -> str:
    """Why these cells cannot be stored as text, or nothing."""
    try:
        if b"\0" not in "".join(cells).encode():
            return ""
    except UnicodeEncodeError:
        pass
    for column, cell in zip(columns, cells, strict=True):
        if "\0" in cell:
            return f"column {column!r} holds a NUL character"
        if any("\ud800" <= character <= "\udfff" for character in cell):
            return f"column {column!r} is not UTF-8"
    raise AssertionError("one of the cells is at fault")
