"""The log of every prediction, on disk before its answer leaves, in monthly partitions; and who was served a variant.

The table is partitioned by range on `id`, a UUIDv7 whose time bounds the months, so old months can be dropped whole.
What falls outside of every month (the worker that makes them ahead did not run) goes to the default partition and is
moved when its month is made.
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
from django.utils import timezone

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
ONE = f"({', '.join(f'%({name})s' for name in FIELDS)})"
ROW = f"({', '.join(['%s'] * len(FIELDS))})"
EXPOSE = (  # of a variant that was deleted meanwhile nothing is written, and one that is read here stays until then
    f"INSERT INTO {Exposure._meta.db_table} (test_id, variant_id, user_id, prediction_id, created_at)"
    f" SELECT test_id, id, %s, %s, %s FROM {Variant._meta.db_table} WHERE id = %s FOR KEY SHARE ON CONFLICT DO NOTHING"
)
MOST_REMEMBERED = 100_000  # exposures: 15 MB

_exposed: set[tuple[int, int]] = set()  # variant and user, as this process knows them to be in the table


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


def exposure_record(*, variant_id: int, user_id: int, prediction_id: UUID) -> None:
    """Note that the user was served the variant; only the first time in a test counts, and later ones cost nothing."""
    key = (variant_id, user_id)
    if key in _exposed:
        return
    with connection.cursor() as cursor:
        cursor.execute(EXPOSE, [user_id, prediction_id, timezone.now(), variant_id])
    transaction.on_commit(partial(_remember, key))  # what is rolled back is written again the next time


def _remember(key: tuple[int, int]) -> None:
    if len(_exposed) >= MOST_REMEMBERED:
        _exposed.clear()
    _exposed.add(key)


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
