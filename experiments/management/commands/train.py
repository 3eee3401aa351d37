"""`manage.py train <task>`: fit an algorithm on the shop's rows and store it as a new version."""

import json
from inspect import signature
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from experiments.discovery import task_named, tasks
from experiments.errors import Invalid
from experiments.management.commands._shared import Bar, figures, plain_errors
from experiments.mltask import Progress, Split
from experiments.models import ModelVersion
from experiments.registry import version_promote, version_train


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} cannot be stored with the version")


def _parameter(text: str) -> tuple[str, Any]:
    name, found, value = text.partition("=")
    if not found or not name.isidentifier():
        raise ValueError
    try:
        given = json.loads(value, parse_constant=_refused)
    except json.JSONDecodeError:
        return name, value
    if given in (float("inf"), float("-inf")):  # 1e400
        raise ValueError
    return name, given


_parameter.__name__ = "name=value"  # what argparse says of a wrong one


class Command(BaseCommand):
    verb = "train"
    help = "Train a model on the shop's rows and store it as a new version; --promote puts it live too."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("task", choices=sorted(tasks()), help="what to train")
        parser.add_argument("--algorithm", default="", help="one of the task's algorithms; the first one when left out")
        parser.add_argument(
            "--param",
            action="append",
            default=[],
            type=_parameter,
            metavar="NAME=VALUE",
            help="a hyper-parameter; may be given again",
        )
        parser.add_argument(
            "--promote", action="store_true", help="put it live if it is not worse than the live version"
        )

    def examples(self, options: dict[str, Any], progress: Progress) -> Split | None:
        """Where a higher room's command trains on something else than the shop's rows, it brings that here."""
        return None

    def learned(self, row: ModelVersion, options: dict[str, Any]) -> None:
        """Where a higher room's command keeps what the version learned from, it does so here: it is stored, and not yet
        promoted.
        """

    def given(self, options: dict[str, Any], name: str) -> None:
        """Hand --name to the algorithm as its parameter `name`. Raises Invalid where it takes none."""
        if not options[name]:
            return
        algorithms = task_named(options["task"]).algorithms
        taking = [one for one, made in algorithms.items() if name in signature(made).parameters]
        if (options["algorithm"] or next(iter(algorithms))) not in taking:
            known = f"those are: {', '.join(taking)}" if taking else f"{options['task']} has none"
            raise Invalid(name, f"--{name} is for an --algorithm that takes it; {known}.")
        options["param"] = [*options["param"], (name, options[name])]

    @plain_errors
    def handle(self, *args: Any, **options: Any) -> None:
        progress = Bar(enabled=options["verbosity"] > 0)
        try:
            row: ModelVersion = version_train(
                task=options["task"], algorithm=options["algorithm"], params=dict(options["param"]),
                created_by=f"manage.py {self.verb}", split=self.examples(options, progress), progress=progress,
            )  # fmt: skip
        finally:
            progress.close()
        self.stdout.write(_made(row))
        self.learned(row, options)
        if options["promote"]:
            version_promote(task=row.task, version=row.version, reason=f"{self.verb}ed with --promote")
            self.stdout.write(self.style.SUCCESS(f"{row} is live."))
        else:
            self.stdout.write(f"Put it live with: manage.py promote {row.task} {row.version}")


def _made(row: ModelVersion) -> str:
    seconds = row.metrics["seconds_to_fit"]
    if not row.data["fit"]:
        return f"{row}: made in {seconds:.1f} s, without rows"
    learned = f"{row}: trained on {row.data['fit']:,} rows in {seconds:.1f} s"
    if not row.data["test"]:
        return learned
    return f"{learned}; on {row.data['test']:,} held-out rows: {figures(task_named(row.task), row.metrics['test'])}"
