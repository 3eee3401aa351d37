"""`manage.py analyse_reviews`: have the live sentiment model read every review that another version read, or none."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from experiments.management.commands._shared import Bar, plain_errors
from experiments.registry import live_version
from nlp.ml.sentiment import SENTIMENT
from reviews.models import Review
from reviews.selectors import unanalysed
from reviews.tasks import analysed


class Command(BaseCommand):
    help = (
        "Analyse all reviews that were not analysed by the live version of sentiment. May be stopped and started again;"
        " any number may run."
    )

    @plain_errors
    def handle(self, *args: Any, **options: Any) -> None:
        row = live_version(SENTIMENT.name)
        if not row:
            raise CommandError(
                f"{SENTIMENT.name} has no live version. Train one: manage.py train {SENTIMENT.name} --promote"
            )
        waiting, done = Review.objects.filter(unanalysed(row.version)), 0
        total, bar = waiting.count(), Bar(enabled=options["verbosity"] > 0)
        try:
            for count in analysed(row.version):
                done += count
                bar(done, max(total, done), "reviews")
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped by the keyboard. What was analysed is kept; the next run goes on there."
            ) from None
        finally:
            bar.close()
        left = waiting.count()
        said = f", {left:,} could not be or were at another worker" if left else ""
        self.stdout.write(f"{row}: {done:,} reviews are analysed{said}.")
