"""A chunk of checked rows in a temporary table, `incoming`, from which set-based SQL stores them (stores.py).

One import writes at a time: a lock that lasts as long as the chunk's transaction. So imports at once take turns, and
cannot deadlock on users, sellers or ids that they have in common.
"""

from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Model

from reviews.importing.fields import Fields
from reviews.importing.rejects import Reject

ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def import_lock(cursor: CursorWrapper) -> None:
    """Wait for the other imports' turns. Held until the transaction ends."""
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('reviews.importing', 0))")


class Staging:
    """The table `incoming`: line, each of `fields` by its name, and room for product_id and user_id.

    `source` names the rows, `catalogue` the products and users they speak of.
    """

    def __init__(self, cursor: CursorWrapper, fields: Fields, *, source: str, catalogue: str, ids: str) -> None:
        self.fields = fields
        self.rejects: list[Reject] = []
        self._cursor = cursor
        self._values = {"source": source, "catalogue": catalogue, "ids": ids}
        import_lock(cursor)
        columns = "".join(f', "{name}" {field.type}' for name, field in fields.items())
        cursor.execute("DROP TABLE IF EXISTS pg_temp.incoming")
        cursor.execute(f"CREATE TEMPORARY TABLE incoming (line bigint{columns}, product_id bigint, user_id bigint)")

    def copy(self, rows: Iterable[Sequence[object]]) -> None:
        """Rows of line and fields."""
        text = StringIO("".join("\t".join(map(_copied, row)) + "\n" for row in rows))
        names = "".join(f', "{name}"' for name in self.fields)
        self._cursor.copy_expert(f"COPY incoming (line{names}) FROM STDIN", text)
        self._cursor.execute("ANALYZE incoming")

    def run(self, sql: str, **values: Any) -> int:
        """The number of rows it concerned."""
        self._cursor.execute(sql, self._values | values)
        return self._cursor.rowcount

    def fetch(self, sql: str) -> list[str]:
        """The first column of what it returns."""
        self._cursor.execute(sql, self._values)
        return [row[0] for row in self._cursor]

    def reject(self, field: str, reason: str, where: str) -> None:
        """Take rows out of `incoming i`: `where` starts at USING or WHERE, `reason` is an expression."""
        self._cursor.execute(f"DELETE FROM incoming i {where} RETURNING i.line, {reason}", self._values)
        self.rejects += [Reject(line, field, text) for line, text in self._cursor]

    def insert(self, model: type[Model], columns: Mapping[str, str], rows: str) -> int:
        """Insert what the expressions in `columns` make of `rows` (FROM …), with the model's defaults for the rest.

        Returns how many were new: a row that meets a unique constraint is passed over.
        """
        defaults: dict[str, Any] = {}
        for field in model._meta.concrete_fields:
            if not field.primary_key and not field.generated and field.column not in columns:
                defaults[str(field.column)] = field.get_db_prep_save(field.get_default(), connection)
        expressions = {**columns, **{column: f"%({column})s" for column in defaults}}
        return self.run(
            f"INSERT INTO {model._meta.db_table} ({', '.join(expressions)})"
            f" SELECT {', '.join(expressions.values())} {rows} ON CONFLICT DO NOTHING",
            **defaults,
        )


def _copied(value: object) -> str:
    if value is None:
        return r"\N"
    return value.translate(ESCAPES) if isinstance(value, str) else str(value)
