"""`manage.py rollback <task>`: put the version before the live one back."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from experiments.discovery import tasks
from experiments.management.commands._shared import plain_errors
from experiments.registry import version_rollback


class Command(BaseCommand):
    help = (
        "Put the version before the live one back, after it answered the task's example and the last ten logged inputs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("task", choices=sorted(tasks()))
        parser.add_argument("--reason", default="", help="why; kept with the promotion")

    @plain_errors
    def handle(self, *args: Any, **options: Any) -> None:
        done = version_rollback(task=options["task"], reason=options["reason"])
        self.stdout.write(self.style.SUCCESS(f"{done.to_version} is live again instead of {done.from_version}."))
