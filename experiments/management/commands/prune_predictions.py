"""`manage.py prune_predictions --older-than 2026-01 --to FOLDER`: move old months of the log into files."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from experiments.errors import DomainError, Invalid
from experiments.management.commands._shared import Bar, plain_errors
from experiments.monitoring.pruning import assert_prunable, predictions_prune, rows_before

NO_MONTH = "There is no such month."


def _month(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)


_month.__name__ = "month, such as 2026-01"  # what argparse says of a wrong one


class Command(BaseCommand):
    help = (
        "Write each whole month of predictions before a month to a compressed CSV file, read it back, and only then"
        " drop it from the log. Rollups, exposures and outcomes stay. Stopped at any moment, nothing is lost: run it"
        " again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than", type=_month, required=True, metavar="YYYY-MM", help="months before this one (UTC) go"
        )
        parser.add_argument("--to", type=Path, metavar="FOLDER", help="where the files go; needed without --dry-run")
        parser.add_argument("--dry-run", action="store_true", help="say which months would go, and do nothing")

    @plain_errors
    def handle(self, *args: Any, **options: Any) -> None:
        before, now = options["older_than"], timezone.now()
        if options["dry_run"]:
            self._say(before, now)
            return
        if not options["to"]:
            raise Invalid("to", "Name the folder for the files: --to FOLDER.")
        bar = Bar(enabled=options["verbosity"] > 0)
        done = 0
        try:
            with closing(predictions_prune(before=before, folder=options["to"], now=now, progress=bar)) as pruned:
                for month in pruned:
                    done += 1
                    size = month.path.stat().st_size / 1e6
                    self.stdout.write(f"{month.table}: {month.rows:,} predictions, {size:,.1f} MB in {month.path}")
        except KeyboardInterrupt:
            raise DomainError(f"Stopped by the keyboard after {done} months; the others are in the log.") from None
        finally:
            bar.close()
        self.stdout.write(self.style.SUCCESS(f"{done} months dropped." if done else NO_MONTH))

    def _say(self, before: datetime, now: datetime) -> None:
        assert_prunable(before=before, now=now)
        found = {name: rows for name, rows in rows_before(before).items() if rows or not name.endswith("_default")}
        for name, rows in found.items():
            self.stdout.write(f"{name}: {rows:,} predictions would go")
        if not found:
            self.stdout.write(NO_MONTH)
