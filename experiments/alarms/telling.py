"""Each change of an alarm as a message to the receiver of the webhook, and as a line of the log."""

import logging

from experiments.alarms.models import Alarm
from experiments.webhooks import webhook_send

logger = logging.getLogger(__name__)


def alarm_send(alarm: Alarm, event: str) -> None:
    """In the transaction of what happened. `event` is fired, resolved or acted."""
    webhook_send(event=f"alarm.{event}", data=alarm.facts())


def alarm_log(alarm: Alarm, event: str) -> None:
    """When the transaction is committed."""
    level = logging.INFO if event == "resolved" else logging.WARNING
    words = {"fired": alarm.figures, "resolved": alarm.ended or alarm.figures, "acted": alarm.action}
    logger.log(level, "the alarm %s %s: %s", alarm, event, words[event])
