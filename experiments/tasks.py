"""Background jobs of this room: partitions of the log made ahead, jobs that a killed worker left running put right, the
log counted for monitoring, alarms and guardrails looked at, drift and quality measured, old texts taken out, and what
happened told to the receiver of the webhook.
"""

from datetime import timedelta

from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from experiments import drift_check, estimated_quality
from experiments.monitoring.measures import measures_make
from experiments.monitoring.rollups import rollups_update
from experiments.monitoring.text_retention import texts_digest
from experiments.prediction_log import partitions_ensure
from experiments.schedule import scheduled

GIVEN_UP_AFTER = timedelta(hours=1)
KEPT_FOR = timedelta(days=7)


@scheduled(every=timedelta(hours=6))
def make_partitions() -> None:
    partitions_ensure(now=timezone.now())


@scheduled(every=timedelta(seconds=15), urgent=True)
def roll_up() -> None:
    """And look at what is counted there: a bad version is noticed some seconds after its first answers."""
    from experiments.alarms.checking import alarms_check  # it enqueues the job below

    rollups_update(now=timezone.now())
    alarms_check(now=timezone.now(), counted=True)


@scheduled(every=timedelta(seconds=30), urgent=True)
def check_quality_alarms() -> None:
    """Less often: truths are read from the log."""
    from experiments.alarms.checking import alarms_check

    alarms_check(now=timezone.now(), counted=False)


@scheduled(every=timedelta(minutes=10))
def clear_jobs() -> None:
    """A killed worker's job stays RUNNING for ever: call it failed (the sweeps find its work again). Old results go."""
    now = timezone.now()
    DBTaskResult.objects.filter(status=TaskResultStatus.RUNNING, started_at__lt=now - GIVEN_UP_AFTER).update(
        status=TaskResultStatus.FAILED, finished_at=now
    )
    DBTaskResult.objects.finished().filter(finished_at__lt=now - KEPT_FOR).delete()


@scheduled(every=timedelta(minutes=1), urgent=True)
def guard_tests() -> None:
    from experiments.guarding import ab_tests_guard  # it enqueues the job below

    ab_tests_guard(now=timezone.now())


@task()
def deliver_webhooks() -> int:
    from experiments.webhooks import webhooks_deliver  # it enqueues this one

    return webhooks_deliver()


@scheduled(every=timedelta(minutes=1))
def sweep_webhooks() -> None:
    """Finds what a killed job left, and what is to be tried again."""
    deliver_webhooks.call()


@task()
def check_drift(name: str) -> int:
    """Gives how many features of the task have drifted."""
    return drift_check.drift_check(task=name).drifted


@scheduled(every=timedelta(hours=1))
def check_drift_hourly() -> None:
    """Jobs, one a task: each reads thousands of predictions, and the schedule has more urgent things to do. A lost one
    is made up for by the next hour's.
    """
    drift_check.reports_tidy(now=timezone.now())
    for name in drift_check.live_tasks():
        check_drift.enqueue(name)


@task()
def measure_quality(name: str) -> int:
    """Gives how many figures of the task were found."""
    return len(estimated_quality.quality_measure(task=name))


@scheduled(every=timedelta(hours=1))
def measure_quality_hourly() -> None:
    """Jobs, one a task, as those of drift."""
    estimated_quality.measures_tidy(now=timezone.now())
    for name in estimated_quality.measured_tasks():
        measure_quality.enqueue(name)


@task()
def measure_outcomes() -> int:
    """Gives how many figures were found."""
    return measures_make(now=timezone.now())


@scheduled(every=timedelta(hours=1))
def measure_outcomes_hourly() -> None:
    measure_outcomes.enqueue()


@task()
def digest_texts() -> int:
    """Gives of how many old predictions the texts were taken out."""
    done, more = texts_digest(now=timezone.now())
    if more:
        digest_texts.enqueue()
    return done


@scheduled(every=timedelta(hours=1))
def digest_texts_hourly() -> None:
    digest_texts.enqueue()
