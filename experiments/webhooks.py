"""Tells another system what happened, by HTTP: as the Standard Webhooks specification 1.0.0 has it
(github.com/standard-webhooks/standard-webhooks), so a receiver can use its libraries.

What is to be told is a row, written in the transaction of what happened. A job sends it at once, and the schedule finds
what a killed job left and what was not taken yet. It is sent at least once: where a worker is killed between the
receiver's answer and the note of it, once more, and `webhook-id` lets the receiver tell.
"""

import base64
import hashlib
import hmac
import logging
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson
import urllib3
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from experiments.models import WebhookDelivery
from experiments.tasks import deliver_webhooks

logger = logging.getLogger(__name__)
MOST_ATTEMPTS = 10
FIRST_WAIT = timedelta(minutes=1)  # doubled each time: the last attempt is 8½ hours after the first
CONNECT_S, ANSWER_S = 5, 15
ROUND_S = 20  # of sending at a time: other jobs wait for it


def webhook_send(*, event: str, data: Mapping[str, Any]) -> None:
    """Have it sent when the transaction is committed. Nothing where no receiver is set."""
    if not settings.WEBHOOK_URL:
        return
    WebhookDelivery.objects.create(event=event, data=data)
    transaction.on_commit(lambda: deliver_webhooks.enqueue(), robust=True)  # the schedule finds it without


def webhooks_deliver() -> int:
    """Send what is due, the oldest first; gives how many were taken. What is left after ROUND_S has its turn later."""
    if not settings.WEBHOOK_URL:
        return 0
    key = key_of(settings.WEBHOOK_SECRET)
    taken, end = 0, time.monotonic() + ROUND_S
    while time.monotonic() < end and (row := _claimed()):
        error = _post(row, key)
        _note(row, error)
        taken += not error
    return taken


def key_of(secret: str) -> bytes:
    """The key of a secret as the specification writes it: `whsec_` and 24 to 64 bytes in base64. Raises ValueError."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith("whsec_") or not 24 <= len(key) <= 64:
        raise ValueError("WEBHOOK_SECRET is not whsec_ and 24 to 64 bytes in base64.")
    return key


def signature(key: bytes, *, message: str, at: int, body: bytes) -> str:
    """Of the attempt `at`, in seconds since 1970, to send `body` as the message of that id."""
    digest = hmac.digest(key, f"{message}.{at}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def _claimed() -> WebhookDelivery | None:
    """The oldest one that is due, for this process alone: others see it due again when the next attempt would be."""
    while row := WebhookDelivery.objects.filter(due_at__lte=timezone.now()).order_by("pk").first():
        was = row.due_at
        row.attempts += 1
        row.due_at = timezone.now() + FIRST_WAIT * 2 ** (min(row.attempts, MOST_ATTEMPTS) - 1)
        row.host = urlsplit(settings.WEBHOOK_URL).hostname or ""
        changed = {name: getattr(row, name) for name in ("attempts", "due_at", "host")}
        if WebhookDelivery.objects.filter(pk=row.pk, due_at=was).update(**changed):
            return row
    return None


def _post(row: WebhookDelivery, key: bytes) -> str:
    """What went wrong, or nothing. Of the answer only the status is read."""
    body = orjson.dumps({"type": row.event, "timestamp": row.created_at.isoformat(), "data": row.data})
    message, at = str(row.pk), int(time.time())
    headers = {
        "Content-Type": "application/json", "webhook-id": message, "webhook-timestamp": str(at),
        "webhook-signature": signature(key, message=message, at=at, body=body),
    }  # fmt: skip
    try:
        answer = urllib3.request(
            "POST", settings.WEBHOOK_URL, body=body, headers=headers, redirect=False, retries=False,
            preload_content=False, timeout=urllib3.Timeout(connect=CONNECT_S, read=ANSWER_S),
        )  # fmt: skip
    except urllib3.exceptions.HTTPError as error:
        return f"{type(error).__name__}: {error}"[:500]
    answer.close()
    return "" if 200 <= answer.status < 300 else f"It was answered with {answer.status}."


def _note(row: WebhookDelivery, error: str) -> None:
    mine = WebhookDelivery.objects.filter(pk=row.pk)
    if not error:
        mine.update(delivered_at=timezone.now(), due_at=None, last_error="")
        return
    last = row.attempts >= MOST_ATTEMPTS
    unchanged = mine.filter(attempts=row.attempts, delivered_at=None)  # a slower attempt has no say in a later one
    unchanged.update(last_error=error, due_at=None if last else row.due_at)
    then = "it is given up" if last else f"the next attempt is due at {row.due_at:%H:%M:%S}"
    logger.log(logging.ERROR if last else logging.WARNING, "%s was not delivered: %s; %s", row, error, then)
