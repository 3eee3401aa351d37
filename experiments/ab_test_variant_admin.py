"""The variants of an A/B test in the admin: rows of its form, which go to the services with it."""

import json
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from experiments.ab_test_forms import field_of
from experiments.discovery import tasks
from experiments.errors import DomainError, NotFound
from experiments.models import ABTest, ModelVersion, Variant
from experiments.registry import version_get

MOST_VARIANTS = 10
INT32 = 2**31 - 1


class ConfigField(forms.Field):
    """JSON. Left empty, nothing is set."""

    def prepare_value(self, value: Any) -> str:
        if not value or isinstance(value, str):
            return value or ""
        return json.dumps(value, ensure_ascii=False)

    def to_python(self, value: Any) -> Any:
        try:
            return json.loads(value) if value and value.strip() else {}
        except (ValueError, RecursionError):
            raise forms.ValidationError("Enter valid JSON.") from None


class VariantForm(forms.ModelForm):
    """A version is known by its number, which is unique within the task."""

    class Meta:
        model = Variant
        fields = ["name", "weight", "version", "config"]

    def __init__(self, *args: Any, test: ABTest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.test = test
        self.initial["version"] = self.instance.version and self.instance.version.version
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{field.label} of the variant"

    def clean_version(self) -> ModelVersion | None:
        number = self.cleaned_data["version"]
        if number is None or self.test.task not in tasks():  # what is wrong with the task is said there
            return None
        try:
            return version_get(task=self.test.task, version=number)
        except NotFound as error:
            raise forms.ValidationError(error.detail) from None


def variant_field(name: str, help_text: str) -> forms.Field | None:
    """That of the form, for the fields of a variant that are not filled in as they are stored."""
    if name == "version":
        return forms.IntegerField(
            widget=UnfoldAdminIntegerFieldWidget, required=False, min_value=1, max_value=INT32, help_text=help_text
        )
    if name == "config":
        return ConfigField(widget=UnfoldAdminTextareaWidget({"rows": 2}), required=False, help_text=help_text)
    return None


class Variants(PaginationInlineFormSet):
    refused: ClassVar[DomainError | None] = None

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "test": self.instance}

    def clean(self) -> None:
        super().clean()
        if self.refused and field_of(self.refused) == "variants":
            raise forms.ValidationError(self.refused.detail)

    def given(self) -> list[dict[str, Any]]:
        """As the services take them, the control first."""
        filled = (form for form in self.forms if form.instance.pk or form.has_changed())
        return [_given(form.instance) for form in filled if form not in self.deleted_forms]


class VariantInline(TabularInline):
    """Who may see and change the test may see and change these."""

    model = Variant
    form = VariantForm
    formset = Variants
    fields = ["name", "weight", "version", "config"]
    extra = 0
    min_num = 2
    max_num = MOST_VARIANTS
    hide_title = True

    def has_view_permission(self, request: HttpRequest, obj: ABTest | None = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: ABTest | None = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: ABTest | None = None) -> bool:
        return obj is None or obj.state == ABTest.State.DRAFT

    def has_delete_permission(self, request: HttpRequest, obj: ABTest | None = None) -> bool:
        return self.has_add_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: ABTest | None = None) -> list[str]:
        return [] if self.has_add_permission(request, obj) else ["name", "version", "config"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Variant]:
        rows: QuerySet[Variant] = super().get_queryset(request)
        return rows.select_related("version", "test").order_by("pk")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        made = variant_field(db_field.name, db_field.help_text)
        return made or super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_formset(self, request: HttpRequest, obj: ABTest | None = None, **kwargs: Any) -> Any:
        bound = {"validate_max": self.has_add_permission(request, obj)}  # else Django's bound is 0
        formset = super().get_formset(request, obj, **bound, **kwargs)
        formset.refused = getattr(request, "refused", None)
        return formset


def _given(row: Variant) -> dict[str, Any]:
    number = row.version and row.version.version
    return {"name": row.name, "weight": row.weight, "version": number, "config": row.config}
