"""What any serializer must refuse, derived from its fields: whatever is not what the field declares, by a little or by
far.
"""

import math
from collections.abc import Iterator
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from experiments.fields import FiniteField, WholeField


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


DEEP = nested(300)


def values_for(field: Any) -> list[Any]:
    """Values that the field must refuse."""
    values: list[Any] = [] if field.allow_null else [None]
    match field:
        case serializers.Serializer():
            values += [[], "x", 7, True, math.nan, DEEP]
        case serializers.CharField():
            values += ["a\0b", "\ud800", "x\udfff", 7, True, math.nan, [], {}, DEEP, "x" * (field.max_length + 1)]
            values += ["", " " * field.min_length, "\n\t\u3000"] if field.min_length else []
        case FiniteField() | WholeField():
            values += [math.nan, math.inf, -math.inf, "NaN", "inf", "1e999", "x", "\0", True, [], {}, DEEP]
            values += [10**400, -(10**400), "1" * 5_000]
            values += [bound + 1 for bound in [field.max_value] if bound is not None]
            values += [bound - 1 for bound in [field.min_value] if bound is not None]
            values += [1.5, "1.5", 10**30] if isinstance(field, WholeField) else []
        case serializers.ChoiceField():
            values += ["no such", 7, [], {}, DEEP]
        case serializers.ListSerializer() | serializers.ListField():
            values += ["abc", {}, {"0": 1}, 7, True, math.nan]
        case serializers.FileField():
            values += ["", "x", "data:image/png;base64,AAAA", 7, True, math.nan, [], {}, DEEP]
            values += [SimpleUploadedFile("empty.png", b"")]
        case serializers.BooleanField():
            values += ["no such", 7, [], {}, math.nan, DEEP]
    return values


def cases(field: Any, example: Any) -> Iterator[tuple[str, Any]]:
    """Variants of the valid `example` with one thing wrong in each, and the dotted path that the error must name."""
    for value in values_for(field):
        yield "", value
    match field:
        case serializers.Serializer():
            for name, inner in field.fields.items():
                if inner.required:
                    yield name, {other: value for other, value in example.items() if other != name}
                for path, value in cases(inner, example.get(name)):
                    yield f"{name}.{path}".rstrip("."), {**example, name: value}
        case serializers.ListSerializer() | serializers.ListField() if example:
            yield "", example * (field.max_length // len(example) + 1)
            for path, value in cases(field.child, example[0]):
                yield f"{len(example)}.{path}".rstrip("."), [*example, value]


def accepted(serializer: Any, example: Any) -> list[str]:
    """The cases that `serializer` did not refuse by naming their place: there should be none."""
    found = []
    for number, (path, value) in enumerate(cases(serializer, example)):
        try:
            serializer.run_validation(value)
        except ValidationError as error:
            if _speaks_of(error.detail, path):
                continue
        found.append(f"case {number} of {path or 'the whole'}")
    return found


def _speaks_of(detail: Any, path: str) -> bool:
    for part in filter(None, path.split(".")):
        detail = {str(key): inner for key, inner in detail.items()}.get(part) if isinstance(detail, dict) else None
    return bool(detail)
