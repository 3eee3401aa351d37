"""`manage.py evaluate recommend --protocol …`: all recommenders and the baselines side by side. Without --protocol, and
for other tasks, the command is the one of experiments/, which measures one version.
"""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from experiments.discovery import task_named
from experiments.errors import DomainError, Invalid
from experiments.management.commands import evaluate
from experiments.management.commands._shared import Bar, plain_errors
from experiments.mltask import Examples
from experiments.models import ModelVersion
from experiments.registry import live_version
from recommendations.ml.evaluation import Live, compare, contenders, trial_of
from recommendations.ml.protocols import PROTOCOLS
from recommendations.plots import plot, table

TASK = "recommend"
MOST = 100  # products of a list that are looked at
OURS = ("k", "plot", "algorithms", "users", "no_store")  # options that need a protocol


class Command(evaluate.Command):
    help = f"{evaluate.Command.help} With --protocol (task {TASK}): compare all algorithms and the baselines."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        group = parser.add_argument_group(f"all algorithms of {TASK} and the baselines side by side")
        group.add_argument("--protocol", choices=list(PROTOCOLS), help="how ratings are held out")
        group.add_argument("--k", metavar="K,…", help="lengths of the lists that are judged; 10,20 when left out")
        group.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the main figures")
        group.add_argument("--algorithms", metavar="A,…", help="only these, and what they are compared with")
        group.add_argument("--users", type=int, metavar="N", help="ask no more than N users, drawn at random")
        group.add_argument("--no-store", action="store_true", help="do not keep the figures with the live version")

    @plain_errors
    def handle(self, *args: Any, **options: Any) -> None:
        protocol = options["protocol"]
        if not protocol:
            for name in OURS:
                if options[name] is not None and options[name] is not False:
                    raise Invalid(name, f"--{name.replace('_', '-')} needs a --protocol: {', '.join(PROTOCOLS)}.")
            super().handle(*args, **options)
            return
        if options["task"] != TASK:
            raise Invalid("protocol", f"--protocol is for {TASK}, not for {options['task']}.")
        if options["version_number"] is not None or options["folds"] is not None or options["part"] != "test":
            raise Invalid("protocol", "--version-number, --folds and --part do not go with --protocol.")
        ks, path = _ks(options["k"] or "10,20"), _drawable(options["plot"])
        if options["users"] is not None and options["users"] < 1:
            raise Invalid("users", "--users is a number from 1 on.")
        only = [name.strip() for name in (options["algorithms"] or "").split(",") if name.strip()]
        live = live_version(TASK)
        report = self._compare(protocol, ks, only, live, options)
        if options["json"]:
            self.stdout.write(json.dumps(report))
        else:
            self.stdout.write(table(report))
        if live and not options["no_store"]:
            _store(live, protocol, report)
            self._say(f"Stored with {live} as its figures under {protocol}.", options)
        elif not options["no_store"]:
            self._say("Not stored: there is no live version to keep the figures with.", options)
        if path:
            try:
                plot(report, path)
            except OSError as error:
                raise DomainError(f"{path} cannot be written: {error.strerror or error}.") from error
            self._say(f"Drawn in {path}.", options)

    def _compare(
        self, protocol: str, ks: list[int], only: list[str], live: ModelVersion | None, options: dict[str, Any]
    ) -> dict[str, Any]:
        from recommendations.datasets import catalogue, interactions

        serving = Live(live.algorithm, live.params, live.version) if live else None
        among = contenders(task_named(TASK).algorithms, only=only, live=serving)
        trial = trial_of(Examples(interactions(), {"products": catalogue()}), protocol, users=options["users"])
        bar = Bar(enabled=options["verbosity"] > 0)
        try:
            found = compare(trial, among, ks, progress=bar)
        finally:
            bar.close()
        facts = {"task": TASK, "protocol": protocol, "version": live.version if live else None}
        return facts | {"most_users": options["users"]} | found

    def _say(self, line: str, options: dict[str, Any]) -> None:
        """Beside the table; what prints JSON prints nothing else."""
        if not options["json"]:
            self.stdout.write(line)


def _ks(text: str) -> list[int]:
    try:
        found = sorted({int(one) for one in text.split(",")})
    except ValueError:
        found = []
    if not found or found[0] < 1 or found[-1] > MOST:
        raise Invalid("k", f"--k is one or more numbers from 1 to {MOST} with commas, such as 10,20.")
    return found


def _drawable(path: Path | None) -> Path | None:
    """Refused before the work, not after it."""
    if path and path.suffix.lower() != ".png":
        raise Invalid("plot", f"--plot draws a .png file, and {path.name} is none.")
    if path and not path.parent.is_dir():
        raise Invalid("plot", f"The folder {path.parent} is not there.")
    return path


def _store(live: ModelVersion, protocol: str, report: dict[str, Any]) -> None:
    with transaction.atomic():
        row = ModelVersion.objects.select_for_update().get(pk=live.pk)
        row.metrics["protocols"] = row.metrics.get("protocols", {}) | {protocol: report}
        row.save(update_fields=["metrics"])
