"""Versions, promotions and predictions in the admin: facts, so they are looked at and not edited. Versions go live and
back by actions that walk through the same gate as `manage.py promote`. A/B tests have a module of their own."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from experiments import ab_test_admin  # noqa: F401  Django looks here for what is registered there
from experiments.alarms import admin as alarms_admin  # noqa: F401
from experiments.discovery import tasks
from experiments.errors import DomainError
from experiments.facts import Facts
from experiments.models import (
    DriftReport,
    Exposure,
    ModelVersion,
    Outcome,
    Prediction,
    Promotion,
    Schedule,
    WebhookDelivery,
)
from experiments.registry import version_promote, version_rollback


def _link(what: object, address: str) -> str:
    return format_html('<a href="{}">{}</a>', address, what)


@admin.register(ModelVersion)
class ModelVersionAdmin(Facts):
    list_display = ["task", "version", "algorithm", "live", "quality", "created_by", "created_at"]
    list_filter = ["task", "live", "algorithm"]
    search_fields = ["task", "digest"]
    actions = ["put_live", "roll_back"]

    @admin.display(description="on held-out rows")
    def quality(self, row: ModelVersion) -> str:
        measured = row.metrics.get("test", {})
        return ", ".join(f"{name} {value:.4f}" for name, value in measured.items() if isinstance(value, float))

    @admin.action(description="Put live, if it is not worse than the live version", permissions=["promote"])
    def put_live(self, request: HttpRequest, rows: QuerySet[ModelVersion]) -> None:
        for row in rows:
            act = partial(version_promote, task=row.task, version=row.version)
            self._try(request, f"{row} is live.", act)

    @admin.action(description="Roll back to the version before the live one", permissions=["promote"])
    def roll_back(self, request: HttpRequest, rows: QuerySet[ModelVersion]) -> None:
        for task in sorted({row.task for row in rows}):
            self._try(request, f"{task} is rolled back.", partial(version_rollback, task=task))

    def has_promote_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("experiments.change_modelversion")

    def _try(self, request: HttpRequest, done: str, act: Any) -> None:
        try:
            act(by=request.user, reason="from the admin")
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
        else:
            self.message_user(request, done, messages.SUCCESS)


@admin.register(Promotion)
class PromotionAdmin(Facts):
    list_display = ["task", "kind", "from_version", "to_version", "by", "forced", "reason", "at"]
    list_filter = ["task", "kind", "forced"]
    list_select_related = ["from_version", "to_version", "by"]
    date_hierarchy = "at"


class OfTask(admin.SimpleListFilter):
    """The tasks of the code: to ask the log which ones it has would be to read all of it."""

    title = parameter_name = "task"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in sorted(tasks())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Prediction]) -> QuerySet[Prediction]:
        return queryset.filter(task=self.value()) if self.value() else queryset


@admin.register(Prediction)
class PredictionAdmin(Facts):
    """Found by its id or by the id of the request, which every answer and every error carries."""

    list_display = ["id", "task", "algorithm", "version", "method", "status", "failed", "user_id", "sure", "took",
                    "created_at"]  # fmt: skip
    readonly_fields = ["failed", "answered_by", "same_request"]
    list_filter = [OfTask, "status"]
    search_fields = ["=request_id", "=id"]
    search_help_text = "A request id, or a prediction's id."
    list_per_page = 50

    @admin.display(description="confidence", ordering="confidence")
    def sure(self, row: Prediction) -> str:
        return "" if row.confidence is None else f"{row.confidence:.3f}"

    @admin.display(description="ms", ordering="latency_ms")
    def took(self, row: Prediction) -> str:
        return f"{row.latency_ms:.2f}"

    @admin.display(description="what failed")
    def failed(self, row: Prediction) -> str:
        """The kind of the exception; its text, which may repeat what was sent, is in the log of the process alone."""
        return (row.output or {}).get("error", "") if row.status == Prediction.Status.ERROR else ""

    @admin.display
    def answered_by(self, row: Prediction) -> str:
        found = ModelVersion.objects.filter(task=row.task, version=row.version or 0).first()
        return _link(found, reverse("admin:experiments_modelversion_change", args=[found.pk])) if found else ""

    @admin.display(description="same request")
    def same_request(self, row: Prediction) -> str:
        found = reverse("admin:experiments_prediction_changelist", query={"q": row.request_id})
        return _link("all that it was answered with", found) if row.request_id else ""

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(pk=UUID(term)) | queryset.filter(request_id=term), False
        except ValueError:
            return queryset.filter(request_id=term), False


@admin.register(Outcome)
class OutcomeAdmin(Facts):
    list_display = ["id", "kind", "subject", "value", "user_id", "prediction_id", "created_at"]
    search_fields = ["=subject", "=kind"]


@admin.register(DriftReport)
class DriftReportAdmin(Facts):
    list_display = ["task", "version", "made_at", "drifted", "which", "note"]
    list_filter = ["task"]
    date_hierarchy = "made_at"

    @admin.display(description="features")
    def which(self, row: DriftReport) -> str:
        return ", ".join(one["name"] for one in row.features if one["drifted"])


@admin.register(Schedule)
class ScheduleAdmin(Facts):
    list_display = ["name", "due_at", "last_error"]


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(Facts):
    list_display = ["id", "event", "host", "state", "attempts", "last_error", "created_at", "due_at", "delivered_at"]
    list_filter = ["event"]


@admin.register(Exposure)
class ExposureAdmin(Facts):
    list_display = ["id", "test", "variant", "user_id", "prediction_id", "created_at"]
    list_filter = ["test"]
    list_select_related = ["test", "variant__test"]
    search_fields = ["=user_id"]
