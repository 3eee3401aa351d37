"""What happened is told to the receiver of the webhook: signed, again until it is taken, and then not again."""

import logging
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from experiments import webhooks
from experiments.models import WebhookDelivery
from experiments.schedule import run_due
from experiments.webhooks import MOST_ATTEMPTS, key_of, signature, webhook_send, webhooks_deliver
from tests.concurrency import at_once
from tests.experiments.receiving import SECRET, Receiver, receiver, verified

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(settings: Any) -> Iterator[Receiver]:
    """The receiver that is set."""
    with receiver() as found:
        settings.WEBHOOK_URL, settings.WEBHOOK_SECRET = found.url, SECRET
        yield found


def send(event: str = "lamp.broken", **data: Any) -> WebhookDelivery:
    webhook_send(event=event, data=data or {"lamp": 7})
    return WebhookDelivery.objects.latest("pk")


def make_due() -> None:
    WebhookDelivery.objects.filter(due_at__isnull=False).update(due_at=timezone.now())


def left_for(row: WebhookDelivery) -> timedelta:
    row.refresh_from_db()
    return row.due_at - timezone.now()


def test_the_signature_is_that_of_the_specifications_own_example() -> None:
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    given = signature(key, message="msg_p5jXN8AQM9LWM0D4loKWxJek", at=1614265330, body=b'{"test": 2432232314}')
    assert given == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_happened_is_posted_with_a_signature_that_verifies(told: Receiver) -> None:
    row = send(lamp=7, word="größer")
    assert webhooks_deliver() == 1
    [(headers, body)] = told.came
    assert headers["Content-Type"] == "application/json"
    assert headers["webhook-id"] == str(row.pk)
    assert verified(headers, body)
    assert not verified(headers, body.replace(b"7", b"8"))
    assert not verified(headers | {"webhook-id": "another"}, body)
    assert not verified(headers, body, secret="whsec_" + "A" * 32)
    assert told.bodies() == [
        {"type": "lamp.broken", "timestamp": row.created_at.isoformat(), "data": {"lamp": 7, "word": "größer"}}
    ]
    row.refresh_from_db()
    assert (row.state, row.attempts, row.host, row.last_error, row.due_at) == ("delivered", 1, "127.0.0.1", "", None)
    assert webhooks_deliver() == 0
    assert len(told.came) == 1


def test_where_no_receiver_is_set_nothing_is_kept(settings: Any) -> None:
    settings.WEBHOOK_URL = ""
    webhook_send(event="lamp.broken", data={})
    assert not WebhookDelivery.objects.exists()
    assert webhooks_deliver() == 0


@pytest.mark.django_db(transaction=True)
def test_it_is_told_at_once_by_a_job_and_not_where_the_transaction_is_rolled_back(told: Receiver) -> None:
    with transaction.atomic():
        send()
        transaction.set_rollback(True)
    assert not WebhookDelivery.objects.exists()
    assert not DBTaskResult.objects.exists()
    send()
    [job] = DBTaskResult.objects.all()
    assert job.task_path == "experiments.tasks.deliver_webhooks"
    assert job.task.call() == 1
    assert len(told.came) == 1


@pytest.mark.django_db(transaction=True)
def test_where_no_job_can_be_enqueued_what_happened_stays_and_is_told_later(
    told: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def enqueue(self) -> None:
            raise RuntimeError

    monkeypatch.setattr(webhooks, "deliver_webhooks", Full())
    with transaction.atomic():
        row = send()
    assert webhooks_deliver() == 1
    row.refresh_from_db()
    assert row.state == "delivered"


def test_what_a_killed_job_left_is_found_by_the_schedule(told: Receiver) -> None:
    row = send()
    assert "experiments.tasks.sweep_webhooks" in run_due()
    row.refresh_from_db()
    assert row.state == "delivered"


@pytest.mark.parametrize("status", [300, 301, 308, 400, 404, 410, 429, 500, 503])
def test_what_is_not_taken_is_sent_again_later_as_the_same_message(told: Receiver, status: int) -> None:
    row = send()
    told.answers = [status]
    assert webhooks_deliver() == 0
    assert timedelta(seconds=55) < left_for(row) <= timedelta(minutes=1)
    assert (row.state, row.attempts, row.last_error) == ("waiting", 1, f"It was answered with {status}.")
    assert webhooks_deliver() == 0  # it is not due
    make_due()
    assert webhooks_deliver() == 1
    (first, _), (second, _) = told.came
    assert first["webhook-id"] == second["webhook-id"]
    assert set(told.paths) == {"/shop?token=s3cret"}  # no redirect is followed
    row.refresh_from_db()
    assert (row.state, row.attempts, row.last_error) == ("delivered", 2, "")


def test_a_receiver_that_refuses_the_connection_is_tried_again(told: Receiver, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        settings.WEBHOOK_URL = f"http://127.0.0.1:{listening.getsockname()[1]}/s3cret"
    row = send()
    assert webhooks_deliver() == 0
    assert left_for(row) > timedelta(0)
    assert row.last_error.startswith("NewConnectionError: ")
    assert "refused" in row.last_error
    assert "s3cret" not in row.last_error  # some addresses are a secret
    settings.WEBHOOK_URL = told.url
    make_due()
    assert webhooks_deliver() == 1


def test_a_receiver_that_does_not_answer_in_time_is_tried_again(
    told: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "ANSWER_S", 0.05)
    told.takes_s = 0.3
    row = send()
    assert webhooks_deliver() == 0
    row.refresh_from_db()
    assert row.last_error.startswith("ReadTimeoutError: ")
    told.takes_s = 0.0
    make_due()
    assert webhooks_deliver() == 1
    assert len({headers["webhook-id"] for headers, _ in told.came}) == 1


def test_attempts_wait_twice_as_long_each_and_after_the_last_it_is_given_up(
    told: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    row = send()
    told.answers = [500] * 20
    waits = []
    for _ in range(MOST_ATTEMPTS - 1):
        webhooks_deliver()
        waits.append(round(left_for(row) / timedelta(minutes=1)))
        make_due()
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
    webhooks_deliver()
    row.refresh_from_db()
    assert (row.state, row.attempts, row.due_at) == ("given up", MOST_ATTEMPTS, None)
    assert row.last_error == "It was answered with 500."
    assert caplog.records[-1].levelno == logging.ERROR
    assert "it is given up" in caplog.messages[-1]
    assert webhooks_deliver() == 0
    assert len(told.came) == MOST_ATTEMPTS


def test_one_that_was_being_sent_when_the_worker_was_killed_is_sent_again(told: Receiver) -> None:
    row = send()
    assert webhooks._claimed() == row  # and nothing more is heard of it
    assert webhooks_deliver() == 0
    make_due()
    assert webhooks_deliver() == 1
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("delivered", 2)


def test_one_that_fails_does_not_hold_back_the_others(told: Receiver) -> None:
    rows = [send(f"lamp.{number}") for number in range(3)]
    told.answers = [500]
    assert webhooks_deliver() == 2
    assert [body["type"] for body in told.bodies()] == ["lamp.0", "lamp.1", "lamp.2"]
    assert [WebhookDelivery.objects.get(pk=row.pk).state for row in rows] == ["waiting", "delivered", "delivered"]


def test_a_slow_receiver_keeps_a_worker_from_its_other_jobs_for_a_bounded_time(
    told: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "ROUND_S", 0.2)
    told.takes_s = 0.3
    for _ in range(3):
        send()
    assert webhooks_deliver() == 1
    assert [row.state for row in WebhookDelivery.objects.order_by("pk")] == ["delivered", "waiting", "waiting"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_once(told: Receiver) -> None:
    told.takes_s = 0.02
    for number in range(12):
        send(f"lamp.{number}")
    assert sum(at_once(*[webhooks_deliver] * 3)) == 12
    assert sorted(body["type"] for body in told.bodies()) == sorted(f"lamp.{number}" for number in range(12))
    assert {row.attempts for row in WebhookDelivery.objects.all()} == {1}


def test_a_slow_attempt_that_failed_has_no_say_in_one_that_was_delivered_meanwhile(told: Receiver) -> None:
    row = send()
    slow = webhooks._claimed()
    assert slow
    make_due()
    assert webhooks_deliver() == 1
    webhooks._note(slow, "It was answered with 500.")
    row.refresh_from_db()
    assert (row.state, row.last_error) == ("delivered", "")


@pytest.mark.parametrize(
    "secret",
    ["", "x" * 40, "whsec_short", "whsec_" + "!" * 40, "whsec_" + "ü" * 40, "whsec_" + "A" * 28, "whsec_" + "A" * 88],
)
def test_with_a_secret_that_is_none_nothing_is_sent_or_lost(told: Receiver, settings: Any, secret: str) -> None:
    settings.WEBHOOK_SECRET = secret
    row = send()
    with pytest.raises(ValueError, match="WEBHOOK_SECRET is not whsec_ and 24 to 64 bytes"):
        webhooks_deliver()
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("waiting", 0)
    assert not told.came


def test_the_admin_shows_how_it_went_and_not_the_address(told: Receiver, django_user_model: Any) -> None:
    office = Client()
    office.force_login(django_user_model.objects.create_superuser("boss", password="correct horse battery"))
    send()
    told.answers = [500]
    webhooks_deliver()
    page = office.get("/admin/experiments/webhookdelivery/").content.decode()
    assert "lamp.broken" in page
    assert "It was answered with 500." in page
    assert "waiting" in page
    assert "127.0.0.1" in page
    assert "s3cret" not in page
    assert office.get("/admin/experiments/webhookdelivery/add/").status_code == 403


def test_a_message_says_when_it_happened_however_late_it_is_sent(told: Receiver) -> None:
    row = send()
    WebhookDelivery.objects.update(created_at=datetime(2026, 1, 1, tzinfo=UTC))
    webhooks_deliver()
    [(headers, _)] = told.came
    assert told.bodies()[0]["timestamp"] == "2026-01-01T00:00:00+00:00"
    assert abs(int(headers["webhook-timestamp"]) - timezone.now().timestamp()) < 60
    assert headers["webhook-id"] == str(row.pk)
