"""Background jobs of this room. A job is a hint: what is to be done is read from the rows, so a lost one loses
nothing.
"""

import logging
from datetime import timedelta

from django_tasks import task

from experiments.errors import Unavailable
from experiments.schedule import scheduled
from reviews.errors import ReviewFailed
from reviews.trend import trends_rebuild

logger = logging.getLogger(__name__)
BATCH = 256


@task()
def analyse_reviews() -> int:
    """Analyse every review that has no sentiment yet; gives how many. Stops quietly where no model answers."""
    from reviews.services import reviews_analyse_next  # services enqueues this job

    done = after = 0
    limit = BATCH
    try:
        while True:
            try:
                after, count = reviews_analyse_next(after=after, limit=limit)
            except ReviewFailed as error:
                # One of the batch: take them singly until it is found, and go on behind it.
                after, limit = (error.review_id, BATCH) if limit == 1 else (after, 1)
                continue
            if not count:
                return done
            done += count
    except Unavailable as error:
        logger.info("reviews wait for a sentiment model: %s", error.detail)
        return done


@scheduled(every=timedelta(seconds=60))
def sweep_unanalysed_reviews() -> None:
    """Finds what a killed job left."""
    analyse_reviews.call()


@scheduled(every=timedelta(days=1))
def rebuild_trends() -> None:
    """Ratings that were changed or deleted leave the trend here."""
    trends_rebuild()
