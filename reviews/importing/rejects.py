"""The rows that did not go in: line, field, reason, then the row as it was read."""

import csv
import io
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple


class Reject(NamedTuple):
    line: int
    field: str
    reason: str


class Rejects:
    """Collects rows in a nameless file of the folder where `save` puts them: two imports of one file do not mix theirs,
    and one that is killed leaves nothing behind. Raises OSError at once where the folder cannot be written.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path = path
        self.count = 0
        self._bytes = TemporaryFile(dir=path.absolute().parent)  # noqa: SIM115 - `save` closes it
        # Bytes that were no UTF-8 come out as they came in.
        self._text = io.TextIOWrapper(self._bytes, encoding="utf-8", errors="surrogateescape", newline="")
        self._writer = csv.writer(self._text)
        self._writer.writerow(["line", "field", "reason", *columns])

    def add(self, reject: Reject, as_read: Sequence[str]) -> None:
        self.count += 1
        self._writer.writerow([*reject, *as_read])

    def save(self) -> None:
        """Write them, also over what an earlier run rejected; without any, no new file is made."""
        with self._text:
            if not self.count and not self.path.exists():
                return
            self._text.flush()
            self._bytes.seek(0)
            with self.path.open("wb") as file:
                shutil.copyfileobj(self._bytes, file)
