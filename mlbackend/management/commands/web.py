"""`manage.py web`: the web server, granian, with one worker a core and a bound on everything."""

import os
import socket
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mlbackend.processes import FOLDER_OF_COUNTS, folder_of_counts

STATEMENT_TIMEOUT_MS = 15_000


class Command(BaseCommand):
    help = "Serve the API and the admin."
    requires_system_checks = "__all__"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--workers", type=int, default=os.cpu_count() or 1, help="processes; one a core when left out"
        )
        parser.add_argument("--threads", type=int, default=4, help="requests that one worker answers at a time")

    def handle(self, *args: Any, **options: Any) -> None:
        assert_free(options["port"], options["host"])
        os.environ.setdefault("STATEMENT_TIMEOUT_MS", str(STATEMENT_TIMEOUT_MS))
        os.environ[FOLDER_OF_COUNTS] = folder_of_counts()
        command = [
            sys.executable, "-m", "granian", "mlbackend.wsgi:application", "--interface", "wsgi",
            "--host", options["host"], "--port", str(options["port"]),
            "--workers", str(options["workers"]), "--blocking-threads", str(options["threads"]),
            "--respawn-failed-workers", "--workers-kill-timeout", "10", "--no-ws", "--log-level", "warning",
        ]  # fmt: skip
        os.execv(sys.executable, command)  # noqa: S606  (our own program, no shell wanted)


def assert_free(port: int, host: str = "127.0.0.1") -> None:
    """granian would share a port that another server listens on, and each request would go to either."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise CommandError(
                f"Port {port} cannot be used ({error}). A server may still be running; else choose another port:"
                " PORT=8001 make run, or --port."
            ) from None
