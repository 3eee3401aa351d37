"""What is filled in to make or change an A/B test in the admin, and to take a step with it. The services write it
(ab_tests.py): what they refuse comes back to these forms as an error beside its field.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from experiments.ab_test_history import by
from experiments.ab_tests import DRAFTED
from experiments.discovery import tasks
from experiments.errors import DomainError
from experiments.judged_by import MOST_LOST
from experiments.models import ABTest, ABTestAction
from experiments.results.metrics import METRICS

MOST_WHY = 1_000
FACTS = DRAFTED - {"variants"}


def metrics() -> list[tuple[str, str]]:
    return [(metric.name, f"{metric.name}: {metric.description}") for metric in METRICS.values()]


def or_none(choices: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [("", "Select value"), *choices]


def why() -> forms.CharField:
    widget = UnfoldAdminTextareaWidget({"rows": 2})
    return forms.CharField(
        label="Why", required=False, max_length=MOST_WHY, widget=widget, help_text="For the history."
    )


class GuardrailsField(forms.Field):
    """A line each: the metric and its bound."""

    widget = UnfoldAdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{one['metric']} {one['bound']}" for one in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[dict[str, Any]]:
        return [self._guardrail(line) for line in (value or "").splitlines() if line.strip()]

    def _guardrail(self, line: str) -> dict[str, Any]:
        try:
            metric, bound = line.split()
            return {"metric": metric, "bound": float(bound)}
        except ValueError:
            raise forms.ValidationError(
                f"“{line.strip():.80}” is no metric and its bound, 0 to {MOST_LOST}, such as “latency_p95 0.1”."
            ) from None


class ABTestForm(forms.ModelForm):
    """`seen` is the last thing that had been done to the test when the page was opened."""

    refused: ClassVar[DomainError | None] = None
    task = forms.ChoiceField(
        choices=lambda: or_none((name, name) for name in sorted(tasks())), widget=UnfoldAdminSelectWidget
    )
    primary_metric = forms.ChoiceField(
        choices=lambda: or_none(metrics()),
        widget=UnfoldAdminSelectWidget,
        initial="click_rate",
        help_text="What decides.",
    )
    secondary_metrics = forms.MultipleChoiceField(
        choices=metrics,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        required=False,
        help_text="They decide nothing.",
    )
    guardrails = GuardrailsField(
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
        required=False,
        help_text="What may not be lost: a metric a line, and how much of it may be lost after all. “latency_p95 0.1”"
        " lets it rise by a tenth; of error_rate and fallback_rate it is points: 0.01 lets one in a hundred more fail.",
    )
    reason = why()
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = ABTest
        fields = "__all__"  # noqa: DJ007  those that ABTestAdmin shows
        widgets = {"hypothesis": UnfoldAdminTextareaWidget({"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.last = ABTestAction.objects.filter(test=self.instance.pk).select_related("by").first()
        self.initial["seen"] = self.last and self.last.pk

    def clean(self) -> None:
        super().clean()
        if self.last and self.cleaned_data.get("seen") != self.last.pk:
            words = f"Since you opened this page: {self.last.action} by {by(self.last)}. Open it anew and look."
            self.add_error(None, words)
        if self.refused and (field := field_of(self.refused)) != "variants":
            self.add_error(field if field in self.fields else None, self.refused.detail)

    def values(self) -> dict[str, Any]:
        """What was filled in, by the fields of the test."""
        return {name: value for name, value in self.cleaned_data.items() if name in FACTS}

    def changes(self) -> dict[str, Any]:
        return {name: value for name, value in self.values().items() if name in self.changed_data}


class WhyForm(forms.Form):
    """Before a step is taken. `impossible` says why it cannot be, where that is known beforehand."""

    impossible = ""
    reason = why()

    def __init__(self, test: ABTest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class WinnerForm(WhyForm):
    """Any variant that brings a version can be promoted, also one that did not win: the gate has its say."""

    variant = forms.ChoiceField(label="Winner", widget=UnfoldAdminRadioSelectWidget)
    field_order = ["variant", "reason"]

    def __init__(self, test: ABTest, *args: Any, **kwargs: Any) -> None:
        super().__init__(test, *args, **kwargs)
        rows = test.variants.exclude(version=None).select_related("version").order_by("pk")
        if not rows:
            self.impossible = "No variant brings a version of its own, so there is none to promote."
        self.fields["variant"].choices = [(one.name, f"{one.name}: {one.version}") for one in rows]  # type: ignore[attr-defined]


def field_of(error: DomainError) -> str:
    """The field of the form that it is about, or nothing."""
    return str(getattr(error, "field", "") or error.extra.get("field", "")).split(".")[0]
