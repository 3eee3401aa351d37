"""Background jobs of this room. A job is a hint: which products are new is read from the rows, so a lost one loses
nothing.
"""

import logging
from datetime import timedelta

from django_tasks import task

from experiments.errors import Unavailable
from experiments.schedule import scheduled
from recommendations.services import new_products_describe

logger = logging.getLogger(__name__)


@task()
def describe_new_products() -> int:
    """Say what the products are like that came after the training, so that they are recommended from now on."""
    try:
        return new_products_describe()
    except Unavailable as error:
        logger.info("new products wait for a recommender: %s", error.detail)
        return 0


@scheduled(every=timedelta(seconds=60))
def sweep_new_products() -> None:
    """Finds what a killed job left, what was imported, and everything that a new version does not know."""
    describe_new_products.call()
