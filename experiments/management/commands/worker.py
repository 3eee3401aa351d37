"""`manage.py worker`: runs the background jobs and the schedule until it is stopped."""

import logging
import threading
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import close_old_connections

from experiments import serving
from experiments.schedule import run_due

logger = logging.getLogger(__name__)
ROUND_S = 1.0


class Command(BaseCommand):
    help = "Run background jobs and the schedule. Any number may run; the schedule is run by one of them at a time."

    def handle(self, *args: Any, **options: Any) -> None:
        serving.start()
        stop = threading.Event()
        rounds = [
            threading.Thread(target=_keep_schedule, args=[stop, urgent], name=name)
            for name, urgent in (("schedule", False), ("urgent schedule", True))
        ]
        for thread in rounds:
            thread.start()
        logger.info("worker started")
        try:
            call_command("db_worker", queue_name="*", interval=ROUND_S, startup_delay=False, verbosity=0, reload=False)
        finally:
            stop.set()
            for thread in rounds:
                thread.join()


def _keep_schedule(stop: threading.Event, urgent: bool) -> None:
    while not stop.wait(ROUND_S):
        close_old_connections()
        try:
            run_due(urgent=urgent)
        except Exception:
            logger.exception("the schedule could not be read")
