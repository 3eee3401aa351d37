"""`manage.py worker` as a real process: it does what is left to do, also what a killed one left."""

import signal
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from experiments.models import ModelVersion, Prediction, Schedule
from experiments.registry import version_promote
from reviews.models import Review
from reviews.services import review_create
from tests.processes import MANAGE, manage, started
from tests.shop import GOOD, product, review, user
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
Worker = Iterator["subprocess.Popen[str]"]


@pytest.fixture
def worker() -> Worker:
    with started(str(MANAGE), "worker") as process:
        yield process


def sweep_now() -> None:
    Schedule.objects.filter(name="reviews.tasks.sweep_unanalysed_reviews").update(due_at=timezone.now())


def analysed() -> int:
    return Review.objects.exclude(sentiment="").count()


def test_a_review_saved_while_no_model_was_live_is_analysed_after_one_went_live(
    candidate: Callable[..., ModelVersion], worker: "subprocess.Popen[str]"
) -> None:
    written, analysis = review_create(author=user(), product=product(), text=GOOD)
    assert analysis is None
    until(lambda: DBTaskResult.objects.filter(status=TaskResultStatus.SUCCESSFUL).exists(), within=20)
    assert analysed() == 0
    candidate("sentiment")
    version_promote(task="sentiment", version=1)
    until(lambda: (sweep_now(), analysed())[1], within=20)
    written.refresh_from_db()
    assert (written.sentiment, written.model_version) == ("positive", 1)
    row = Prediction.objects.get(pk=written.prediction_id)
    assert (row.method, row.input["text"]) == ("worker", GOOD)
    assert worker.poll() is None


def test_the_schedule_is_kept_from_the_start(worker: "subprocess.Popen[str]") -> None:
    until(lambda: Schedule.objects.filter(name="experiments.tasks.make_partitions").exists(), within=20)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_stops_when_it_is_asked_to(worker: "subprocess.Popen[str]", number: signal.Signals) -> None:
    until(lambda: Schedule.objects.exists(), within=20)
    worker.send_signal(number)
    assert worker.wait(timeout=10) == 0
    assert "Traceback" not in worker.stdout.read()


def port_in_use() -> socket.socket:
    taken = socket.socket()
    taken.bind(("0.0.0.0", 0))
    taken.listen()
    return taken


def test_prometheus_reads_what_a_worker_counts_at_the_port_that_is_named(live: Callable[..., ModelVersion]) -> None:
    live("review_summary")
    with port_in_use() as probe:
        port = probe.getsockname()[1]

    def page() -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    with started(str(MANAGE), "worker", "--metrics-port", str(port)):
        until(lambda: 'mlbackend_live_version{task="review_summary"} 1.0' in page(), within=60)


def test_a_port_that_cannot_be_used_is_named() -> None:
    with port_in_use() as taken:
        port = taken.getsockname()[1]
        done = manage("worker", "--metrics-port", str(port))
    assert done.returncode == 1
    assert f"Port {port} cannot be used for --metrics-port" in done.stderr
    assert "Traceback" not in done.stderr


def waiting_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])


def test_what_a_worker_was_at_when_it_was_killed_is_done_by_the_next_one(live: Callable[..., ModelVersion]) -> None:
    live("sentiment")
    lamp = product()
    for _ in range(300):
        review(lamp)
    other = connection.copy()
    with other.cursor() as cursor, started(str(MANAGE), "worker") as first:
        # The worker can read and predict, but not write what it found.
        cursor.execute("BEGIN; LOCK TABLE reviews_review IN SHARE MODE")
        until(waiting_for_a_lock, within=20)
        first.kill()
        first.wait()
        cursor.execute("ROLLBACK")
    other.close()
    until(lambda: not waiting_for_a_lock())
    assert analysed() == Prediction.objects.count() == 0
    with started(str(MANAGE), "worker"):
        until(lambda: (sweep_now(), analysed() == 300)[1], within=20)
    assert Prediction.objects.count() == 300
    assert set(Review.objects.values_list("prediction_id", flat=True)) == set(
        Prediction.objects.values_list("pk", flat=True)
    )
