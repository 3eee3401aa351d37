"""A sample of the predictions of a time, each as likely as any other, without reading what they say.

Up to READ ids are read and thinned evenly. Where a time has more, it is cut into slices of equal length, and of each
slice a piece at a place drawn by chance is read, half as long at each try. So a busy hour counts for more than a quiet
one, as it does in the log.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from experiments.models import Prediction
from experiments.uuid7 import uuid7_floor

MOST = 5_000  # predictions of a sample
READ = 100_000  # ids
SLICES = 500
SHORTEST = timedelta(milliseconds=1)  # what an id tells apart
SQL = f"""
SELECT found.id FROM unnest(%(starts)s::uuid[], %(ends)s::uuid[]) AS piece (start, stop)
CROSS JOIN LATERAL (
    SELECT id FROM {Prediction._meta.db_table} WHERE task = %(task)s AND id >= piece.start AND id < piece.stop
) AS found LIMIT %(limit)s
"""  # of the index of the task alone: anything else that were asked for here would be read from the rows


@dataclass(frozen=True)
class Window:
    """From `start` on, up to and without `end`."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start


def sampled(*, task: str, window: Window) -> list[UUID]:
    """Ids of MOST predictions of the task in the window, as they came; of all where there are fewer."""
    slice_length, pieces, draw = window.length / SLICES, 1, random.Random(0)
    while True:
        piece = slice_length / pieces
        starts = [window.start + slice_length * at + piece * draw.randrange(pieces) for at in range(SLICES)]
        ids = _between(task, starts, piece)
        if len(ids) <= READ or piece <= SHORTEST:
            return _evenly(ids)
        pieces *= 2


def _between(task: str, starts: Sequence[datetime], length: timedelta) -> list[UUID]:
    """More than READ are not given."""
    bounds = {
        "starts": [uuid7_floor(start) for start in starts],
        "ends": [uuid7_floor(start + length) for start in starts],
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL, {**bounds, "task": task, "limit": READ + 1})
        return sorted(row[0] for row in cursor.fetchall())


def _evenly(ids: list[UUID]) -> list[UUID]:
    return ids if len(ids) <= MOST else [ids[len(ids) * at // MOST] for at in range(MOST)]
