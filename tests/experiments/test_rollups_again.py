"""Rollups that are run again: crashes, two workers, late rows, long pauses. Nothing counts twice, nothing is lost."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from experiments.models import Prediction, PredictionRollup, Watermark
from experiments.monitoring import rollups, watermarks
from experiments.monitoring.rollups import MOST_STEPS, rollups_update
from experiments.tasks import roll_up
from tests.concurrency import at_once
from tests.experiments.rolled import NOON, after, counts, latencies, log, prediction, total, up_to
from tests.experiments.test_prediction_log import second_connection

DAY = timedelta(days=1)
INSERT = """
INSERT INTO experiments_prediction
    (id, task, algorithm, version, variant, method, request_id, input, latency_ms, status, created_at)
VALUES (%s, 'sentiment', 'tfidf', 1, '', '', '', '{}', 3, 'ok', now())
"""


def reached() -> datetime:
    found = watermarks.reached(rollups.NAME)
    assert found
    return found


def all_rows() -> list[tuple[Any, ...]]:
    names = [field.attname for field in PredictionRollup._meta.concrete_fields if not field.primary_key]
    rows = PredictionRollup.objects.order_by("grain", "at", "task", "algorithm", "version")
    return [tuple(map(repr, map(_plain, row))) for row in rows.values_list(*names)]


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


@pytest.mark.django_db
def test_run_again_it_changes_nothing() -> None:
    log(*(after(seconds=20 * number) for number in range(300)))
    up_to(after(hours=2))
    first = all_rows()
    for _ in range(3):
        up_to(after(hours=2))
    assert all_rows() == first
    assert total() == total("hour") == total("day") == 300


@pytest.mark.django_db
@pytest.mark.parametrize("step", [0.35, 1])
def test_run_in_small_steps_it_comes_to_the_same_as_run_once(step: float) -> None:
    log(*(after(seconds=7 * number) for number in range(700)))
    for number in range(1, int(89 / step)):
        up_to(after(minutes=number * step))
    up_to(after(minutes=89))
    often = all_rows()
    Watermark.objects.all().delete()
    PredictionRollup.objects.all().delete()
    up_to(after(minutes=89))
    assert all_rows() == often
    assert total() == 700


@pytest.mark.django_db
def test_a_prediction_that_is_committed_a_little_late_is_counted_by_the_next_run() -> None:
    log(NOON, after(minutes=3))
    up_to(after(minutes=4))
    log(after(minutes=2, seconds=30))
    up_to(after(minutes=5))
    assert counts() == {NOON: 1, after(minutes=2): 1, after(minutes=3): 1}
    assert total("hour") == total("day") == 3


@pytest.mark.django_db
def test_what_was_erased_meanwhile_is_no_longer_counted_where_it_is_counted_anew() -> None:
    log(NOON)
    log(NOON, after(seconds=30), task="price")
    up_to(after(minutes=1))
    Prediction.objects.filter(task="price").delete()
    up_to(after(minutes=2))
    assert set(PredictionRollup.objects.values_list("task", flat=True)) == {"sentiment"}


@pytest.mark.django_db(transaction=True)
def test_a_prediction_whose_transaction_took_half_an_hour_is_counted_when_it_is_committed() -> None:
    now = timezone.now()
    late = prediction(now)
    with second_connection() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(INSERT, [str(late.pk)])
        log(now, now)
        for minutes in range(2, 31):  # as the clock goes on, the other one is still at it
            rollups_update(now=now + timedelta(minutes=minutes))
        assert total() == total("day") == 2
        cursor.execute("COMMIT")
    rollups_update(now=now + timedelta(minutes=31))
    assert total() == total("hour") == total("day") == 3
    rollups_update(now=now + timedelta(minutes=32))
    assert total() == 3


@pytest.mark.django_db(transaction=True)
def test_who_only_reads_has_nothing_counted_anew() -> None:
    now = timezone.now()
    with second_connection() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT count(*) FROM experiments_prediction")
        rollups_update(now=now + timedelta(minutes=30))
        again_from = rollups.uuid7_time(Watermark.objects.get().again_from)
    assert reached() - again_from == rollups.LATE


@pytest.mark.django_db(transaction=True)
def test_a_run_that_fails_in_between_leaves_everything_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    log(*(after(minutes=number) for number in range(30)))
    up_to(after(minutes=10))
    before, mark = all_rows(), reached()
    monkeypatch.setattr(rollups, "COUNT", rollups.COUNT.replace("SELECT 'minute'", "SELECT (1 / 0)::text"))
    with pytest.raises(Exception, match="division by zero"):
        up_to(after(minutes=30))
    assert (all_rows(), reached()) == (before, mark)
    monkeypatch.undo()
    up_to(after(minutes=30))
    assert total() == total("day") == 30


@pytest.mark.django_db(transaction=True)
def test_a_run_that_loses_its_connection_between_minutes_and_hours_counts_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log(*(after(minutes=number) for number in range(30)))
    up_to(after(minutes=10))
    fold = rollups._fold

    def hang_up(*arguments: Any) -> None:
        fold(*arguments)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(rollups, "_fold", hang_up)
    with pytest.raises(Exception, match=r"closed|terminat"):
        at_once(lambda: up_to(after(minutes=30)))
    assert total() == total("hour") == total("day") == 10
    monkeypatch.undo()
    up_to(after(minutes=30))
    assert total() == total("hour") == total("day") == 30


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_count_each_prediction_once() -> None:
    log(*(after(seconds=13 * number) for number in range(500)))
    at_once(*[lambda: up_to(after(hours=2))] * 4)
    assert total() == total("hour") == total("day") == 500
    assert latencies().sum() == 500


@pytest.mark.django_db(transaction=True)
def test_predictions_that_come_while_it_runs_are_all_counted_in_the_end() -> None:
    def write() -> None:
        for number in range(100):
            log(*(after(minutes=number % 20, seconds=offset) for offset in range(5)))

    def count() -> None:
        for minute in range(1, 21):
            up_to(after(minutes=minute))

    at_once(write, count)
    Watermark.objects.all().update(again_from=Watermark._meta.get_field("again_from").default)
    up_to(after(minutes=21))
    assert total() == total("hour") == total("day") == 500


@pytest.mark.django_db
def test_after_a_long_pause_it_catches_up_in_steps_and_says_how_far_it_got() -> None:
    log(*(after(minutes=30 * number) for number in range(100)))  # 50 hours
    up_to(after(hours=50))
    assert reached() == after(hours=MOST_STEPS)
    assert total("hour") == 2 * MOST_STEPS
    up_to(after(hours=50))
    up_to(after(hours=50))
    assert reached() == after(hours=50)
    assert total("hour") == total("day") == 100


@pytest.mark.django_db
def test_years_without_predictions_take_one_step() -> None:
    log(NOON, after(days=3 * 365))
    up_to(after(days=3 * 365, minutes=1))
    assert reached() == after(days=3 * 365, minutes=1)
    assert total("hour") == total("day") == 2


@pytest.mark.django_db
def test_a_clock_that_is_put_back_is_followed_and_nothing_counts_twice() -> None:
    log(NOON)
    up_to(after(minutes=30))
    before = all_rows()
    up_to(after(minutes=5))
    assert (all_rows(), reached()) == (before, after(minutes=5))


@pytest.mark.django_db
def test_a_worker_whose_clock_is_a_little_behind_counts_nothing() -> None:
    up_to(after(minutes=30))
    up_to(after(minutes=29))
    assert reached() == after(minutes=30)


@pytest.mark.django_db
def test_what_comes_after_a_clock_was_a_day_ahead_is_counted() -> None:
    log(*(after(minutes=number) for number in range(30)))
    up_to(after(days=1, minutes=30))
    for minute in range(30, 90):
        log(after(minutes=minute, seconds=1))
        up_to(after(minutes=minute + 1))
    up_to(after(days=1, hours=1))
    assert total("hour") == total("day") == 90


@pytest.mark.django_db
def test_the_worker_runs_it_every_quarter_of_a_minute() -> None:
    from experiments.schedule import jobs

    assert jobs()["experiments.tasks.roll_up"].every == timedelta(seconds=15)
    log(timezone.now() - DAY)
    roll_up()
    assert total() == total("hour") == total("day") == 1
    assert abs(reached() - timezone.now()) < timedelta(seconds=5)
