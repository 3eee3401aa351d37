"""`manage.py train price --data FILE.csv --map sqft_living=sqft,zipcode=location`: keeps the homes of a file as the
shop's, and learns from them. Without these, and for other tasks, the command is the one of experiments/.
"""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from experiments.errors import DomainError, Invalid
from experiments.management.commands import train
from experiments.management.commands._shared import plain_errors
from experiments.mltask import Progress, Split
from experiments.models import ModelVersion
from pricing.datasets import split_of
from pricing.homes import FIELDS, columns_named, homes_read, homes_write
from pricing.ml.lessons import FEWEST
from pricing.ml.price import PRICE


class Command(train.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        group = parser.add_argument_group("of homes")
        group.add_argument(
            "--data",
            type=Path,
            metavar="FILE.csv",
            help=f"of {PRICE.name}: homes with {', '.join(FIELDS)}; they replace those that were learned from so far",
        )
        group.add_argument(
            "--map",
            default="",
            metavar="COLUMN=FIELD,…",
            help="which column of --data is which of these, where it is not called so",
        )

    def examples(self, options: dict[str, Any], progress: Progress) -> Split | None:
        path: Path | None = options["data"]
        if not path:
            return super().examples(options, progress)
        self.homes = homes_read(path, columns_named(options["map"]))
        split = split_of(self.homes)
        if len(split.fit) < FEWEST or not len(split.test):
            raise Invalid(
                "data", f"{path} has too few homes: {len(split.fit)} to learn from and {len(split.test)} to be measured"
                f" on, and it takes {FEWEST} and 1 or more.",
            )  # fmt: skip
        return split

    def learned(self, row: ModelVersion, options: dict[str, Any]) -> None:
        """Not sooner: what no model could learn from takes the place of nothing. Not later: the promotion is judged on
        these homes.
        """
        if not options["data"]:
            return
        try:
            homes_write(self.homes, settings.HOMES)
        except DomainError as error:
            raise DomainError(f"{row} is stored and not promoted, as its homes are not kept: {error.detail}") from error
        self.stdout.write(
            f"{len(self.homes):,} homes are kept in {settings.HOMES}; {PRICE.name} is learned from these now."
        )

    @plain_errors
    def handle(self, *args: Any, **options: Any) -> None:
        if options["data"] and options["task"] != PRICE.name:
            raise Invalid("data", f"--data is for {PRICE.name}, not for {options['task']}.")
        if options["map"] and not options["data"]:
            raise Invalid("map", "--map says what the columns of a file are: name it with --data.")
        super().handle(*args, **options)
