"""HTTP for texts: entities and summaries, one text or many in a request."""

from dataclasses import replace
from typing import Any

from rest_framework import serializers

from experiments.errors import Invalid
from experiments.fields import serializer_of
from experiments.views import predict_view
from nlp.ml.entities import ENTITIES
from nlp.ml.summary import SUMMARY, SummaryInput, checked


class SummarySerializer(serializer_of(SummaryInput)):  # type: ignore[misc]  # made at run time
    """A text, and how many words its summary has."""

    def run_validation(self, data: Any = serializers.empty) -> SummaryInput:
        found: SummaryInput = super().run_validation(data)
        if "min_length" not in data:  # its default is no wish of the caller's
            found = replace(found, min_length=min(found.min_length, found.max_length // 2))
        try:
            return checked(found)
        except Invalid as error:
            raise serializers.ValidationError({"max_length": error.detail}, "min_value") from None


entities, summarize = predict_view(ENTITIES), predict_view(SUMMARY, SummarySerializer)
