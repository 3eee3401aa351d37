"""Alarms in the admin: rules are made and changed, what fired is looked at. A rule that acts takes the permission that
rolling back by hand does.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from experiments.alarms.judging import FIRING
from experiments.alarms.metrics import MEANINGS, shown
from experiments.alarms.models import Alarm, AlarmRule
from experiments.alarms.selectors import alarms_open
from experiments.discovery import estimates_of, figures_of, tasks
from experiments.facts import Facts

LABELS = {"firing": "danger", "pending": "warning", "resolved": "success", "ok": "success"}
ACTING = ["action", "cooldown_minutes"]


def watchable() -> list[tuple[str, str]]:
    counted = [(name, f"{name}: {words}") for name, words in MEANINGS.items()]
    return [
        *counted,
        *_of_tasks(figures_of, "measured"),
        *_of_tasks(estimates_of, "found once an hour, without truths"),
    ]


def _of_tasks(names_of: Callable[[str], set[str]], how: str) -> list[tuple[str, str]]:
    names = dict.fromkeys(name for task in tasks() for name in sorted(names_of(task)))
    return [(one, f"{one}: {how}, of {', '.join(task for task in sorted(tasks()) if one in names_of(task))}")
            for one in names]  # fmt: skip


def watched_tasks() -> list[tuple[str, str]]:
    return [("", "every task with a live version"), *((name, name) for name in sorted(tasks()))]


class AlarmRuleForm(forms.ModelForm):
    task = forms.ChoiceField(choices=watched_tasks, required=False, widget=UnfoldAdminSelectWidget)
    metric = forms.ChoiceField(
        choices=watchable,
        widget=UnfoldAdminSelectWidget,
        help_text="Of the live version, since it went live; an estimate is of a day.",
    )

    class Meta:
        model = AlarmRule
        fields = "__all__"  # noqa: DJ007  (the fieldsets say which)


@admin.register(AlarmRule)
class AlarmRuleAdmin(ModelAdmin):
    form = AlarmRuleForm
    list_display = ["name", "watched", "of", "for_minutes", "least", "enabled", "action", "now"]
    list_filter = ["enabled", "action"]
    search_fields = ["name"]
    fieldsets = [
        ("What is watched", {"fields": ["name", "task", "metric", "window_minutes", "least", "enabled"]}),
        ("When it fires", {"fields": ["comparison", "threshold", "relative", "for_minutes"]}),
        ("What is done", {"fields": ACTING}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlarmRule]:
        rows: QuerySet[AlarmRule] = super().get_queryset(request)
        return rows.prefetch_related(Prefetch("alarms", queryset=alarms_open(), to_attr="open"))

    def get_readonly_fields(self, request: HttpRequest, obj: AlarmRule | None = None) -> list[str]:
        return [] if _may_roll_back(request) else ACTING

    def has_change_permission(self, request: HttpRequest, obj: AlarmRule | None = None) -> bool:
        return bool(super().has_change_permission(request, obj)) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: AlarmRule | None = None) -> bool:
        return bool(super().has_delete_permission(request, obj)) and _may_touch(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[AlarmRule]) -> None:
        for rule in queryset:
            rule.delete()

    @display(description="task", ordering="task")
    def of(self, rule: AlarmRule) -> str:
        return rule.task or "every one"

    @display(label=LABELS)
    def now(self, rule: Any) -> str | tuple[str, str]:
        states = {alarm.state: alarm.task for alarm in rule.open}
        if not states:
            return "ok"
        state = FIRING if FIRING in states else "pending"
        return state, f"{state}: {', '.join(alarm.task for alarm in rule.open if alarm.state == state)}"


@admin.register(Alarm)
class AlarmAdmin(Facts):
    list_display = ["name", "task", "version", "shown_state", "measured", "allowed", "since", "fired_at", "resolved_at",
                    "action", "ended"]  # fmt: skip
    list_filter = ["state", "task"]
    search_fields = ["name"]
    date_hierarchy = "since"

    class Media:
        css = {"all": ["experiments/abtest.css"]}  # links that are bright enough in the dark

    @display(description="state", ordering="state", label=LABELS)
    def shown_state(self, alarm: Alarm) -> str:
        return alarm.state

    @display(description="value", ordering="value")
    def measured(self, alarm: Alarm) -> str:
        return f"{alarm.metric} {shown(alarm.metric, alarm.value)}"

    @display(description="bound")
    def allowed(self, alarm: Alarm) -> str:
        return shown(alarm.metric, alarm.bound)


def _may_touch(request: HttpRequest, rule: AlarmRule | None) -> bool:
    return rule is None or not rule.action or _may_roll_back(request)


def _may_roll_back(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("experiments.change_modelversion"))
