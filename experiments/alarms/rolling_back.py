"""An alarm whose rule says so puts the version before back: never a second time before somebody has promoted a version
again, and not within the cool-down of the last time.

All of it is one transaction that holds the alarm's row: of two workers one acts, and where it is killed nothing was
done and the next look does it.
"""

from datetime import datetime, timedelta

from django.db import transaction

from experiments.alarms.judging import FIRING
from experiments.alarms.models import Alarm
from experiments.alarms.telling import alarm_log, alarm_send
from experiments.errors import DomainError
from experiments.models import Promotion
from experiments.registry import version_rollback

MOST_WORDS = 1_000


def rollback_try(*, alarm_id: int, cooldown: timedelta, now: datetime) -> None:
    """Roll the alarm's version back, or note why not. Only a cool-down is waited for."""
    with transaction.atomic():
        waiting = Alarm.objects.filter(pk=alarm_id, state=FIRING, acted_at=None)
        alarm = waiting.select_for_update(skip_locked=True).first()
        if not alarm:
            return
        words, done = _act(alarm, cooldown, now)
        if words == alarm.action:
            return
        alarm.action, alarm.acted_at = words[:MOST_WORDS], now if done else None
        alarm.save()
        alarm_send(alarm, "acted")
    alarm_log(alarm, "acted")


def _act(alarm: Alarm, cooldown: timedelta, now: datetime) -> tuple[str, bool]:
    """What was done or why nothing was, and whether that is the last word."""
    last = Promotion.objects.filter(task=alarm.task, alarm__isnull=False).order_by("-id").first()
    if last and not _promoted_after(last):
        at = f"{last.at:%Y-%m-%d %H:%M} UTC"
        return f"Not rolled back: an alarm did so at {at}, and nobody has promoted a version since.", True
    if last and now < last.at + cooldown:
        return f"Not rolled back before {last.at + cooldown:%Y-%m-%d %H:%M} UTC: an alarm did so shortly before.", False
    return _roll_back(alarm), True


def _promoted_after(last: Promotion) -> bool:
    return Promotion.objects.filter(task=last.task, kind=Promotion.Kind.PROMOTE, id__gt=last.pk).exists()


def _roll_back(alarm: Alarm) -> str:
    reason = f"The alarm {alarm.name} fired: {alarm.figures}."
    try:
        alarm.rollback = version_rollback(task=alarm.task, reason=reason, only=alarm.version)
    except DomainError as error:
        return f"Not rolled back: {error.detail}"
    return f"Rolled back from version {alarm.version} to {alarm.rollback.to_version.version}."
