"""Old months of the log of predictions, moved into files. A month is dropped only after a file on disk was read back
and holds all of it.

Writing the file holds nobody up. What is changed meanwhile (a person's predictions are erased, texts are taken out) is
seen once the month is detached, when nobody can change it any more, and the file is then written anew. Only then the
file gets its name. What fails meanwhile puts the month back; where a run is killed, the next one finds what it left by
the name of the table and goes on from there.
"""

import re
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from experiments.errors import Conflict, Invalid
from experiments.mltask import Progress
from experiments.models import Prediction
from experiments.monitoring import rollups, watermarks
from experiments.monitoring.exports import contents_of, exported, kept
from experiments.prediction_log import months_ahead, partitions_ensure
from experiments.uuid7 import uuid7_floor, uuid7_time

TABLE = Prediction._meta.db_table
LOCK = 0x9121E57  # of the advisory lock: any number, the same for all
TRIES = 20
WAIT_S = 1.0  # for the log: as long as that, who asks for a prediction waits behind
MONTH = re.compile(rf"{TABLE}_(\d{{4}})_(\d\d)")
TABLES = """
SELECT relname FROM pg_class WHERE relkind = 'r'
AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = %s::regclass) ORDER BY relname
"""


@dataclass(frozen=True)
class Pruned:
    """A month that is in this file alone now."""

    table: str
    rows: int
    path: Path


def months_before(bound: datetime) -> list[str]:
    """The tables of the months before, the oldest first. One that a killed run has detached already is among them."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES, [TABLE])
        found = [(MONTH.fullmatch(name), name) for (name,) in cursor.fetchall()]
    return [name for match, name in found if match and datetime(int(match[1]), int(match[2]), 1, tzinfo=UTC) < bound]


def rows_before(bound: datetime) -> dict[str, int]:
    """How many predictions each of these tables has. Those of months that were never made lie in the default one."""
    found = {}
    with connection.cursor() as cursor:
        for table in [*months_before(bound), f"{TABLE}_default"]:
            cursor.execute(f"SELECT count(*) FROM {table} WHERE id < %s", [str(uuid7_floor(bound))])
            found[table] = int(cursor.fetchone()[0])
    return found


def predictions_prune(*, before: datetime, folder: Path, now: datetime, progress: Progress) -> Generator[Pruned]:
    """Move each month before `before`, the first moment of a month, to a file in `folder`; gives them as they are done.

    Raises Invalid for a month that is not over, or no folder; Conflict where another run is at it, the rollups have not
    come so far, or the log is too busy; DomainError where a file cannot be written. All that was not given stays.
    """
    assert_prunable(before=before, now=now)
    if not folder.is_dir():
        raise Invalid("to", f"There is no folder {folder}.")
    with _alone():
        for table in _tables(before):
            path, found = exported(table, folder, progress)
            _detach(table)
            try:
                if contents_of(table) != found:
                    path.unlink()  # it may hold what was erased since
                    path, found = exported(table, folder, progress)
                path = kept(path, table)
            except BaseException:
                _attach(table)
                raise
            with connection.cursor() as cursor:
                cursor.execute(f"DROP TABLE {table}")
            yield Pruned(table, found.rows, path)


def assert_prunable(*, before: datetime, now: datetime) -> None:
    this_month = months_ahead(now, 0)[0]
    if before > this_month:
        raise Invalid("older_than", f"Expected {this_month:%Y-%m} or earlier: months that are not over stay.")
    as_of, enough = watermarks.reached(rollups.NAME), before + rollups.LONGEST  # of which nothing is counted anew
    if as_of is None or as_of < enough:
        upto = f"counted up to {as_of:%Y-%m-%d %H:%M}" if as_of else "not counted yet"
        raise Conflict(f"Predictions are {upto}. Let the worker run until it has come to {enough:%Y-%m-%d %H:%M} UTC.")


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise Conflict("Another run is pruning predictions now.")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _tables(before: datetime) -> Iterator[str]:
    yield from months_before(before)
    oldest = Prediction.objects.filter(id__lt=uuid7_floor(before)).order_by("id").values_list("id", flat=True)
    while (first := oldest.first()) and (made := _made(uuid7_time(first))):
        yield from made  # months that were never made


def _made(at: datetime) -> list[str]:
    made: list[str] = []
    _briefly(f"{TABLE}_default", lambda _: made.extend(partitions_ensure(now=at, ahead=0)))
    return made


def _detach(table: str) -> None:
    """Take the table out of the log, if it is in it."""

    def detach(cursor: CursorWrapper) -> None:
        cursor.execute("SELECT relispartition FROM pg_class WHERE oid = %s::regclass", [table])
        if cursor.fetchone()[0]:
            cursor.execute(f"ALTER TABLE {TABLE} DETACH PARTITION {table}")

    _briefly(table, detach)


def _attach(table: str) -> None:
    """Put it back."""
    year, month = table.split("_")[-2:]
    bounds = [str(uuid7_floor(at)) for at in months_ahead(datetime(int(year), int(month), 1, tzinfo=UTC), 1)]
    _briefly(table, lambda cursor: cursor.execute(
        f"ALTER TABLE {TABLE} ATTACH PARTITION {table} FOR VALUES FROM (%s) TO (%s)", bounds
    ))  # fmt: skip


def _briefly(table: str, change: Callable[[CursorWrapper], None]) -> None:
    """Nobody waits for longer than WAIT_S until it has the locks that it takes."""
    for _ in range(TRIES):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = %s", [int(WAIT_S * 1000)])
                change(cursor)
            return
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", "") != "55P03":  # lock_not_available
                raise
            time.sleep(WAIT_S)
    raise Conflict(f"The log of predictions was in use all the time: {table} stays. Try again.")
