"""The import itself: a file's records in chunks, each checked, copied and committed before it is counted as in."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from experiments.errors import Invalid
from reviews.importing.fields import Fields
from reviews.importing.mapping import Rules, bind, check_rules
from reviews.importing.reading import Record, Table
from reviews.importing.rejects import Reject, Rejects
from reviews.importing.staging import Staging
from reviews.importing.stores import Kind
from reviews.models import Product

CHUNK_ROWS = 20_000
CHUNK_BYTES = 4_000_000  # of the file
SOURCE = re.compile(r"[\w.-]{1,64}")


@dataclass
class Tally:
    """Rows whose fate is settled: what is `new` or was `there` before is committed."""

    read: int = 0
    new: int = 0
    rejected: int = 0
    end: int = 0  # bytes of the file behind us

    @property
    def there(self) -> int:
        return self.read - self.new - self.rejected


def table_import(
    *,
    kind: Kind,
    table: Table,
    rules: Rules,
    source: str,
    catalogue: str,
    rejects: Rejects,
    told: Callable[[Tally], None],
) -> Tally:
    """Import all rows that are good; `told` hears of each chunk after its commit.

    `source` names the rows, together with `external_id` or else the line number; `catalogue` is the source of the
    products and users that they speak of. Raises Invalid before a row is read, DatabaseError or OSError at any time.
    """
    check_rules(rules, kind.fields, table.columns)
    _check_source(source, catalogue, kind, rules)
    fields = {name: field for name, field in kind.fields.items() if name in rules or name == "external_id"}
    wanted = list(dict.fromkeys(column for rule in rules.values() for column in rule.columns))
    check = _row_check(fields, rules, wanted)
    ids = "id" if "external_id" in rules else "line"
    tally = Tally()
    for chunk in _chunks(table.records(wanted)):
        checked = [check(record) for record in chunk]
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            staging = Staging(cursor, fields, source=source, catalogue=catalogue, ids=ids)
            staging.copy(row for row in checked if not isinstance(row, Reject))
            new = kind.store(staging)
        rejected = sorted([row for row in checked if isinstance(row, Reject)] + staging.rejects)
        as_read = {record.line: record.as_read for record in chunk}
        for reject in rejected:
            rejects.add(reject, as_read[reject.line])
        tally.read += len(chunk)
        tally.new += new
        tally.rejected += len(rejected)
        tally.end = chunk[-1].end
        told(tally)
    kind.finish()
    return tally


def _check_source(source: str, catalogue: str, kind: Kind, rules: Rules) -> None:
    for name in (source, catalogue):
        if not SOURCE.fullmatch(name):
            raise Invalid("source", f"The source {name!r} is not 1 to 64 letters, digits and _ . -")
    known = set(Product.objects.exclude(source="").order_by().values_list("source", flat=True).distinct())
    if catalogue in known:
        return
    if kind.needs_products and "product.name" not in rules:
        raise Invalid(
            "catalogue",
            f"There are no products of {catalogue!r}. Import them first, or name theirs with --catalogue"
            f" ({', '.join(sorted(known)) or 'there are none yet'}).",
        )
    for other in known:
        if f"{catalogue}-".startswith(f"{other}-") or f"{other}-".startswith(f"{catalogue}-"):
            raise Invalid(
                "source",
                f"Beside {other!r} the source cannot be called {catalogue!r}: their users, <source>-<id>,"
                f" could not be told apart. {catalogue.replace('-', '_')!r} would do.",
            )


def _chunks(records: Iterable[Record]) -> Iterator[list[Record]]:
    chunk: list[Record] = []
    start = 0
    for record in records:
        chunk.append(record)
        if len(chunk) == CHUNK_ROWS or record.end - start > CHUNK_BYTES:
            yield chunk
            chunk, start = [], record.end
    if chunk:
        yield chunk


def _row_check(fields: Fields, rules: Rules, wanted: Sequence[str]) -> Callable[[Record], list[object] | Reject]:
    """A function that makes a record the row of its line and `fields`, or says what is wrong with it."""
    makers = bind(rules, wanted)
    steps = [(name, makers.get(name), field.check) for name, field in fields.items()]

    def check(record: Record) -> list[object] | Reject:
        if record.fault:
            return Reject(record.line, "", record.fault)
        row: list[object] = [record.line]
        for name, make, check_value in steps:
            if make is None:  # a file without ids
                row.append(str(record.line))
                continue
            try:
                row.append(check_value(make(record.cells)))
            except ValueError as error:
                return Reject(record.line, name, str(error))
        return row

    return check
