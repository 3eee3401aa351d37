"""Serializer fields that refuse what must not get in, and serializers made from a task's dataclasses.

DRF's own fields refuse NUL and lone surrogates already; these add: text is kept as it was sent, numbers are finite,
and the bounds that the dataclass declares are checked and appear in the OpenAPI document.
"""

import math
from typing import Any

from rest_framework import serializers
from rest_framework_dataclasses.serializers import DataclassSerializer

from experiments.mltask import Bound, Image, Items, Number, Text, bounds, to_json

INT64 = 2**63 - 1


class TextField(serializers.CharField):
    """Text as sent, spaces included. With `min_length` 1 it may not be blank."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("allow_blank", not kwargs.get("min_length"))
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if not data.strip() and not self.allow_blank:
            self.fail("blank")
        return str(super().to_internal_value(data))


class FiniteField(serializers.FloatField):
    """A number, not NaN and not infinite; true and false are no numbers."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool):
            self.fail("invalid")
        try:
            value = float(super().to_internal_value(data))
        except OverflowError:
            self.fail("invalid")
        if not math.isfinite(value):
            self.fail("invalid")
        return value


class WholeField(serializers.IntegerField):
    """A whole number that a bigint column holds; true and false are none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": -INT64, "max_value": INT64, **kwargs})


class UploadField(serializers.FileField):
    """A picture in a multipart body, as `Image`. Its length is bounded by that of the body; what is in it is looked at
    by whoever decodes it (experiments/pictures.py).
    """

    def to_internal_value(self, data: Any) -> Image:  # type: ignore[override]  # a picture is no Django File
        return Image(super().to_internal_value(data).read())

    def to_representation(self, value: Any) -> Any:
        return to_json(value)


def _arguments(bound: Bound | None) -> dict[str, Any]:
    match bound:
        case Text():
            return {"max_length": bound.max_length, "min_length": bound.min_length or None}
        case Number():
            return {"min_value": bound.ge, "max_value": bound.le}
        case Items():
            return {"max_length": bound.max_length}
    return {}


class TaskSerializer(DataclassSerializer):
    """A dataclass of a task as a serializer: its types, defaults and bounds."""

    serializer_field_mapping = {
        **DataclassSerializer.serializer_field_mapping,
        str: TextField,
        float: FiniteField,
        int: WholeField,
        Image: UploadField,
    }

    @property
    def serializer_dataclass_field(self) -> type[serializers.Serializer]:
        return TaskSerializer

    def create_field(self, field_name: str, extra_kwargs: dict[str, Any]) -> serializers.Field:
        bound = bounds(self.dataclass_definition.dataclass_type).get(field_name)
        return super().create_field(field_name, {**_arguments(bound), **extra_kwargs})


def serializer_of(cls: type) -> type[TaskSerializer]:
    """The serializer class of a dataclass."""
    meta = type("Meta", (), {"dataclass": cls})
    return type(f"{cls.__name__}Serializer", (TaskSerializer,), {"Meta": meta, "__doc__": cls.__doc__})
