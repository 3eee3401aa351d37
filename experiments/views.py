"""HTTP for predictions and the registry: `predict/<task>/` for every public task, the log, outcomes, versions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema, extend_schema_view, inline_serializer
from rest_framework import generics, pagination, serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments import registry, serving
from experiments.assignment import Person
from experiments.discovery import task_named, tasks
from experiments.fields import TextField, WholeField, serializer_of
from experiments.mltask import MLTask, to_json
from experiments.models import ModelVersion, Prediction, Promotion
from experiments.outcomes import outcome_record
from experiments.prediction_log import prediction_get
from experiments.uuid7 import uuid7_floor


def rendered(answer: serving.Answer[Any]) -> dict[str, Any]:
    """An answer as the contract shows it: the output's own fields, then where they came from."""
    return {
        **to_json(answer.output),
        "model": answer.model,
        "version": answer.version,
        "prediction_id": answer.prediction_id,
    }


class PredictView(APIView):
    """One input, or `{"instances": […]}`, to the live model of `task`."""

    task: MLTask[Any, Any]
    input: serializers.Serializer[Any]  # one for all requests: validation keeps no state in it

    def post(self, request: Request) -> Response:
        given: Any = request.data
        batch = isinstance(given, dict) and "instances" in given
        inputs = self.instances(given["instances"]) if batch else [self.input.run_validation(given)]
        answers = serving.predict(self.task, inputs, user_id=request.user.pk, tested=Person.of(request.user))
        if batch:
            return Response({"results": [rendered(answer) for answer in answers]})
        return Response(rendered(answers[0]))

    def instances(self, given: Any) -> list[Any]:
        if not isinstance(given, list):
            raise ValidationError({"instances": "Expected a list."}, "not_a_list")
        if not 0 < len(given) <= self.task.max_instances:
            raise ValidationError(
                {"instances": f"Expected 1 to {self.task.max_instances} instances, got {len(given)}."}, "max_length"
            )
        valid, errors = [], {}
        for position, one in enumerate(given):
            try:
                valid.append(self.input.run_validation(one))
            except ValidationError as error:
                errors[str(position)] = error.detail
        if errors:
            raise ValidationError({"instances": errors})
        return valid


def predict_view(task: MLTask[Any, Any], given: type[serializers.Serializer[Any]] | None = None) -> Any:
    """The view of one task, with its schema. `given` is the serializer of its input where that knows more than the
    bounds of each field.
    """
    name = task.name.title().replace("-", "")
    given = given or serializer_of(task.input)
    source = {"model": TextField(), "version": WholeField(), "prediction_id": serializers.UUIDField()}
    answer = type(f"{name}Answer", (serializers.Serializer,), {**serializer_of(task.output)().get_fields(), **source})
    batch = inline_serializer(
        f"{name}Batch", {"instances": serializers.ListField(child=given(), max_length=task.max_instances)}
    )
    results = inline_serializer(f"{name}Results", {"results": serializers.ListField(child=answer())})
    either = {"resource_type_field_name": None}
    view: Any = type(f"Predict{name}", (PredictView,), {"task": task, "input": given()})
    schema = extend_schema(
        operation_id=f"predict_{task.name}",
        tags=["predict"],
        request=PolymorphicProxySerializer(component_name=f"{name}Request", serializers=[given, batch], **either),
        responses=PolymorphicProxySerializer(component_name=f"{name}Response", serializers=[answer, results], **either),
    )
    return extend_schema_view(post=schema)(view).as_view()


class PredictionSerializer(serializers.ModelSerializer[Prediction]):
    class Meta:
        model = Prediction
        fields = ["id", "task", "algorithm", "version", "variant", "method", "user_id", "request_id", "input", "output",
                  "confidence", "latency_ms", "status", "created_at"]  # fmt: skip


class PredictionFilter(filters.FilterSet):
    since = filters.IsoDateTimeFilter(method="from_time", help_text="Made at or after this time.")
    until = filters.IsoDateTimeFilter(method="to_time", help_text="Made before this time.")
    user = filters.NumberFilter(field_name="user_id", max_value=2**63 - 1, decimal_places=0)
    version = filters.NumberFilter(field_name="version", max_value=2**31 - 1, decimal_places=0)

    class Meta:
        model = Prediction
        fields = ["task", "version", "user", "status", "request_id"]

    def from_time(self, rows: Any, name: str, value: datetime) -> Any:
        return rows.filter(id__gte=uuid7_floor(value))

    def to_time(self, rows: Any, name: str, value: datetime) -> Any:
        return rows.filter(id__lt=uuid7_floor(value))


class NewestFirst(pagination.CursorPagination):
    ordering = "-id"
    page_size_query_param = "page_size"
    page_size = 20
    max_page_size = 100

    def decode_cursor(self, request: Request) -> Any:
        cursor = super().decode_cursor(request)
        try:
            if cursor and cursor.position:
                UUID(str(cursor.position))
        except ValueError:
            raise NotFound(self.invalid_cursor_message) from None
        return cursor


@extend_schema(tags=["predictions"])
class PredictionList(generics.ListAPIView[Prediction]):
    """One's own predictions; staff see all."""

    serializer_class = PredictionSerializer
    pagination_class = NewestFirst
    filter_backends = [filters.DjangoFilterBackend]
    filterset_class = PredictionFilter

    def get_queryset(self) -> Any:
        user = self.request.user
        return Prediction.objects.all() if user.is_staff else Prediction.objects.filter(user_id=user.pk)


class OutcomeSerializer(serializers.Serializer[Any]):
    value = serializers.JSONField(help_text="A number, or a label of at most 200 characters.")

    def validate_value(self, value: Any) -> float | str:
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15:
            return value
        if isinstance(value, str) and 0 < len(value) <= 200 and "\0" not in value:
            return value
        raise ValidationError("Expected a finite number below 10^15, or a text of 1 to 200 characters.")


class PredictionOutcome(APIView):
    """The truth for a prediction of one's own, once it is known: the sale price, the right class."""

    @extend_schema(tags=["predictions"], request=OutcomeSerializer, responses={202: None})
    def post(self, request: Request, prediction_id: UUID) -> Response:
        given = OutcomeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        row = prediction_get(prediction_id=prediction_id, user=request.user)
        outcome_record(
            kind="reported",
            subject=row.task,
            value=given.validated_data["value"],
            user_id=request.user.pk,
            prediction_id=row.pk,
        )
        return Response(status=202)


class VersionSerializer(serializers.ModelSerializer[ModelVersion]):
    class Meta:
        model = ModelVersion
        fields = [
            "task",
            "version",
            "algorithm",
            "live",
            "params",
            "metrics",
            "data",
            "digest",
            "created_by",
            "created_at",
        ]


class PromotionSerializer(serializers.ModelSerializer[Promotion]):
    from_version = serializers.IntegerField(source="from_version.version", default=None, allow_null=True)
    to_version = serializers.IntegerField(source="to_version.version")

    class Meta:
        model = Promotion
        fields = ["task", "kind", "from_version", "to_version", "reason", "forced", "comparison", "at"]


class ReasonSerializer(serializers.Serializer[Any]):
    reason = TextField(max_length=1_000, required=False, default="")
    force = serializers.BooleanField(required=False, default=False)


@extend_schema(tags=["models"])
class ModelList(generics.ListAPIView[ModelVersion]):
    """The live version of each task that has one."""

    permission_classes = [IsAdminUser]
    serializer_class = VersionSerializer
    queryset = ModelVersion.objects.filter(live=True, task__in=[])
    filter_backends = []

    def get_queryset(self) -> Any:
        return ModelVersion.objects.filter(live=True, task__in=tasks())


@extend_schema(tags=["models"])
class VersionList(generics.ListAPIView[ModelVersion]):
    """All versions of a task, newest first."""

    permission_classes = [IsAdminUser]
    serializer_class = VersionSerializer
    queryset = ModelVersion.objects.none()
    filter_backends = []

    def get_queryset(self) -> Any:
        return ModelVersion.objects.filter(task=task_named(self.kwargs["task"]).name)


class Promote(APIView):
    """Put a version live, unless it is worse than the live one."""

    permission_classes = [IsAdminUser]

    @extend_schema(tags=["models"], request=ReasonSerializer, responses=PromotionSerializer)
    def post(self, request: Request, task: str, version: int) -> Response:
        given = ReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        done = registry.version_promote(task=task, version=version, by=request.user, **given.validated_data)
        return Response(PromotionSerializer(done).data)


class Rollback(APIView):
    """Put the version before the live one back."""

    permission_classes = [IsAdminUser]

    @extend_schema(tags=["models"], request=ReasonSerializer, responses=PromotionSerializer)
    def post(self, request: Request, task: str) -> Response:
        given = ReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        done = registry.version_rollback(task=task, by=request.user, reason=given.validated_data["reason"])
        return Response(PromotionSerializer(done).data)


class AtSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField(required=False)


class Timeline(APIView):
    """Which version was live when: all changes, or with `?at=` the version of that moment."""

    permission_classes = [IsAdminUser]

    @extend_schema(
        tags=["models"],
        parameters=[AtSerializer],
        responses=inline_serializer(
            "Timeline", {"live": VersionSerializer(allow_null=True), "changes": PromotionSerializer(many=True)}
        ),
    )
    def get(self, request: Request, task: str) -> Response:
        given = AtSerializer(data=request.query_params)
        given.is_valid(raise_exception=True)
        live = registry.live_at(task=task, at=given.validated_data.get("at", timezone.now()))
        changes = Promotion.objects.filter(task=task).select_related("from_version", "to_version")[:100]
        return Response(
            {
                "live": VersionSerializer(live).data if live else None,
                "changes": PromotionSerializer(changes, many=True).data,
            }
        )
