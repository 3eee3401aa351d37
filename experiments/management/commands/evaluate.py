"""`manage.py evaluate <task>`: measure a version on rows that it did not learn from."""

import json
from contextlib import closing
from statistics import mean
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from experiments import serving
from experiments.discovery import dataset, task_named, tasks
from experiments.management.commands._shared import Bar, figures, plain_errors
from experiments.models import ModelVersion
from experiments.registry import cross_validate, live_version, scores, version_get


class Command(BaseCommand):
    help = "Measure a version (the live one when none is named) on rows that were held out, as they are now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("task", choices=sorted(tasks()))
        parser.add_argument("--version-number", type=int, metavar="N", help="which version; the live one when left out")
        parser.add_argument("--part", choices=["test", "validation"], default="test")
        parser.add_argument(
            "--folds", type=int, help="instead: cross-validate the version's algorithm and parameters on so many parts"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    @plain_errors
    def handle(self, *args: Any, **options: Any) -> None:
        name, number = options["task"], options["version_number"]
        row = version_get(task=name, version=number) if number else live_version(name)
        if not row:
            raise CommandError(f"{name} has no live version. Name one with --version-number, or train one.")
        task = task_named(name)
        if options["folds"] is not None:
            self._folds(row, options["folds"])
            return
        examples = getattr(dataset(task), options["part"])
        if not len(examples):
            raise CommandError(f"The {options['part']} part of {name} has no rows.")
        with closing(serving.load(row)) as model:
            metrics = scores(model.predictor, examples)
        if options["json"]:
            self.stdout.write(json.dumps({"task": name, "version": row.version, "rows": len(examples), **metrics}))
            return
        self.stdout.write(f"{row} on {len(examples):,} rows of the {options['part']} part: {figures(task, metrics)}")

    def _folds(self, row: ModelVersion, folds: int) -> None:
        bar = Bar(enabled=True)
        try:
            found = cross_validate(row=row, folds=folds, progress=bar)
        finally:
            bar.close()
        metric = task_named(row.task).metric
        values = [one[metric] for one in found]
        listed = ", ".join(f"{value:.4f}" for value in values)
        self.stdout.write(f"{row.task} {row.algorithm}, {folds} folds: {metric} {mean(values):.4f} ({listed})")
