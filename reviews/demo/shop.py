"""Puts the demo shop together."""

from datetime import datetime

from .catalogue import SELLERS, products_make
from .events import events_make
from .people import customers_make
from .ratings import ratings_make
from .records import Shop
from .reviews import reviews_make

SEED = 2026


def make_shop(now: datetime, seed: int = SEED) -> Shop:
    """The whole shop but its pictures (`pictures.draw`). All times lie before the start of the day of `now` and have
    its zone, so that two runs on a day give the same shop."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    products = products_make(seed)
    customers = customers_make(seed, today)
    ratings = ratings_make(seed, today, customers, products)
    return Shop(
        sellers=SELLERS,
        products=products,
        customers=customers,
        ratings=ratings,
        reviews=reviews_make(seed, customers, products, ratings),
        events=events_make(seed, today, customers, products, ratings),
    )
