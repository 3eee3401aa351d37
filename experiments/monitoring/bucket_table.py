"""What each bucket of a version had, as rows of a table. Pure.

They are thousands of cells on one page, which a template takes ten times as long for. Nothing but numbers and times is
in them, so nothing is to be escaped.
"""

from collections.abc import Sequence
from datetime import datetime

from experiments.monitoring.report import OverTime
from experiments.wording import UNKNOWN, number


def bucket_rows(buckets: Sequence[datetime], over: OverTime) -> str:
    """When, then predictions, errors, fallbacks, p50, p95 and p99 in ms: the newest first, without those in which the
    version was not asked.
    """
    columns = (over.predictions, over.errors, over.fallbacks, over.p50, over.p95, over.p99)
    rows = [_row(at, found[:3], found[3:]) for at, *found in zip(buckets, *columns, strict=True) if found[0]]
    return "".join(reversed(rows))


def _row(at: datetime, counts: Sequence[int], times: Sequence[float | None]) -> str:
    cells = [*(f"{count:,}" for count in counts), *(UNKNOWN if ms is None else number(ms) for ms in times)]
    return f'<tr><th scope="row">{at:%Y-%m-%d %H:%M}</th><td>{"</td><td>".join(cells)}</td></tr>'
