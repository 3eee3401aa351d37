"""`manage.py train entities --algorithm hub --model NAME_OR_FOLDER` and `--algorithm minilm --conll FILE`. Without
these, and for other tasks, the command is the one of experiments/.
"""

from typing import Any

from django.core.management.base import CommandParser

from experiments.management.commands import train
from experiments.management.commands._shared import plain_errors

HELP = {
    "model": ("NAME_OR_FOLDER", "of the algorithm hub: a network of the Hugging Face hub, or a folder with its files"),
    "conll": ("FILE", "of entities by minilm: sentences to learn from, a word and its tag a line"),
    "dev": ("FILE", "of entities by minilm: sentences to choose the epoch on; left out, a tenth of the others"),
}


class Command(train.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        group = parser.add_argument_group("of texts")
        for name, (metavar, said) in HELP.items():
            group.add_argument(f"--{name}", metavar=metavar, help=said)

    @plain_errors
    def handle(self, *args: Any, **options: Any) -> None:
        for name in HELP:
            self.given(options, name)
        super().handle(*args, **options)
