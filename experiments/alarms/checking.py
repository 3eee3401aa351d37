"""Looks at the rules: an alarm fires when a live version breaks one for long enough, and is resolved when it no longer
does, or is no longer live. Where there is too little to tell, all stays as it was.

How long it lasts is kept in the alarm's row, so any worker can go on where another one stopped. It is written only
while the rule is as it was read, and with the rule's row locked, so of two looks at once one fires it.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from experiments.alarms.ending import alarms_end
from experiments.alarms.judging import FIRING, RESOLVED, after
from experiments.alarms.metrics import COUNTED
from experiments.alarms.models import Alarm, AlarmRule
from experiments.alarms.readings import Reading, before, reading_of
from experiments.alarms.rolling_back import rollback_try
from experiments.alarms.selectors import alarms_open, tasks_of
from experiments.alarms.telling import alarm_log, alarm_send
from experiments.monitoring.report import LiveVersion
from experiments.monitoring.summary import live_versions

logger = logging.getLogger(__name__)
EVENTS = {FIRING: "fired", RESOLVED: "resolved"}


def alarms_check(*, now: datetime, counted: bool) -> None:
    """Look at the rules of what is `counted` in the rollups, or at the others. One that cannot be looked at harms no
    other.
    """
    live = live_versions()
    alarms_end(live, now)
    for rule in AlarmRule.objects.filter(enabled=True).order_by("pk"):
        if (rule.metric in COUNTED) is not counted:
            continue
        for task in tasks_of(rule, live):
            try:
                if _look(rule, task, live[task], now):
                    live = live_versions()
            except Exception:
                logger.exception("%s of %s could not be looked at", rule, task)


def _look(rule: AlarmRule, task: str, live: LiveVersion, now: datetime) -> bool:
    """Gives whether something was done, so that another version may be live."""
    reading = reading_of(rule, task, live, now)
    known = alarms_open().filter(rule=rule, task=task).first()
    if not reading:
        return False
    # Of an alarm the bound stays: what was before would come to be as bad as what is now.
    was = known.before if known else None
    if rule.relative and was is None:
        was = before(rule, task, reading.window)
    bound = rule.bound.against(was)
    if bound is None:
        return False
    broken = rule.bound.broken(reading.figure.value, bound)
    if not broken and not known:
        return False
    alarm = Alarm(
        rule=rule, name=rule.name, task=task, version=live.version, live_since=live.since, metric=rule.metric,
        before=was, bound=bound,
    )  # fmt: skip
    written = _write(rule, alarm, reading, broken, now)
    if not (written and broken and written.state == FIRING and rule.action == AlarmRule.Action.ROLLBACK):
        return False
    rollback_try(alarm_id=written.pk, cooldown=timedelta(minutes=rule.cooldown_minutes), now=now)
    return True


def _write(rule: AlarmRule, new: Alarm, reading: Reading, broken: bool, now: datetime) -> Alarm | None:
    """The open alarm as it is after the look, `new` where there was none; None where nothing was written, or it is
    over.
    """
    with transaction.atomic():
        if not _as_read(rule).select_for_update(no_key=True):  # somebody changed or deleted it meanwhile
            return None
        row = alarms_open().select_for_update().filter(rule=rule, task=new.task).first()
        if row and (row.version, row.live_since) != (new.version, new.live_since):  # the next look ends it
            return None
        then = after(row.episode if row else None, broken, now, timedelta(minutes=rule.for_minutes))
        if not then:
            if row:
                row.delete()
            return None
        alarm = row or new
        event = EVENTS.get(then.state, "") if not row or row.state != then.state else ""
        alarm.state, alarm.since, alarm.seen_at = then.state, then.since, then.seen
        alarm.value, alarm.n, alarm.bound, alarm.before = reading.figure.value, reading.figure.n, new.bound, new.before
        if event:
            setattr(alarm, f"{event}_at", now)
        alarm.save()
        if event:
            alarm_send(alarm, event)
    if event:
        alarm_log(alarm, event)
    return alarm


def _as_read(rule: AlarmRule) -> QuerySet[AlarmRule]:
    """The rule's row, if it is as it was looked at."""
    return AlarmRule.objects.filter(**{field.attname: getattr(rule, field.attname) for field in rule._meta.fields})
