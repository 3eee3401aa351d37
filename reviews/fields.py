"""Serializer fields of the shop's records: stars and pictures."""

from typing import Any
from uuid import uuid4

from rest_framework import serializers

from experiments.errors import Invalid
from experiments.fields import FiniteField
from experiments.pictures import format_of


class StarsField(FiniteField):
    """0.5 to 5 in halves."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0.5, max_value=5, help_text="Stars, 0.5 to 5 in halves.", **kwargs)

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if 2 * value % 1:
            raise serializers.ValidationError("Expected halves: 0.5, 1, 1.5 … 5.", "not_in_halves")
        return value


class PictureField(serializers.ImageField):
    """A picture that can be decoded, within the bounds of experiments/pictures.py. Its file is named by what is in it:
    the sender's name says nothing sure.
    """

    def to_internal_value(self, data: Any) -> Any:
        file: Any = serializers.FileField.to_internal_value(self, data)
        try:
            kind = format_of(file)
        except Invalid as error:
            raise serializers.ValidationError(error.detail, error.field_code) from error
        file.name = f"{uuid4().hex}.{kind.lower()}"
        file.seek(0)
        return file
