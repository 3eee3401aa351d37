"""Predictions added up by the minute, minutes by the hour, hours by the day, in steps that commit or leave nothing.

An id is made before its row can be seen, so the last minutes are counted anew each time: from LATE before the start of
the oldest transaction that was writing while the step before read, and of at most LONGEST. What a step counts takes the
place of what was counted of these minutes before, so nothing counts twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection, transaction

from experiments.models import Prediction, PredictionRollup
from experiments.monitoring.histogram import CONFIDENCE, LATENCY, added, packed
from experiments.monitoring.watermarks import watermark_locked
from experiments.monitoring.windows import DAY, HOUR, MINUTE, ceiling, floor
from experiments.uuid7 import uuid7_floor, uuid7_time

NAME = "rollups"  # of the watermark
Grain = PredictionRollup.Grain
LENGTHS = {Grain.HOUR: HOUR, Grain.DAY: DAY}
STEP = HOUR  # of the log in one transaction
MOST_STEPS = 24  # in one run of the job
MILLISECOND = timedelta(milliseconds=1)  # what an id tells apart
LATE = timedelta(minutes=2)  # longer than from making an id to the first write of its transaction
LONGEST = HOUR
MINUTES_KEPT = 2 * DAY
OPEN_SINCE = """
SELECT min(xact_start) FROM pg_stat_activity
WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()
"""
PACKED = "string_agg(int2send({0}::int2) || int4send(n::int4), ''::bytea ORDER BY {0}) FILTER (WHERE {0} IS NOT NULL)"
COUNT = f"""
INSERT INTO {PredictionRollup._meta.db_table}
    (grain, at, task, algorithm, version, ok, fallbacks, errors, latency_ms, latency, confidence)
WITH binned AS (
    SELECT minute, task, algorithm, version, status, latency, confidence, count(*) AS n, sum(latency_ms) AS ms
    FROM (
        SELECT width_bucket(id, %(ids)s::uuid[]) AS minute, task, algorithm, version, status, latency_ms,
               CASE WHEN status = 'ok' THEN width_bucket(latency_ms, %(latency)s::float8[]) END AS latency,
               CASE WHEN status = 'ok' THEN width_bucket(confidence, %(confidence)s::float8[]) END AS confidence
        FROM {Prediction._meta.db_table} WHERE id >= %(first)s AND id < %(end)s
    ) AS logged
    GROUP BY minute, task, algorithm, version, GROUPING SETS ((status), (latency), (confidence))
)
SELECT 'minute', (%(minutes)s::timestamptz[])[minute], task, algorithm, version,
       coalesce(sum(n) FILTER (WHERE status = 'ok'), 0), coalesce(sum(n) FILTER (WHERE status = 'fallback'), 0),
       coalesce(sum(n) FILTER (WHERE status = 'error'), 0), coalesce(sum(ms) FILTER (WHERE status = 'ok'), 0),
       coalesce({PACKED.format("latency")}, ''), coalesce({PACKED.format("confidence")}, '')
FROM binned GROUP BY minute, task, algorithm, version
"""
KEY = ("task", "algorithm", "version")
SUMS = ("ok", "fallbacks", "errors", "latency_ms")
HISTOGRAMS = {"latency": LATENCY, "confidence": CONFIDENCE}


def rollups_update(*, now: datetime) -> None:
    """Count what came since the last time, up to now: the minute that is on as far as it is, and anew the next time.
    After a long pause a run gets so far as MOST_STEPS lead, and the next one goes on.
    """
    for _ in range(MOST_STEPS):
        if _step(floor(now, MILLISECOND)):
            return


@transaction.atomic
def _step(end: datetime) -> bool:
    """Gives whether it came to the end."""
    mark = watermark_locked(NAME)
    upto, start = uuid7_time(mark.upto), floor(uuid7_time(mark.again_from), MINUTE)
    if upto - LATE < end < upto:  # another worker's clock is ahead of this one's
        return True
    if end < upto:  # the clock was put back: this hour anew, and what comes when it comes
        upto = start = floor(end, HOUR)
    open_since = _open_since()  # before the rows are read: who commits in between is among them, or open now
    first = _first_of(start, end)
    until = min(max(upto, first) + STEP, end)
    _count(start, first, until)
    _fold(Grain.MINUTE, Grain.HOUR, start, until)
    _fold(Grain.HOUR, Grain.DAY, start, until)
    PredictionRollup.objects.filter(grain=Grain.MINUTE, at__lt=until - MINUTES_KEPT).delete()
    mark.upto = uuid7_floor(until)
    mark.again_from = uuid7_floor(max(min(until, open_since or until) - LATE, until - LONGEST))
    mark.save()
    return until == end


def _open_since() -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(OPEN_SINCE)
        found: datetime | None = cursor.fetchone()[0]
    return found


def _first_of(start: datetime, end: datetime) -> datetime:
    """The minute of the first prediction of the time, its end where there is none: empty years are left out."""
    rows = Prediction.objects.filter(id__gte=uuid7_floor(start), id__lt=uuid7_floor(end))
    first = rows.order_by("id").values_list("id", flat=True).first()
    return floor(uuid7_time(first), MINUTE) if first else end


def _count(start: datetime, first: datetime, until: datetime) -> None:
    """The minutes from `start` on anew, where the first prediction is of the minute `first`."""
    PredictionRollup.objects.filter(grain=Grain.MINUTE, at__gte=start, at__lt=until).delete()
    if first >= until:
        return
    minutes = [first + MINUTE * number for number in range((ceiling(until, MINUTE) - first) // MINUTE)]
    ids = [str(uuid7_floor(minute)) for minute in minutes]
    values: dict[str, Any] = {"ids": ids, "minutes": minutes, "first": ids[0], "end": str(uuid7_floor(until)),
              "latency": list(LATENCY.edges), "confidence": list(CONFIDENCE.edges)}  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(COUNT, values)


def _fold(fine: Grain, coarse: Grain, start: datetime, end: datetime) -> None:
    """The hours of this time anew from their minutes, or the days from their hours."""
    length = LENGTHS[coarse]
    time = {"at__gte": floor(start, length), "at__lt": ceiling(end, length)}
    rows = list(PredictionRollup.objects.filter(grain=fine, **time).values("at", *KEY, *SUMS, *HISTOGRAMS))
    PredictionRollup.objects.filter(grain=coarse, **time).delete()
    PredictionRollup.objects.bulk_create(_folded(coarse, rows))


def _folded(grain: Grain, rows: Sequence[Mapping[str, Any]]) -> Iterator[PredictionRollup]:
    keys = [(floor(row["at"], LENGTHS[grain]), *(row[name] for name in KEY)) for row in rows]
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    groups = [places[key] for key in keys]
    sums = {name: np.bincount(groups, [row[name] for row in rows]) for name in SUMS} if rows else {}
    histograms = {
        name: added(bins, [row[name] for row in rows], groups, len(places)) for name, bins in HISTOGRAMS.items()
    }
    for key, place in places.items():
        yield PredictionRollup(
            grain=grain,
            **dict(zip(("at", *KEY), key, strict=True)),
            **{name: values[place] for name, values in sums.items()},
            **{name: packed(counts[place]) for name, counts in histograms.items()},
        )
