"""`manage.py models`: which versions there are."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from experiments.discovery import tasks
from experiments.management.commands._shared import figures, plain_errors
from experiments.models import ModelVersion


class Command(BaseCommand):
    help = "List the versions of each task, newest first; the live one is marked."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("task", nargs="?", choices=sorted(tasks()), help="only this task")

    @plain_errors
    def handle(self, *args: Any, **options: Any) -> None:
        for name in [options["task"]] if options["task"] else sorted(tasks()):
            self.stdout.write(self.style.MIGRATE_HEADING(f"{name} (algorithms: {', '.join(tasks()[name].algorithms)})"))
            rows = ModelVersion.objects.filter(task=name)
            for row in rows:
                mark = "live" if row.live else ""
                self.stdout.write(
                    f"  {row.version:>4}  {mark:4}  {row.algorithm:20} {row.created_at:%Y-%m-%d %H:%M}"
                    f"  {figures(tasks()[name], row.metrics.get('test', {}))}"
                )
            if not rows:
                self.stdout.write(f"  none yet: manage.py train {name}")
