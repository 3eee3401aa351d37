"""Texts of people stay in the log of predictions for PREDICTION_TEXT_DAYS; then their digest and their length stand in
their place. What was answered, how sure, how fast and for whom stays.
"""

from datetime import datetime, timedelta
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from experiments.discovery import tasks
from experiments.models import Prediction
from experiments.monitoring.texts import UNKNOWN, digest_texts, has_texts
from experiments.monitoring.watermarks import watermark_locked
from experiments.uuid7 import uuid7_floor

NAME = "texts"  # of the watermark
BATCH = 500
MOST = 100_000  # predictions in one run
UPDATE = f"""
UPDATE {Prediction._meta.db_table} AS row SET input = new.input::jsonb, output = new.output::jsonb
FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS new (id, input, output)
WHERE row.id = new.id AND row.id >= %s AND row.id <= %s
"""


def texts_digest(*, now: datetime) -> tuple[int, bool]:
    """Take the texts out of what is older; gives how many predictions had any. A run ends after MOST that might have
    had: then there is more to do.
    """
    if not settings.PREDICTION_TEXT_DAYS:
        return 0, False
    end, done = uuid7_floor(now - timedelta(days=settings.PREDICTION_TEXT_DAYS)), 0
    for _ in range(MOST // BATCH):
        changed, more = _batch(end)
        done += changed
        if not more:
            return done, False
    return done, True


@transaction.atomic
def _batch(end: UUID) -> tuple[int, bool]:
    """How many had texts, and whether there may be more."""
    mark = watermark_locked(NAME)
    rows = list(_waiting().filter(id__gte=mark.upto, id__lt=end).order_by("id")[:BATCH])
    changed = [row for row in rows if _digest(row)]
    if changed:
        _write(changed)
    more = len(rows) == BATCH
    mark.upto = UUID(int=rows[-1].pk.int + 1) if more else end  # back too, where texts are kept for longer than before
    mark.save()
    return len(changed), more


def _waiting() -> QuerySet[Prediction]:
    """Predictions of tasks without any text need not be read."""
    without = [name for name, task in tasks().items() if not has_texts(task.input) and not has_texts(task.output)]
    return Prediction.objects.exclude(task__in=without).only("id", "task", "input", "output", "status")


def _digest(row: Prediction) -> bool:
    """Gives whether it had any. What stands in the place of an answer that failed is the name of the error."""
    task = tasks().get(row.task)
    asked = digest_texts(task.input if task else UNKNOWN, row.input)
    failed = row.status == Prediction.Status.ERROR
    return (not failed and digest_texts(task.output if task else UNKNOWN, row.output)) or asked


def _write(rows: list[Prediction]) -> None:
    ids = [str(row.pk) for row in rows]
    inputs, outputs = ([orjson.dumps(getattr(row, name)).decode() for row in rows] for name in ("input", "output"))
    with connection.cursor() as cursor:
        cursor.execute(UPDATE, [ids, inputs, outputs, ids[0], ids[-1]])
