"""`manage.py train image --algorithm mobilenet_v2 --weights FILE` and `manage.py train category --folder DIR`. Without
these two, and for other tasks, the command is the one of nlp/ and of pricing/.
"""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from experiments.errors import Invalid
from experiments.management.commands._shared import plain_errors
from experiments.mltask import Progress, Split
from nlp.management.commands import train as texts
from pricing.management.commands import train as homes
from vision.folders import category_split
from vision.ml.category import CATEGORY


class Command(texts.Command, homes.Command):
    help = f"{texts.Command.help} Pictures and weights can come from files."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        group = parser.add_argument_group("from files")
        group.add_argument(
            "--weights", metavar="FILE", help="the weights of a Keras network, where they cannot be fetched"
        )
        group.add_argument(
            "--folder",
            type=Path,
            metavar="DIR",
            help=f"of {CATEGORY.name}: learn from the pictures in it, one sub-folder a category",
        )

    def examples(self, options: dict[str, Any], progress: Progress) -> Split | None:
        folder: Path | None = options["folder"]
        if not folder:
            return super().examples(options, progress)
        if options["task"] != CATEGORY.name:
            raise Invalid("folder", f"--folder is for {CATEGORY.name}, not for {options['task']}.")
        split, unread = category_split(folder, progress)
        for path, why in unread:
            self.stderr.write(f"{path} is left out. {why}")
        return split

    @plain_errors
    def handle(self, *args: Any, **options: Any) -> None:
        self.given(options, "weights")
        super().handle(*args, **options)
