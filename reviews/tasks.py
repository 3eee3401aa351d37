"""Background jobs of this room. A job is a hint: what is to be done is read from the rows, so a lost one loses
nothing.
"""

import logging
from collections.abc import Iterator
from datetime import timedelta

from django_tasks import task

from experiments import serving
from experiments.batching import Closed
from experiments.errors import ModelFailed, Unavailable
from experiments.schedule import scheduled
from nlp.ml.review_summary import REVIEW_SUMMARY
from reviews.errors import ReviewFailed
from reviews.selectors import stale_summaries
from reviews.trend import trends_rebuild

logger = logging.getLogger(__name__)
BATCH = 256
AT_ONCE = 100  # products that are looked up together


@task()
def analyse_reviews() -> int:
    """Analyse every review that has no sentiment yet; gives how many. Stops quietly where no model answers."""
    done = 0
    try:
        for count in analysed():
            done += count
    except Unavailable as error:
        logger.info("reviews wait for a sentiment model: %s", error.detail)
    return done


def analysed(but: int | None = None) -> Iterator[int]:
    """Analyses batch by batch, each in a transaction of its own, and gives how many it was. `but` as in
    `reviews_analyse_next`. Raises Unavailable.
    """
    from reviews.services import reviews_analyse_next  # services enqueues the job above

    after, limit = 0, BATCH
    while True:
        try:
            after, count = reviews_analyse_next(after=after, limit=limit, but=but)
        except ReviewFailed as error:
            # One of the batch: take them singly until it is found, and go on behind it.
            after, limit = (error.review_id, BATCH) if limit == 1 else (after, 1)
            continue
        if not count:
            return
        yield count


@scheduled(every=timedelta(seconds=60))
def sweep_unanalysed_reviews() -> None:
    """Finds what a killed job left."""
    analyse_reviews.call()


@task()
def summarise_reviews() -> int:
    """Make the summaries that are missing or have fallen behind; gives how many. Stops quietly where no model answers,
    and goes on behind a product that one fails on.
    """
    from reviews.services import summary_make

    done = after = 0
    try:
        version = serving.live(REVIEW_SUMMARY.name).version
        while stale := stale_summaries(version=version, after=after, limit=AT_ONCE):
            for after in stale:
                try:
                    done += summary_make(product_id=after) is not None
                except Exception as error:  # of either model: the products behind it have their turn
                    if isinstance(error, Unavailable | Closed) and not isinstance(error, ModelFailed):
                        raise
                    logger.exception("product %d has no summary", after)
    except (Unavailable, Closed) as error:
        logger.info("summaries wait for a model: %s", error)
    return done


@scheduled(every=timedelta(seconds=60))
def sweep_summaries() -> None:
    """New, edited and deleted reviews."""
    summarise_reviews.call()


@scheduled(every=timedelta(days=1))
def rebuild_trends() -> None:
    """Ratings that were changed or deleted leave the trend here."""
    trends_rebuild()
