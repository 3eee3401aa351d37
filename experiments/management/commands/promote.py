"""`manage.py promote <task> <version>`: put a version live."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from experiments.discovery import tasks
from experiments.management.commands._shared import plain_errors
from experiments.registry import version_promote


class Command(BaseCommand):
    help = (
        "Put a version live. It is scored beside the live one on the same held-out rows and refused when it is worse."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("task", choices=sorted(tasks()))
        parser.add_argument("version_number", type=int, metavar="version")
        parser.add_argument("--reason", default="", help="why; kept with the promotion")
        parser.add_argument("--force", action="store_true", help="put it live even if it is worse; needs --reason")

    @plain_errors
    def handle(self, *args: Any, **options: Any) -> None:
        done = version_promote(
            task=options["task"], version=options["version_number"], reason=options["reason"], force=options["force"]
        )
        found = done.comparison
        if "difference" in found:
            self.stdout.write(
                f"{found['metric']} {found['candidate']:.4f}, the version before {found['live']:.4f}; difference"
                f" {found['difference']:+.4f} ({found['low']:+.4f} to {found['high']:+.4f})"
            )
        self.stdout.write(self.style.SUCCESS(f"{done.to_version} is live. Every process serves it within 2 seconds."))
