"""Statements that Postgres plans once a connection instead of at each call. For the few that every answer waits for:
the plan of a query over six tables takes three times as long as its answer.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection
from django.db.backends.utils import CursorWrapper

PLACEHOLDER = re.compile(r"%\((\w+)\)s")

_known: "WeakKeyDictionary[Any, set[str]]" = WeakKeyDictionary()  # names by the connection that has them


def execute(cursor: CursorWrapper, sql: str, values: Mapping[str, Any]) -> None:
    """Run `sql` with its placeholders `%(name)s`, whose types Postgres must be able to tell from where they stand.

    Not prepared behind a pool that deals statements to connections (DISABLE_SERVER_SIDE_CURSORS is set for such).
    """
    if connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        cursor.execute(sql, values)
        return
    name, prepare, run, order = _statement(sql)
    known = _known.setdefault(connection.connection, set())
    if name not in known:
        with connection.wrap_database_errors, connection.connection.cursor() as plain:  # no query of the caller's
            plain.execute(prepare)
        known.add(name)
    cursor.execute(run, [values[one] for one in order])


@lru_cache(maxsize=256)
def _statement(sql: str) -> tuple[str, str, str, tuple[str, ...]]:
    """Its name, what prepares and what runs it, and its placeholders in order."""
    order = tuple(dict.fromkeys(PLACEHOLDER.findall(sql)))
    verb = sql.split(maxsplit=1)[0].strip("(").lower()  # for people who read a log
    name = f"{verb}_{blake2b(sql.encode(), digest_size=8).hexdigest()}"
    numbered = PLACEHOLDER.sub(lambda found: f"${order.index(found[1]) + 1}", sql).replace("%%", "%")
    run = f"EXECUTE {name} ({', '.join(['%s'] * len(order))})" if order else f"EXECUTE {name}"
    return name, f"PREPARE {name} AS {numbered}", run, order
