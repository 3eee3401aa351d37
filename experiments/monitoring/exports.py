"""A table of old predictions as a file: CSV, compressed, and read back before anything rests on it.

The file can be read into a table again: `gunzip -c FILE | psql -c "COPY table FROM STDIN (FORMAT csv, HEADER, NULL
'\\N')"`. What it holds is held against the table by a checksum that both count on their own: Postgres of its columns,
this module of what it reads in the file. The order of rows does not count.
"""

import csv
import gzip
import hashlib
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from zlib import error as ZlibError  # noqa: N812  (a class, which zlib names in lower case)

from django.db import connection

from experiments.artifacts import sync_folder
from experiments.errors import DomainError
from experiments.mltask import Progress
from experiments.prediction_log import FIELDS
from experiments.results.scope import snapshot

NULL, BETWEEN = r"\N", "\x1f"
DRAFT = ".part.csv.gz"
TEXTS = ", ".join(f"{name}::text" for name in FIELDS)
CONTENTS = f"""
SELECT count(*), coalesce(sum(('x' || left(md5(array_to_string(ARRAY[{TEXTS}], %s, %s)), 16))::bit(64)::bigint), 0)
FROM {{table}}
"""
COPY = f"COPY {{table}} ({', '.join(FIELDS)}) TO STDOUT (FORMAT csv, HEADER, NULL '{NULL}')"
BROKEN = (OSError, EOFError, ZlibError, csv.Error, UnicodeDecodeError)  # what a file that is not whole raises


@dataclass(frozen=True)
class Contents:
    rows: int
    checksum: int


class Counted:
    """Passes on what COPY writes, and shows how many rows that were."""

    def __init__(self, file: IO[bytes] | gzip.GzipFile, total: int, what: str, progress: Progress) -> None:
        self.file, self.total, self.what, self.progress, self.rows = file, total, what, progress, 0

    def write(self, data: bytes) -> int:
        self.rows += data.count(b"\n")
        self.progress(min(self.rows, self.total), self.total, self.what)
        return self.file.write(data)


def contents_of(table: str) -> Contents:
    with connection.cursor() as cursor:
        cursor.execute(CONTENTS.format(table=table), [BETWEEN, NULL])
        rows, checksum = cursor.fetchone()
    return Contents(rows, int(checksum))


def contents_in(path: Path) -> Contents | None:
    """None where the file is not whole or holds something else."""
    limit = csv.field_size_limit(sys.maxsize)  # of the whole process: importers have the usual one
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            lines = csv.reader(file)
            return _summed(lines) if next(lines, None) == FIELDS else None
    except BROKEN:
        return None
    finally:
        csv.field_size_limit(limit)


def _summed(lines: Iterable[list[str]]) -> Contents:
    rows = checksum = 0
    for line in lines:
        digest = hashlib.md5(BETWEEN.join(line).encode(), usedforsecurity=False).digest()
        checksum += int.from_bytes(digest[:8], "big", signed=True)
        rows += 1
    return Contents(rows, checksum)


def exported(table: str, folder: Path, progress: Progress) -> tuple[Path, Contents]:
    """A file on disk that holds the table as it is: one that is there already, or a draft, which may take the place of
    the draft of a run that did not come to its end. Raises DomainError where it cannot be written, or does not hold
    what it should.
    """
    found, draft = contents_of(table), folder / f"{table}{DRAFT}"
    for path in sorted(folder.glob(f"{table}*.csv.gz")):
        if contents_in(path) == found:
            return path, found
    try:
        written = _write(table, draft, progress)
    except OSError as error:
        raise DomainError(f"{draft} cannot be written: {error.strerror}. {table} stays.") from error
    return draft, written


def kept(path: Path, table: str) -> Path:
    """A draft gets its name, one that no file has."""
    if not path.name.endswith(DRAFT):
        return path
    number = 1
    while (named := path.with_name(f"{table}.csv.gz" if number == 1 else f"{table}.{number}.csv.gz")).exists():
        number += 1
    path.rename(named)
    sync_folder(path.parent)
    return named


def _assert_on_disk(draft: Path, wanted: Contents, table: str) -> None:
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    if contents_in(draft) != wanted:
        raise DomainError(f"{draft} does not hold what was written to it. {table} stays.")


def _write(table: str, draft: Path, progress: Progress) -> Contents:
    """Of one moment of the table; only the owner may read the file. What is not whole does not stay."""
    draft.touch(mode=0o600)
    try:
        with gzip.open(draft, "wb", compresslevel=6) as file, snapshot(), connection.cursor() as cursor:
            found = contents_of(table)
            cursor.copy_expert(COPY.format(table=table), Counted(file, found.rows, table, progress))
        _assert_on_disk(draft, found, table)
    except BaseException:
        draft.unlink()
        raise
    return found
