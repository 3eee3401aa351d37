"""The physical lines of a file, as text, counted, with the possibility to step back.

Bytes that are not UTF-8 come as surrogates, so that they can be told and be written out again as they were.
"""

import csv
from codecs import BOM_UTF8
from collections import deque
from typing import BinaryIO, NamedTuple

RECORD_LIMIT = 1 << 20  # bytes of a line, characters of a record of several lines


class Line(NamedTuple):
    text: str
    size: int  # bytes
    cut: bool


class Lines:
    """An iterator for csv.reader, which makes records of one or more lines. Memory is bounded by RECORD_LIMIT.

    `number` and `end` are those of the last line handed out: its count from 1, the bytes up to its end.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._record: list[Line] = []
        self._again: deque[Line] = deque()
        self._length = 0
        self.number = self.end = 0

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read()
        self._record.append(line)
        self._length += len(line.text)
        self.number += 1
        self.end += line.size
        if line.cut or self._length > RECORD_LIMIT:
            raise csv.Error(f"longer than {RECORD_LIMIT} characters")
        return line.text

    def start_record(self) -> int:
        """The number of the line that comes next."""
        self._record.clear()
        self._length = 0
        return self.number + 1

    def keep_first(self) -> str:
        """The first line of the record; the others will be handed out again."""
        first, *others = self._record
        self._again.extendleft(reversed(others))
        self.number -= len(others)
        self.end -= sum(line.size for line in others)
        return first.text.rstrip("\r\n")

    def _read(self) -> Line:
        raw = last = self._file.readline(RECORD_LIMIT)
        if not raw:
            raise StopIteration
        size = len(raw)
        while len(last) == RECORD_LIMIT and not last.endswith(b"\n"):
            last = self._file.readline(RECORD_LIMIT)
            size += len(last)
        text = raw if self.end else raw.removeprefix(BOM_UTF8)
        return Line(text.decode("utf-8", "surrogateescape"), size, cut=size > len(raw))
