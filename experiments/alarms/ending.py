"""Ends alarms that no look can end: the rule is gone, or the version that broke it is no longer live. What was pending
goes without a word.
"""

import logging
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from experiments.alarms.judging import PENDING, RESOLVED, forgotten
from experiments.alarms.models import Alarm
from experiments.alarms.selectors import alarms_open, tasks_of
from experiments.alarms.telling import alarm_log, alarm_send
from experiments.monitoring.report import LiveVersion

logger = logging.getLogger(__name__)
Live = Mapping[str, LiveVersion]  # by the task


def alarms_end(live: Live, now: datetime) -> None:
    for alarm in alarms_open().select_related("rule"):
        try:
            _end(alarm, live, now)
        except Exception:
            logger.exception("the alarm %s could not be ended", alarm)


def _end(alarm: Alarm, live: Live, now: datetime) -> None:
    why = _over(alarm, live)
    if not why and not forgotten(alarm.episode, now):
        return
    with transaction.atomic():
        row = _locked(alarm)
        if not row:
            return
        if row.state == PENDING:
            row.delete()
            return
        row.state, row.resolved_at, row.ended = RESOLVED, now, why
        row.save()
        alarm_send(row, "resolved")
    alarm_log(row, "resolved")


def _over(alarm: Alarm, live: Live) -> str:
    """Why nobody can tell any more whether it is resolved, or nothing."""
    rule, now_live = alarm.rule, live.get(alarm.task)
    if not rule:
        return "The rule was deleted."
    if not rule.enabled:
        return "The rule was switched off."
    if rule.metric != alarm.metric or rule.task not in ("", alarm.task):
        return "The rule was changed."
    if not now_live or not _is_of(alarm, now_live):
        return f"{alarm.task} {alarm.version} is no longer live."
    return "" if alarm.task in tasks_of(rule, live) else f"Nothing measures {alarm.metric} of {alarm.task} any more."


def _is_of(alarm: Alarm, live: LiveVersion) -> bool:
    return (alarm.version, alarm.live_since) == (live.version, live.since)


def _locked(alarm: Alarm) -> Alarm | None:
    """The alarm's row, if it is as it was read."""
    rows = Alarm.objects.select_for_update()
    return rows.filter(pk=alarm.pk, state=alarm.state, seen_at=alarm.seen_at).first()
