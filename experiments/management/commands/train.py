"""`manage.py train <task>`: fit an algorithm on the shop's rows and store it as a new version."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from experiments.discovery import task_named, tasks
from experiments.management.commands._shared import Bar, figures, plain_errors
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

    @plain_errors
    def handle(self, *args: Any, **options: Any) -> None:
        progress = Bar(enabled=options["verbosity"] > 0)
        try:
            row: ModelVersion = version_train(
                task=options["task"], algorithm=options["algorithm"], params=dict(options["param"]),
                created_by="manage.py train", progress=progress,
            )  # fmt: skip
        finally:
            progress.close()
        self.stdout.write(
            f"{row}: trained on {row.data['fit']:,} rows in {row.metrics['seconds_to_fit']:.1f} s;"
            f" on {row.data['test']:,} held-out rows: {figures(task_named(row.task), row.metrics['test'])}"
        )
        if options["promote"]:
            version_promote(task=row.task, version=row.version, reason="trained with --promote")
            self.stdout.write(self.style.SUCCESS(f"{row} is live."))
        else:
            self.stdout.write(f"Put it live with: manage.py promote {row.task} {row.version}")
