"""The worker's schedule and this room's jobs on it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import InterfaceError, connection, connections
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from experiments import schedule
from experiments.models import Schedule
from experiments.schedule import Job, run_due
from experiments.tasks import clear_jobs
from reviews.tasks import analyse_reviews
from tests.concurrency import at_once

HOUR = timedelta(hours=1)
Plan = Callable[..., list[str]]


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> Plan:
    """`plan(first=…, second=…)`: the schedule has these jobs alone, each every hour. Gives the names of those run."""

    def make(**jobs: Callable[[], None]) -> list[str]:
        schedule.jobs()  # the real ones are registered before they are set aside
        ran: list[str] = []

        def noted(name: str, run: Callable[[], None]) -> Callable[[], None]:
            return lambda: (ran.append(name), run())[1]

        made = {name: Job(name, HOUR, noted(name, run)) for name, run in jobs.items()}
        monkeypatch.setattr(schedule, "_jobs", made)
        return ran

    return make


def nothing() -> None:
    pass


def fail() -> None:
    raise RuntimeError("the lamp is broken")


def break_the_query() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")


def hang_up() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.django_db
def test_a_job_runs_when_the_worker_starts_and_again_when_it_is_due(plan: Plan) -> None:
    ran = plan(dust=nothing)
    assert run_due() == ["dust"]
    due = Schedule.objects.get(name="dust").due_at
    assert abs(due - timezone.now() - HOUR) < timedelta(minutes=1)
    assert run_due() == []
    assert run_due(due - timedelta(seconds=1)) == []
    assert run_due(due) == ["dust"]
    assert ran == ["dust", "dust"]


@pytest.mark.django_db
def test_a_job_that_fails_is_noted_the_others_run_and_it_is_tried_again_when_due(plan: Plan) -> None:
    plan(lamp=fail, dust=nothing)
    assert run_due() == ["lamp", "dust"]
    row = Schedule.objects.get(name="lamp")
    assert row.last_error.endswith("RuntimeError: the lamp is broken\n")
    assert Schedule.objects.get(name="dust").last_error == ""
    assert run_due() == []
    plan(lamp=nothing)
    assert run_due(row.due_at) == ["lamp"]
    assert Schedule.objects.get(name="lamp").last_error == ""


@pytest.mark.django_db(transaction=True)
def test_a_job_whose_query_fails_harms_no_other(plan: Plan) -> None:
    plan(divide=break_the_query, dust=nothing)
    assert run_due() == ["divide", "dust"]
    assert "division by zero" in Schedule.objects.get(name="divide").last_error


@pytest.mark.django_db(transaction=True)
def test_a_job_that_loses_the_connection_leaves_the_schedule_free_for_the_next_round(plan: Plan) -> None:
    plan(hang=hang_up)
    with pytest.raises(InterfaceError, match="closed"):
        at_once(run_due)
    plan(hang=nothing)
    assert at_once(run_due) == [["hang"]]


@pytest.mark.django_db
def test_after_the_clock_was_put_back_a_job_is_due_at_once(plan: Plan) -> None:
    ran = plan(first=nothing)
    run_due(datetime.now(UTC))
    Schedule.objects.update(due_at=datetime.now(UTC) + 25 * HOUR)
    run_due(datetime.now(UTC))
    assert ran == ["first", "first"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_run_each_job_once(plan: Plan) -> None:
    ran = plan(**{f"job{number}": nothing for number in range(20)})
    rounds = at_once(*[run_due] * 4, *[run_due] * 4)
    assert sorted(ran) == sorted(f"job{number}" for number in range(20))
    assert sorted(name for names in rounds for name in names) == sorted(ran)


@pytest.mark.django_db(transaction=True)
def test_while_one_worker_is_at_a_job_another_leaves_the_round_to_it(plan: Plan) -> None:
    started, go = threading.Event(), threading.Event()

    def wait() -> None:
        started.set()
        assert go.wait(10)

    def run() -> list[str]:
        try:
            return run_due()
        finally:
            connections.close_all()

    plan(long=wait, dust=nothing)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(run)
        assert started.wait(10)
        assert run_due() == []
        go.set()
        assert first.result(10) == ["long", "dust"]
    assert run_due() == []


@pytest.mark.django_db(transaction=True)
def test_what_is_urgent_waits_for_no_long_job(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    started, go = threading.Event(), threading.Event()

    def wait() -> None:
        started.set()
        assert go.wait(10)

    plan(long=wait, guard=nothing)
    jobs = schedule.jobs()
    jobs["guard"] = replace(jobs["guard"], urgent=True)
    monkeypatch.setattr(schedule, "jobs", lambda: jobs)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(at_once, run_due)
        assert started.wait(10)
        assert run_due(urgent=True) == ["guard"]
        go.set()
        assert first.result(10) == [["long"]]


@pytest.mark.django_db
def test_the_jobs_of_all_rooms_are_on_the_schedule_and_run_in_an_empty_shop() -> None:
    urgent, names = (set(run_due(urgent=urgent)) for urgent in (True, False))
    assert urgent == {f"experiments.tasks.{name}" for name in ("guard_tests", "roll_up", "check_quality_alarms")}
    assert names | urgent == set(schedule.jobs()) and not names & urgent
    assert {"experiments.tasks.make_partitions", "experiments.tasks.clear_jobs"} < names
    assert "reviews.tasks.sweep_unanalysed_reviews" in names
    assert set(Schedule.objects.values_list("last_error", flat=True)) == {""}


@pytest.mark.django_db
def test_jobs_of_a_killed_worker_are_called_failed_and_old_results_go() -> None:
    now, week = timezone.now(), timedelta(days=7)
    running, done, ready = TaskResultStatus.RUNNING, TaskResultStatus.SUCCESSFUL, TaskResultStatus.READY
    cases = {
        "killed": (running, now - HOUR - timedelta(minutes=1), None),
        "at work": (running, now - HOUR + timedelta(minutes=1), None),
        "waiting": (ready, None, None),
        "done": (done, now - 6 * timedelta(days=1), now - 6 * timedelta(days=1)),
        "done long ago": (done, now - 2 * week, now - 2 * week),
        "failed long ago": (TaskResultStatus.FAILED, now - 2 * week, now - 2 * week),
        "waiting for long": (ready, None, None),
    }
    ids = {}
    for name, (status, started_at, finished_at) in cases.items():
        row = DBTaskResult.objects.get(pk=analyse_reviews.enqueue().id)
        DBTaskResult.objects.filter(pk=row.pk).update(
            status=status, started_at=started_at, finished_at=finished_at, enqueued_at=datetime(2026, 1, 1, tzinfo=UTC)
        )
        ids[row.pk] = name
    clear_jobs()
    assert {ids[row.pk]: row.status for row in DBTaskResult.objects.all()} == {
        "killed": TaskResultStatus.FAILED, "at work": running, "waiting": ready, "done": done, "waiting for long": ready
    }  # fmt: skip
    killed = next(row for row in DBTaskResult.objects.all() if ids[row.pk] == "killed")
    assert killed.finished_at >= now
