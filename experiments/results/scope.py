"""Which rows are those of a test, and how SQL is asked about them: what is read of a test, in one snapshot."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

from django.db import connection, transaction

from experiments.models import ABTest, Exposure, Prediction, Variant
from experiments.uuid7 import uuid7_floor

PREDICTIONS = Prediction._meta.db_table
EXPOSURES = Exposure._meta.db_table
SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; "
SETTINGS = "SET LOCAL work_mem = '128MB'; SET LOCAL random_page_cost = 1.1; SET LOCAL jit = off"
MIDDLE = f"SELECT min(user_id) / 2 + max(user_id) / 2 FROM {EXPOSURES} WHERE test_id = %s"
# Postgres works on the lower and the upper half of the users at a time. Exposures and outcomes have indexes in the
# order of the users, so they are merged as they come.
HALVES = ("<= %(middle)s", "> %(middle)s")


@contextmanager
def snapshot() -> Iterator[None]:
    """All queries inside see the same rows, and may use more memory than those of a request."""
    outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SNAPSHOT + SETTINGS if outermost else SETTINGS)
        yield


@dataclass(frozen=True)
class Scope:
    """A started test until a moment. It served its variants, the control first, in the `spans` of time: predictions of
    another test, which ran while this one was paused, may bear the same names. `weights` are those of the variants,
    by name, from a moment on.

    SQL that it is asked has `{exposed}` for who met which variant when, `{tested}` for which predictions count, and in
    halves() `{half}` for which users.
    """

    exposed: ClassVar[str] = f"""
SELECT user_id, variant_id, created_at AS at FROM {EXPOSURES}
WHERE test_id = %(test)s AND created_at <= %(until)s AND user_id {{half}}
"""
    tested: ClassVar[str] = "p.task = %(task)s AND p.variant <> '' AND p.variant IN %(names)s"  # <> '' is of the index

    test: ABTest
    variants: Sequence[Variant]
    spans: Sequence[tuple[datetime, datetime]]
    until: datetime
    weights: Sequence[tuple[datetime, Mapping[str, float]]] = ()

    @cached_property
    def names(self) -> dict[int, str]:
        """Of the variants, the control first."""
        return {one.pk: one.name for one in self.variants}

    @cached_property
    def values(self) -> dict[str, Any]:
        days = self.test.window_days
        with connection.cursor() as cursor:
            cursor.execute(MIDDLE, [self.test.pk])
            [middle] = cursor.fetchone()
        found = {
            "test": self.test.pk, "task": self.test.task, "names": tuple(self.names.values()),
            "since": self.spans[0][0] - timedelta(days=days), "until": self.until, "middle": middle or 0,
            "window": f"{24 * days} hours",  # quicker to add than days, whose hours a time zone says
        }  # fmt: skip
        found |= {f"name{place}": name for place, name in enumerate(self.names.values())}
        for place, span in enumerate(self.spans):
            found[f"start{place}"], found[f"end{place}"] = (str(uuid7_floor(moment)) for moment in span)
        return found

    def ask(self, sql: str, **values: Any) -> list[Any]:
        spans = (f"p.id >= %(start{place})s AND p.id < %(end{place})s" for place in range(len(self.spans)))
        with connection.cursor() as cursor:
            cursor.execute(sql.replace("{tested}", f"{self.tested} AND ({' OR '.join(spans)})"), self.values | values)
            return cursor.fetchall()

    def halves(self, sql: str) -> str:
        """`sql` for the users of one `{half}`, and for those of the other."""
        sql = sql.replace("{exposed}", self.exposed)
        return " UNION ALL ".join(f"({sql.replace('{half}', half)})" for half in HALVES)


def scope_of(test: ABTest, now: datetime) -> Scope:
    """Until now, or until the test was stopped."""
    until = test.stopped_at or now
    actions = list(test.actions.order_by("id").values_list("action", "at", "facts__weights"))
    spans, start = [], test.started_at
    for action, at, _ in actions:
        if action == "start":
            start = start or at
        elif start and action in ("pause", "stop"):
            spans.append((start, at))
            start = None
    if start:
        spans.append((start, until))
    weights = [(at, by_name) for _, at, by_name in actions if by_name is not None]
    return Scope(test, list(test.variants.order_by("id")), spans, until, weights)
