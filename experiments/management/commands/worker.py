"""`manage.py worker`: runs the background jobs and the schedule until it is stopped."""

import logging
import threading
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import close_old_connections
from prometheus_client import start_http_server

from experiments import serving
from experiments.schedule import run_due

logger = logging.getLogger(__name__)
ROUND_S = 1.0


class Command(BaseCommand):
    help = "Run background jobs and the schedule. Any number may run; the schedule is run by one of them at a time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--metrics-port",
            type=int,
            help="where Prometheus reads what this process counts, with no token; none if left out",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if port := options["metrics_port"]:
            _show_metrics(port)
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


def _show_metrics(port: int) -> None:
    try:
        start_http_server(port)
    except (OSError, OverflowError) as error:
        raise CommandError(f"Port {port} cannot be used for --metrics-port ({error}).") from None


def _keep_schedule(stop: threading.Event, urgent: bool) -> None:
    while not stop.wait(ROUND_S):
        close_old_connections()
        try:
            run_due(urgent=urgent)
        except Exception:
            logger.exception("the schedule could not be read")
