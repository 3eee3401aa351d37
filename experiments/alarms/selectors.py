"""What is read of alarms."""

from collections.abc import Iterable

from django.db.models import QuerySet

from experiments.alarms.judging import FIRING
from experiments.alarms.metrics import COUNTED, DRIFTED
from experiments.alarms.models import OPEN, Alarm, AlarmRule
from experiments.discovery import estimates_of, figures_of, tasks


def alarms_firing() -> list[Alarm]:
    """Those that fire now, the newest first."""
    return list(Alarm.objects.filter(state=FIRING).order_by("-fired_at", "-id"))


def alarms_open() -> QuerySet[Alarm]:
    """Those that fire or are about to."""
    return Alarm.objects.filter(state__in=OPEN)


def tasks_of(rule: AlarmRule, live: Iterable[str]) -> list[str]:
    """Of the tasks that have a live version, those that the rule is about: a figure that a task has not is not
    looked for, nor a task that the code has not.
    """
    known = sorted(task for task in {*live} & {*tasks()} if rule.task in ("", task))
    if rule.metric in (*COUNTED, DRIFTED):
        return known
    return [task for task in known if rule.metric in figures_of(task) | estimates_of(task)]
