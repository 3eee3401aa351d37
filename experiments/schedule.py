"""The worker's schedule: what is to be done every so often, with due times in rows and one runner at a time.

A job is a function in some app's `tasks.py` marked `@scheduled(every=…)`. Any number of workers may run: each round
takes an advisory lock, and who does not get it leaves the round to the one who has. A job that fails is tried again
when it is due next. `urgent` ones have rounds and a lock of their own, so that no long job holds them up.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from traceback import format_exc

from django.db import connection
from django.utils import timezone

from experiments.discovery import modules
from experiments.models import Schedule

logger = logging.getLogger(__name__)
LOCKS = {False: 0x5C4ED01E, True: 0x5C4ED01F}  # by urgency: any numbers, the same for all workers


@dataclass(frozen=True)
class Job:
    name: str
    every: timedelta
    run: Callable[[], None]
    urgent: bool = False


_jobs: dict[str, Job] = {}


def scheduled(*, every: timedelta, urgent: bool = False) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Run the function by the worker every so often, first when the worker starts."""

    def register(function: Callable[[], None]) -> Callable[[], None]:
        name = f"{function.__module__}.{function.__qualname__}"
        _jobs[name] = Job(name, every, function, urgent)
        return function

    return register


def jobs() -> dict[str, Job]:
    modules("tasks")  # importing them registers their jobs
    return _jobs


@contextmanager
def _alone(lock: int) -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock])
        got = bool(cursor.fetchone()[0])
        try:
            yield got
        finally:
            if got:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])


def run_due(now: datetime | None = None, *, urgent: bool = False) -> list[str]:
    """Run what is due; gives the names of what ran. Does nothing while another worker is at it."""
    ran: list[str] = []
    with _alone(LOCKS[urgent]) as got:
        if not got:
            return ran
        moment = now or timezone.now()
        due = dict(Schedule.objects.values_list("name", "due_at"))
        for name, job in jobs().items():
            waits = moment < due.get(name, moment) <= moment + job.every  # later than that: the clock was put back
            if job.urgent != urgent or waits:
                continue
            error = _attempt(job)
            Schedule.objects.update_or_create(
                name=name, defaults={"due_at": timezone.now() + job.every, "last_error": error}
            )
            ran.append(name)
    return ran


def _attempt(job: Job) -> str:
    """The error's text, or nothing."""
    try:
        job.run()
    except Exception:
        logger.exception("%s failed; it is due again in %s", job.name, job.every)
        return format_exc()[-2_000:]
    return ""
