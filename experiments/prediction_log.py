"""The log of every prediction, on disk before its answer leaves, in monthly partitions; and who was served a variant.

The table is partitioned by range on `id`, a UUIDv7 whose time bounds the months, so old months can be dropped whole.
What falls outside of every month (the worker that makes them ahead did not run) goes to the default partition and is
moved when its month is made.

A user who met a variant of a test keeps it while the test runs, also when its weights are changed. Which one that is,
the insert of the exposure gives back, so it costs no query of its own, and nothing at all once a process knows it.
"""

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction

from experiments.errors import NotFound
from experiments.mltask import Image, digest_of, digested, field_names, to_json
from experiments.models import Exposure, Prediction, Variant
from experiments.prepared import execute
from experiments.uuid7 import uuid7_floor

MAX_TEXT = 10_000  # characters of a logged text
MAX_ITEMS = 100  # of a logged sequence
TABLE = Prediction._meta.db_table
FIELDS = [field.attname for field in Prediction._meta.concrete_fields]
JSON_FIELDS = {"input", "output"}
INSERT = f"INSERT INTO {TABLE} ({', '.join(FIELDS)}) VALUES "
VALUES = ", ".join(f"%({name})s" for name in FIELDS)
ONE = f"({VALUES})"
ROW = f"({', '.join(['%s'] * len(FIELDS))})"
EXPOSURES = Exposure._meta.db_table
# Of a variant that was deleted meanwhile no exposure is written, and one that is read here stays until the end. What a
# conflict sets is what was there: only a row that is written is given back. The answer of another variant than that of
# the row is not logged.
EXPOSE = f"""
WITH exposed AS (
    INSERT INTO {EXPOSURES} (test_id, variant_id, user_id, prediction_id, created_at)
    SELECT test_id, id, %(user_id)s, %(id)s, %(created_at)s FROM {Variant._meta.db_table} WHERE id = %(variant_id)s
    FOR KEY SHARE
    ON CONFLICT (user_id, test_id) DO UPDATE SET prediction_id = {EXPOSURES}.prediction_id
    RETURNING variant_id
), logged AS (
    INSERT INTO {TABLE} ({", ".join(FIELDS)})
    SELECT {VALUES} WHERE NOT EXISTS (SELECT FROM exposed WHERE variant_id <> %(variant_id)s)
)
SELECT variant_id FROM exposed
"""
MOST_REMEMBERED = 100_000  # exposures: 15 MB

_exposed: dict[tuple[int, int], int] = {}  # variants by test and user, as this process knows them to be in the table


def prediction_record(rows: Sequence[Prediction]) -> None:
    """Write the rows in one statement; in the caller's transaction when there is one, else committed when this
    returns. An input may still be the task's dataclass.

    One hand-written statement and no transaction around it: every answer waits for this, and the ORM's bulk_create
    takes three round trips and twice the time.
    """
    if not rows:
        return
    written = [_written(row) for row in rows]
    with connection.cursor() as cursor:
        if len(rows) == 1:
            execute(cursor, INSERT + ONE, written[0])
        else:
            values = [one[name] for one in written for name in FIELDS]
            cursor.execute(INSERT + ", ".join([ROW] * len(rows)), values)


def _written(row: Prediction) -> dict[str, Any]:
    row.input = shortened(row.input)
    values = {name: getattr(row, name) for name in FIELDS}
    return values | {name: orjson.dumps(values[name]).decode() for name in JSON_FIELDS}


def shortened(value: Any) -> Any:
    """A logged input, small and ready for orjson: texts cut to MAX_TEXT characters, sequences to their first MAX_ITEMS.
    What is cut is never converted (a history may have ten thousand items), nor is a dataclass without anything to cut,
    which orjson writes as it is.
    """
    if value is None or isinstance(value, int | float):
        return to_json(value)
    if isinstance(value, str):
        return to_json(value[:MAX_TEXT])
    if isinstance(value, tuple | list):
        return [shortened(inner) for inner in value[:MAX_ITEMS]]
    if dataclasses.is_dataclass(value) and not isinstance(value, type | Image):
        return value if _fixed(type(value)) else _fields(value)
    if isinstance(value, Mapping):
        return {to_json(name): shortened(inner) for name, inner in value.items()}
    return to_json(value)


def _fields(value: Any) -> dict[str, Any]:
    kind: Any = type(value)
    short = digested(kind)
    return {name: (digest_of if name in short else shortened)(getattr(value, name)) for name in field_names(kind)}


@lru_cache
def _fixed(kind: Any) -> bool:
    """A dataclass of numbers and choices alone."""
    hints = typing.get_type_hints(kind).values()
    return all(hint in (int, float, bool) or typing.get_origin(hint) is typing.Literal for hint in hints)


def exposed_to(test_id: int, user_id: int) -> int | None:
    """The variant that the user met in this test, where this process knows."""
    return _exposed.get((test_id, user_id))


def exposure_record(row: Prediction, *, test_id: int, variant_id: int) -> int:
    """Write the prediction, and that its user was served the variant by it; only the first time in a test is noted.

    Gives the variant that is the user's. If that is another one, which they were served before, nothing is written: it
    is that one's turn to answer.
    """
    key = (test_id, int(row.user_id))  # type: ignore[arg-type]  # visitors are in no test
    if _exposed.get(key) == variant_id:
        prediction_record([row])
        return variant_id
    with connection.cursor() as cursor:
        execute(cursor, EXPOSE, _written(row) | {"variant_id": variant_id})
        found = cursor.fetchone()
    if not found:
        return variant_id
    transaction.on_commit(partial(_remember, key, found[0]))  # what is rolled back is written again the next time
    return int(found[0])


def variant_met(*, test_id: int, user_id: int) -> int | None:
    """The variant that a user was served first in a test, whatever this process knows of it."""
    found = Exposure.objects.filter(test_id=test_id, user_id=user_id).values_list("variant_id", flat=True).first()
    if found:
        _remember((test_id, user_id), found)
    return found


def exposures_forget() -> None:
    """Ask the table again: it is another one."""
    _exposed.clear()


def _remember(key: tuple[int, int], variant_id: int) -> None:
    if len(_exposed) >= MOST_REMEMBERED:
        _exposed.clear()
    _exposed[key] = variant_id


def prediction_get(*, prediction_id: UUID, user: Any) -> Prediction:
    """One's own prediction (staff: anyone's). A stranger's is as missing as one that never was."""
    mine = Prediction.objects.all() if user.is_staff else Prediction.objects.filter(user_id=user.pk)
    found = mine.filter(pk=prediction_id).first()
    if not found:
        raise NotFound(f"There is no prediction {prediction_id} of yours.")
    return found


def months_ahead(now: datetime, count: int) -> list[datetime]:
    """The first moments of this month and the `count` after it."""
    first = now.year * 12 + now.month - 1
    return [datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in range(first, first + count + 1)]


def partitions_ensure(*, now: datetime, ahead: int = 2) -> list[str]:
    """Make the partitions of this month and of `ahead` more where they are missing; gives the names of the new ones."""
    made = []
    starts = months_ahead(now, ahead + 1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [TABLE])
        for start, end in pairwise(starts):
            name = f"{TABLE}_{start:%Y_%m}"
            cursor.execute("SELECT to_regclass(%s)", [name])
            if cursor.fetchone()[0]:
                continue
            bounds = [str(uuid7_floor(start)), str(uuid7_floor(end))]
            if start <= now:  # its rows come into the default partition all the time: they wait until it is there
                cursor.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")
            cursor.execute(f"CREATE TABLE {name} (LIKE {TABLE} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
            cursor.execute(
                f"WITH moved AS (DELETE FROM {TABLE}_default WHERE id >= %s AND id < %s RETURNING *)"
                f" INSERT INTO {name} SELECT * FROM moved",
                bounds,
            )
            cursor.execute(f"ALTER TABLE {TABLE} ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)", bounds)
            made.append(name)
    return made
