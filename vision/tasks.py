"""Background jobs of this room. A job is a hint: which pictures wait is read from the rows, so a lost one loses
nothing.
"""

import logging
from datetime import timedelta

from django_tasks import task

from experiments.batching import Closed
from experiments.errors import Unavailable
from experiments.schedule import scheduled
from experiments.serving import Loaded
from vision import services

logger = logging.getLogger(__name__)
BATCH = 16  # pictures in one call of the network
MOST = 1_000  # pictures in one run: the other jobs have their turn


@task()
def embed_pictures() -> int:
    """Give every picture that has none a vector of the live network, and of the one that is searched; gives how many.
    What is over MOST is left to the next run. Stops quietly where there is no network.
    """
    done = 0
    try:
        for network in services.networks():
            done += _embed(network, MOST - done)
            services.searched_switch(version=network.version)
    except (Unavailable, Closed) as error:
        logger.info("pictures wait for a network: %s", error)
    if done >= MOST:
        embed_pictures.enqueue()
    return done


def _embed(network: Loaded, most: int) -> int:
    done = after = 0
    while done < most:
        batch = services.pictures_embed_next(network=network, after=after, limit=min(BATCH, most - done))
        if not batch.seen:
            break
        after = batch.last
        done += batch.made + batch.unreadable
    return done


@scheduled(every=timedelta(seconds=60))
def sweep_pictures() -> None:
    """Finds what a killed job left, what was imported, and everything that a new network has not seen."""
    services.embeddings_tidy()
    embed_pictures.call()
