"""Background jobs of this room: partitions of the log made ahead, jobs that a killed worker left running put right,
guardrails of A/B tests looked at, and what happened told to the receiver of the webhook.
"""

from datetime import timedelta

from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from experiments.prediction_log import partitions_ensure
from experiments.schedule import scheduled

GIVEN_UP_AFTER = timedelta(hours=1)
KEPT_FOR = timedelta(days=7)


@scheduled(every=timedelta(hours=6))
def make_partitions() -> None:
    partitions_ensure(now=timezone.now())


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
