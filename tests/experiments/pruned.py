"""Old months of the log, and pruning them."""

import csv
import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from django.core.management import call_command
from django.utils import timezone

from experiments.models import Watermark
from experiments.uuid7 import uuid7_floor
from tests.experiments.test_partitions import TABLE

MARCH, APRIL, MAY = (datetime(2025, month, 1, tzinfo=UTC) for month in (3, 4, 5))
TABLES = [f"{TABLE}_2025_03", f"{TABLE}_2025_04"]
NASTY = '"quoted" \\ back%slash\n\r\nnew, lines; \\N ☃ \u2028 \U0001f600 \x1f'
Months = Callable[..., None]


def counted(at: datetime | None = None) -> None:
    Watermark.objects.update_or_create(name="rollups", defaults={"upto": uuid7_floor(at or timezone.now())})


def prune(folder: Path | None, *more: str, older_than: str = "2025-05") -> str:
    out = StringIO()
    to = ["--to", str(folder)] if folder else []
    call_command("prune_predictions", "--older-than", older_than, *to, *more, stdout=out, no_color=True, verbosity=0)
    return out.getvalue()


def rows_in(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
