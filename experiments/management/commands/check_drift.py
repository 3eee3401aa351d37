"""`manage.py check_drift [task …]`: whether the live versions are still asked and answer what they did."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.forms.models import model_to_dict

from experiments.drift_check import CURRENT, REFERENCE, drift_check, live_tasks
from experiments.errors import Invalid
from experiments.log_sample import Window
from experiments.management.commands._shared import plain_errors
from experiments.models import DriftReport

DRIFTED = 3  # exit status: 1 is Django's for an error, 2 argparse's
WIDTHS = "  {:36} {:18} {:>9} {:>9} {:>9} {:>7}  {}"


class Command(BaseCommand):
    help = (
        "Compare what each live version was asked and answered in the last hours with its first week, feature by"
        f" feature, and keep the reports. Exit status: 0 nothing drifted, or there was too little to compare; {DRIFTED}"
        " something drifted; 1 it could not be checked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tasks", nargs="*", metavar="task", help="all that have a live version when none is named")
        parser.add_argument("--hours", type=float, default=CURRENT / timedelta(hours=1), help="of the current window")
        parser.add_argument("--reference-from", type=_moment, metavar="TIME", help="ISO 8601, UTC unless it says")
        parser.add_argument("--reference-to", type=_moment, metavar="TIME", help="a week later when left out")
        parser.add_argument("--json", action="store_true", help="print one JSON list of the reports")

    @plain_errors
    def handle(self, *args: Any, **options: Any) -> None:
        reference, current = _reference(options), _length(options["hours"])
        names = options["tasks"] or live_tasks()
        if not names:
            self.stderr.write("No task has a live version, so there is nothing to check.")
        reports = [drift_check(task=name, current=current, reference=reference) for name in names]
        if options["json"]:
            self.stdout.write(json.dumps([model_to_dict(one) for one in reports], cls=DjangoJSONEncoder, indent=2))
        else:
            for report in reports:
                self._show(report)
        if drifted := [report.task for report in reports if report.drifted]:
            raise CommandError(f"Drift in {', '.join(drifted)}.", returncode=DRIFTED)

    def _show(self, report: DriftReport) -> None:
        times = (report.reference_from, report.reference_to, report.current_from, report.current_to)
        spans = [f"{time:%Y-%m-%d %H:%M}" for time in times]
        self.stdout.write(self.style.MIGRATE_HEADING(f"{report.task} {report.version}"))
        self.stdout.write(f"  reference {spans[0]} to {spans[1]}, {report.reference_rows:,} predictions read")
        self.stdout.write(f"  current   {spans[2]} to {spans[3]}, {report.current_rows:,} predictions read")
        if report.note:
            self.stdout.write(f"  {report.note}")
            return
        self.stdout.write(WIDTHS.format("", "method", "value", "threshold", "p", "PSI", "").rstrip())
        for one in report.features:
            self.stdout.write(_line(one), self.style.ERROR if one["drifted"] else None)
        self.stdout.write(
            f"  {report.drifted} of {len(report.features)} features drifted; p is corrected for all of them"
        )


def _line(one: dict[str, Any]) -> str:
    if one["missing"]:
        return f"  {one['name']:36} {one['missing']}"
    figures = [one["value"], one["threshold"], one["adjusted_p"], one["psi"]]
    said = f"{'DRIFT, ' if one['drifted'] else ''}{one['change']}".removesuffix(", ")
    shown = ["" if figure is None else f"{figure:.3g}" for figure in figures]
    return WIDTHS.format(one["name"], one["method"], *shown, said).rstrip()


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError(text) from error


_moment.__name__ = "ISO 8601 time"  # what argparse says of a wrong one


def _length(hours: float) -> timedelta:
    try:
        return timedelta(hours=hours)
    except (OverflowError, ValueError):  # beyond all times, and NaN
        return timedelta(0)


def _reference(options: dict[str, Any]) -> Window | None:
    start, end = options["reference_from"], options["reference_to"]
    if not start and not end:
        return None
    try:
        return Window(start or end - REFERENCE, end or start + REFERENCE)
    except OverflowError:
        raise Invalid("reference", "The reference must lie in this age.") from None
