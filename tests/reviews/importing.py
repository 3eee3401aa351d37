"""What the tests of the importers share."""

import csv
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command


def run_import(kind: str, file: Path, *options: Any) -> str:
    """What `manage.py import_<kind> FILE …` prints."""
    out = StringIO()
    call_command(f"import_{kind}", str(file), *map(str, options), stdout=out, stderr=out, no_color=True)
    return out.getvalue()


def counts(printed: str) -> tuple[int, ...]:
    """New, in already, rejected: as a summary says."""
    parts = printed.split(" s: ")[1].split(".")[0].split(", ")
    return tuple(int(part.split()[0].replace(",", "")) for part in parts)


def rejected(file: Path) -> list[list[str]]:
    """The rows beside an imported file that were not good, without the header."""
    path = file.with_name(f"{file.name}.rejected.csv")
    limit = csv.field_size_limit(1 << 22)
    try:
        with path.open(newline="", encoding="utf-8", errors="surrogateescape") as rows:
            return list(csv.reader(rows))[1:]
    finally:
        csv.field_size_limit(limit)
