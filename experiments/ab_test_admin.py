"""A/B tests in the admin: made, changed, started and judged there, each by the service that the API calls too."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import action, display

from experiments import ab_tests
from experiments.ab_test_counts import users_so_far, with_users
from experiments.ab_test_forms import ABTestForm
from experiments.ab_test_history import history_of
from experiments.ab_test_steps import STEPS, StepsAdmin
from experiments.ab_test_variant_admin import VariantInline
from experiments.errors import Conflict, DomainError
from experiments.models import ABTest
from experiments.results.summary import results_of
from experiments.results_page import page_of

State = ABTest.State
LABELS = {"running": "success", "paused": "warning", "stopped": "info"}
FIELDSETS = [
    ("What is compared", {"fields": ["name", "task", "hypothesis"]}),
    ("Who takes part", {"fields": ["traffic", "audience", "signed_up_before"]}),
    ("What decides", {"fields": ["primary_metric", "smallest_effect", "window_days", "planned_users",
                                 "secondary_metrics", "guardrails", "guardrail_minutes"]}),
]  # fmt: skip
SO_FAR = ("So far", {"fields": ["state", "started_at", "stopped_at", "created_at"]})
WHY = ("This change", {"fields": ["reason", "seen"]})


@admin.register(ABTest)
class ABTestAdmin(StepsAdmin):
    form = ABTestForm
    list_display = ["name", "task", "shown_state", "share", "started_at", "users", "shown_results"]
    list_filter = ["task", "state"]
    list_per_page = 50
    search_fields = ["name"]
    inlines = [VariantInline]
    actions = None
    actions_detail = ["results", *STEPS]

    class Media:
        css = {"all": ["experiments/abtest.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[ABTest]:
        return with_users(super().get_queryset(request))

    @display(description="state", ordering="state", label=LABELS)
    def shown_state(self, test: ABTest) -> str:
        return test.state

    @display(description="traffic", ordering="traffic")
    def share(self, test: ABTest) -> str:
        return f"{100 * test.traffic:g} %"

    @display(description="users so far")
    def users(self, test: Any) -> str:
        return users_so_far(test)

    @display(description="results")
    def shown_results(self, test: ABTest) -> str:
        at = reverse("admin:experiments_abtest_results", args=[test.pk])
        return format_html('<a class="text-link underline" href="{}" aria-label="Results of {}">Results</a>', at, test)

    def has_change_permission(self, request: HttpRequest, obj: ABTest | None = None) -> bool:
        return super().has_change_permission(request, obj) and (
            obj is None or bool(ab_tests.EDITABLE[State(obj.state)])
        )

    def has_delete_permission(self, request: HttpRequest, obj: ABTest | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.state == State.DRAFT)

    def get_fieldsets(self, request: HttpRequest, obj: ABTest | None = None) -> list[Any]:
        if obj is None:
            return [*FIELDSETS, WHY]
        return [*FIELDSETS, SO_FAR, WHY] if self.has_change_permission(request, obj) else [SO_FAR, *FIELDSETS]

    def get_readonly_fields(self, request: HttpRequest, obj: ABTest | None = None) -> list[str]:
        if obj is None:
            return []
        fields = [name for _, options in FIELDSETS for name in options["fields"]]
        editable = ab_tests.EDITABLE[State(obj.state)]
        return [*(name for name in fields if name not in editable), *SO_FAR[1]["fields"]]

    def get_form(self, request: HttpRequest, obj: ABTest | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.refused = getattr(request, "refused", None)
        return form

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """What the service refuses is rolled back, and the form is shown again with its words."""
        show = partial(super().changeform_view, request, object_id, form_url, extra_context)
        try:
            return show()
        except DomainError as error:
            request.refused = error  # type: ignore[attr-defined]
            return show()
        except PermissionDenied:
            return self._too_late(request, "change" if object_id else "add", "A stopped test cannot be changed.")

    def save_model(self, request: HttpRequest, obj: ABTest, form: ABTestForm, change: bool) -> None:
        """With the variants: save_related does both."""

    def save_related(self, request: HttpRequest, form: ABTestForm, formsets: Any, change: bool) -> None:
        facts = {"by": request.user, "reason": form.cleaned_data["reason"], "variants": formsets[0].given()}
        if change:
            ab_tests.ab_test_edit(test_id=form.instance.pk, **facts, **form.changes())
        else:
            form.instance.pk = ab_tests.ab_test_create(**facts, **form.values()).pk

    def construct_change_message(self, *args: Any, **kwargs: Any) -> list[Any]:
        return []  # the history of the test has it

    def delete_model(self, request: HttpRequest, obj: ABTest) -> None:
        ab_tests.ab_test_delete(test_id=obj.pk)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except DomainError as error:
            return self._too_late(request, "delete", error.detail)
        except PermissionDenied:
            return self._too_late(request, "delete", "Only a draft test can be deleted.")

    def _too_late(self, request: HttpRequest, what: str, words: str) -> HttpResponse:
        """Who has the permission learns that the test's state, which somebody changed meanwhile, forbids it."""
        if not request.user.has_perm(f"experiments.{what}_abtest"):
            raise PermissionDenied
        self.message_user(request, words, messages.ERROR)
        return redirect("admin:experiments_abtest_changelist")

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return redirect(reverse("admin:experiments_abtest_results", args=[unquote(object_id)]) + "#history")

    @action(description="Results", url_path="results", permissions=["view"], icon="monitoring")
    def results(self, request: HttpRequest, object_id: str) -> HttpResponse:
        test = self.get_object(request, unquote(object_id))
        if not test:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return self.page(request, test, "results.html", "Results", history=history_of(test), **_results(test))


def _results(test: ABTest) -> dict[str, Any]:
    try:
        return {"page": page_of(results_of(test=test))}
    except Conflict as error:
        return {"refused": error.detail}
