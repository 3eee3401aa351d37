"""Which values of a logged prediction are watched. It follows from the dataclasses of the task, so a new model has
drift without a line of its own.

A number, a choice and a text are watched as they are. Of a sequence it is how many items it has (the log keeps the
first 100) and, where these are dataclasses, its first one: answers have the likeliest first, histories the newest. Of a
picture it is its size and brightness, of a text that is logged as a digest its length, and of what may be left out
whether it was given. A whole number without bounds is an id, whose size says nothing: it is left out.
"""

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from experiments.mltask import Digested, Image, MLTask, Number

PICTURE = ("bytes", "width", "height", "brightness")
Kind = Literal["number", "category", "text"]


@dataclass(frozen=True)
class Field:
    """Stands at `path` of a logged prediction, and is what stands there, how many `items` it has, or whether it was
    `given`.
    """

    name: str
    kind: Kind
    path: tuple[str | int, ...]
    read: Literal["value", "items", "given"] = "value"

    def of(self, logged: Mapping[str, Any]) -> float | str | None:
        """Of {"input": …, "output": …}, both as the log has them. None where it has no such value, as in rows from
        before the field was there.
        """
        value = _at(logged, self.path)
        if self.read == "given":
            return "no" if value is None else "yes"
        if self.read == "items":
            return _items(value)
        if self.kind == "number":
            return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
        if isinstance(value, bool):
            return "yes" if value else "no"
        return value if isinstance(value, str) else None


def watched(task: MLTask[Any, Any]) -> list[Field]:
    """Names say where it stands: `input.text`, `output.products.first.score`, `input.weights.given`."""
    return [*_fields(task.input, "input", ("input",)), *_fields(task.output, "output", ("output",))]


def _fields(hint: Any, name: str, path: tuple[str | int, ...], marks: tuple[Any, ...] = ()) -> Iterator[Field]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        yield from _fields(arguments[0], name, path, hint.__metadata__)
    elif origin in (typing.Union, types.UnionType):
        yield Field(f"{name}.given", "category", path, "given")
        yield from _fields(next(one for one in arguments if one is not type(None)), name, path, marks)
    elif Digested() in marks:
        if hint is str:
            yield Field(f"{name}.characters", "number", (*path, "characters"))
    elif hint is Image:
        yield from (Field(f"{name}.{one}", "number", (*path, one)) for one in PICTURE)
    elif origin is tuple and arguments[-1] is not Ellipsis:
        for place, one in enumerate(arguments):
            yield from _fields(one, f"{name}.{place}", (*path, place))
    elif origin in (tuple, dict, Mapping):
        yield Field(f"{name}.items", "number", path, "items")
        if dataclasses.is_dataclass(arguments[0]):
            yield from _fields(arguments[0], f"{name}.first", (*path, 0))
    elif dataclasses.is_dataclass(hint):
        for inner, kind in typing.get_type_hints(hint, include_extras=True).items():
            yield from _fields(kind, f"{name}.{inner}", (*path, inner))
    elif found := _scalar(hint, marks):
        yield Field(name, found, path)


def _scalar(hint: Any, marks: tuple[Any, ...]) -> Kind | None:
    if hint is bool or typing.get_origin(hint) is Literal:
        return "category"
    if hint is str:
        return "text"
    bounded = any(isinstance(one, Number) for one in marks)
    return "number" if hint is float or (hint is int and bounded) else None


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    """What stands there, None where nothing does."""
    for step in path:
        if isinstance(step, str) and isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _items(value: Any) -> float | None:
    """Of a mapping, those of all its sequences."""
    if isinstance(value, Mapping):
        return float(sum(len(one) if isinstance(one, list) else 1 for one in value.values()))
    return float(len(value)) if isinstance(value, list) else None
