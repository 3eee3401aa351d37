"""What the monitoring page reads beside the summary: drift, the worker's jobs, refusals and the A/B tests that run."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db.models import Count, Exists, Min, OuterRef, Q
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from experiments import telemetry
from experiments.ab_test_counts import users_so_far, with_users
from experiments.models import ABTest, DriftReport, ModelVersion

REFUSED = "mlbackend_refused_total"


@dataclass(frozen=True)
class Drift:
    """The newest report of a live version. `names` are the features that drifted, of so many that were looked at."""

    id: int
    task: str
    version: int
    made_at: datetime
    names: Sequence[str]
    of: int
    note: str


@dataclass(frozen=True)
class Jobs:
    """Of the worker: those that failed are kept for some days."""

    waiting: int
    oldest: datetime | None
    running: int
    failed: int


@dataclass(frozen=True)
class Running:
    id: int
    name: str
    task: str
    since: datetime | None
    users: str


def drift_now() -> list[Drift]:
    """Of each live version that has a report, by task."""
    live = ModelVersion.objects.filter(live=True, task=OuterRef("task"), version=OuterRef("version"))
    rows = DriftReport.objects.filter(Exists(live)).order_by("task", "-made_at", "-id").distinct("task")
    return [
        Drift(row.pk, row.task, row.version, row.made_at, [one["name"] for one in row.features if one["drifted"]],
              len(row.features), row.note)
        for row in rows
    ]  # fmt: skip


def jobs_now() -> Jobs:
    waiting = Q(status=TaskResultStatus.READY)
    told = [TaskResultStatus.READY, TaskResultStatus.RUNNING, TaskResultStatus.FAILED]  # done are a hundred times more
    return Jobs(
        **DBTaskResult.objects.filter(status__in=told).aggregate(
            waiting=Count("pk", filter=waiting),
            oldest=Min("enqueued_at", filter=waiting),
            running=Count("pk", filter=Q(status=TaskResultStatus.RUNNING)),
            failed=Count("pk", filter=Q(status=TaskResultStatus.FAILED)),
        )
    )


def tests_running() -> list[Running]:
    rows = with_users(ABTest.objects.filter(state=ABTest.State.RUNNING)).order_by("task")
    return [Running(row.pk, row.name, row.task, row.started_at, users_so_far(row)) for row in rows]


def refused() -> dict[str, int]:
    """Calls of each task that were refused because the model was busy, since the server was started: the sum over all
    of its processes, as /metrics has it; without a folder of theirs, those of this process.
    """
    telemetry.add_up()
    folder = os.environ.get(telemetry.FOLDER)
    metrics = telemetry.counts_in(Path(folder), "counter_*.db") if folder else telemetry.REFUSED.collect()
    samples = [one for metric in metrics for one in metric.samples if one.name == REFUSED]
    return {one.labels["task"]: int(one.value) for one in sorted(samples, key=lambda one: one.labels["task"])}
