"""Which columns of a file feed which field.

`--map "Clothing ID=product,Review Text=text"` names them one by one; `{Class Name} {Clothing ID}=product.name` puts
several columns into one field. The ready-made maps of presets.py may compute.
"""

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from experiments.errors import Invalid
from reviews.importing.fields import Fields

PLACE = re.compile(r"\{([^{}]*)\}")


def as_it_is(cell: str) -> str:
    return cell


@dataclass(frozen=True)
class Rule:
    """How a field is made: `make` gets the cells of `columns`."""

    columns: tuple[str, ...]
    make: Callable[..., str] = as_it_is


Rules = Mapping[str, Rule]


def parse_map(entries: Iterable[str]) -> dict[str, Rule]:
    """`column=field,…` as rules. An entry with a comma in it is put into double quotes."""
    rules: dict[str, Rule] = {}
    for entry in (part for text in entries for part in next(csv.reader([text], skipinitialspace=True), [])):
        column, sign, field = entry.rpartition("=")
        if not sign:
            raise Invalid("map", f"--map: {entry!r} is not column=field.")
        if field.strip() in rules:
            raise Invalid(
                "map", f"--map names {field.strip()!r} twice; join columns as in '{{first}} {{second}}=name'."
            )
        rules[field.strip()] = _rule(column.strip())
    return rules


def _rule(column: str) -> Rule:
    columns = tuple(PLACE.findall(column))
    if not columns:
        return Rule((column,))
    frame = PLACE.sub("{}", column)

    def filled_in(*cells: str) -> str:
        return " ".join(frame.format(*cells).split())

    return Rule(columns, filled_in)


def check_rules(rules: Rules, fields: Fields, columns: Sequence[str]) -> None:
    """Raises Invalid where the map does not fit the fields or the file."""
    if unknown := [name for name in rules if name not in fields]:
        raise Invalid("map", f"There is no field {unknown[0]!r}. The fields are: {', '.join(fields)}.")
    listed = ", ".join(map(repr, columns))
    if missing := [name for name, field in fields.items() if field.required and name not in rules]:
        raise Invalid("map", f"Nothing feeds {', '.join(missing)}: name columns with --map. The file has: {listed}.")
    if "product.name" not in rules and any(name.startswith("product.") for name in rules):
        raise Invalid("map", "The map makes products: it must feed product.name too.")
    for name, rule in rules.items():
        for column in rule.columns:
            if column not in columns:
                raise Invalid("map", f"{name} wants the column {column!r}. The file has: {listed}.")
            if columns.count(column) > 1:
                raise Invalid("map", f"{name} wants the column {column!r}, and the file has two of that name.")


def bind(rules: Rules, wanted: Sequence[str]) -> dict[str, Callable[[Sequence[str]], str]]:
    """For each field a function that makes it from the cells of `wanted`."""
    return {name: _bound(rule, [wanted.index(column) for column in rule.columns]) for name, rule in rules.items()}


def _bound(rule: Rule, places: list[int]) -> Callable[[Sequence[str]], str]:
    if rule.make is as_it_is:
        place = places[0]
        return lambda cells: cells[place]
    return lambda cells: rule.make(*[cells[place] for place in places])
