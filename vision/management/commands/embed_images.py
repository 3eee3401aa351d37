"""`manage.py embed_images`: give every picture of the shop a vector, to be searched by."""

from contextlib import closing
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from experiments import serving
from experiments.management.commands._shared import Bar, plain_errors
from experiments.models import ModelVersion
from experiments.registry import live_version, version_get
from vision.ml.embedding import IMAGE_EMBEDDING
from vision.models import ImageEmbedding
from vision.selectors import pictures_waiting
from vision.services import embeddings_tidy, pictures_embed_next, searched_switch
from vision.tasks import BATCH


class Command(BaseCommand):
    help = (
        "Give every picture that has none yet a vector of the live network (or of --version-number, before it is put"
        " live). May be stopped and started again; any number may run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--version-number", type=int, metavar="N", help="of image_embedding; the live one if left out"
        )
        parser.add_argument("--retry", action="store_true", help="look again at pictures that could not be read")

    @plain_errors
    def handle(self, *args: Any, **options: Any) -> None:
        name, number = IMAGE_EMBEDDING.name, options["version_number"]
        row = version_get(task=name, version=number) if number else live_version(name)
        if not row:
            raise CommandError(f"{name} has no live version. Train one: manage.py train {name} --promote")
        embeddings_tidy()
        if options["retry"]:
            ImageEmbedding.objects.filter(version=row.version, vector=None).delete()
        bar = Bar(enabled=options["verbosity"] > 0)
        try:
            self.embed(row, bar)
        except KeyboardInterrupt:
            raise CommandError("Stopped by the keyboard. What was made is kept; the next run goes on there.") from None
        finally:
            bar.close()
        if searched_switch(version=row.version):
            self.stdout.write(f"Pictures are searched with {row} from now on.")

    def embed(self, row: ModelVersion, bar: Bar) -> None:
        total, after, seen, made, unreadable = pictures_waiting(row.version), 0, 0, 0, 0
        with closing(serving.load(row)) as network:
            while (batch := pictures_embed_next(network=network, after=after, limit=BATCH)).seen:
                after, seen = batch.last, seen + batch.seen
                made, unreadable = made + batch.made, unreadable + batch.unreadable
                bar(seen, max(total, seen), "pictures")
        bar.close()
        there = ImageEmbedding.objects.filter(version=row.version).count() - made - unreadable
        said = [
            f"{made:,} pictures have a vector now",
            f"{max(there, 0):,} had one or were tried before",
            *([f"{unreadable:,} cannot be read"] if unreadable else []),
            *([f"{held:,} are at another worker"] if (held := seen - made - unreadable) else []),
        ]
        self.stdout.write(f"{row}: {', '.join(said)}.")
