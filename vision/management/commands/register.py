"""`manage.py register image --onnx FILE --labels FILE`: a network of one's own as a new version."""

from typing import Any

from django.core.management.base import CommandParser

from experiments.errors import Invalid
from experiments.management.commands import train
from experiments.management.commands._shared import plain_errors
from vision.ml.detection import DETECT
from vision.ml.image import IMAGE
from vision.ml.pixels import RECIPES

ALGORITHM = "onnx"
OF_DETECT = ("threshold", "overlap")
PARAMETERS = ("onnx", "labels", "preprocess", "size", *OF_DETECT)


class Command(train.Command):
    verb = "register"
    help = (
        f"Store an ONNX file as a new version: a classifier ({IMAGE.name}) or a detector such as YOLO ({DETECT.name})."
        " Its shapes and labels are checked first; --promote puts it live too."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("task", choices=[IMAGE.name, DETECT.name], help="what the network does")
        parser.add_argument("--onnx", required=True, metavar="FILE", help="the network, with its weights in the file")
        parser.add_argument(
            "--labels",
            metavar="FILE",
            help="its labels, one a line, in its order; a classifier of a thousand classes needs none (ImageNet)",
        )
        parser.add_argument(
            "--preprocess",
            choices=list(RECIPES),
            help="what it wants the values of a picture to be; a classifier imagenet (mean and deviation of ImageNet),"
            " a detector zero_to_one when left out",
        )
        parser.add_argument("--size", type=int, metavar="PIXELS", help="a side, where the file leaves it open")
        parser.add_argument("--threshold", type=float, help="of a detector: the least confidence; 0.25 when left out")
        parser.add_argument(
            "--overlap",
            type=float,
            help="of a detector: two boxes of a label that overlap by more are one object; 0.45 when left out",
        )
        parser.add_argument(
            "--promote", action="store_true", help="put it live if it is not worse than the live version"
        )

    @plain_errors
    def handle(self, *args: Any, **options: Any) -> None:
        given = {name: options[name] for name in PARAMETERS if options[name] is not None}
        for name in OF_DETECT:
            if name in given and options["task"] != DETECT.name:
                raise Invalid(name, f"--{name} is for {DETECT.name}, not for {options['task']}.")
        super().handle(*args, **options, algorithm=ALGORITHM, param=list(given.items()))
