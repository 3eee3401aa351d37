"""20,000 events of the last 60 days: views, some of them followed by a click, a cart and a purchase.

Half of the visits lead to a product that the customer rates in the days after, the rest go by taste and popularity; a
few products have taken off in the last five days."""

from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from .ratings import match, popularity
from .records import Customer, Event, Product, Rating
from .rhythm import times_draw

FUNNEL = {"view": 14_000, "click": 3_600, "cart": 1_600, "purchase": 800}
DAYS = 60
TRENDING = 8  # products that take off in the last TREND_DAYS days
TREND_DAYS = 5
TREND_VIEWS = 900

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def _drawn(rng: np.random.Generator, weights: Floats, count: int) -> Ints:
    """`count` flat places of a weight matrix, with return."""
    return rng.choice(weights.size, size=count, p=weights.ravel() / weights.sum())


def _rated(
    rng: np.random.Generator,
    today: datetime,
    ratings: tuple[Rating, ...],
    pairs: dict[tuple[str, str], int],
    count: int,
) -> tuple[Ints, Floats]:
    """Visits that come 1 to 6 days before a rating: pair and seconds before `today`."""
    late = [(pairs[one.customer, one.product], (today - one.created).total_seconds()) for one in ratings]
    late = [(pair, ago) for pair, ago in late if ago < (DAYS - 7) * 86_400]
    picked = rng.integers(0, len(late), size=count)
    ago = np.array([late[place][1] for place in picked]) + rng.integers(1, 7, size=count) * 86_400.0
    return np.array([late[place][0] for place in picked], dtype=np.int64), ago


def events_make(
    seed: int,
    today: datetime,
    customers: tuple[Customer, ...],
    products: tuple[Product, ...],
    ratings: tuple[Rating, ...],
) -> tuple[Event, ...]:
    """All events, oldest first; nobody buys the same product twice."""
    rng = np.random.default_rng([seed, 2])
    fit = match(customers, products)
    weights = np.exp(fit) * popularity(seed, products)
    width = len(products)
    pairs = {
        (customer.username, product.external_id): row * width + column
        for row, customer in enumerate(customers)
        for column, product in enumerate(products)
    }
    rated, rated_ago = _rated(rng, today, ratings, pairs, FUNNEL["view"] // 2)
    rising = np.zeros_like(weights)
    columns = rng.choice(width, size=TRENDING, replace=False)
    rising[:, columns] = np.exp(fit[:, columns] / 2)
    trend = _drawn(rng, rising, TREND_VIEWS)
    trend_ago = times_draw(rng, today, TREND_DAYS, TREND_VIEWS, growth=3.0)
    rest = FUNNEL["view"] - len(rated) - TREND_VIEWS
    usual, usual_ago = _drawn(rng, weights, rest), times_draw(rng, today, DAYS, rest, growth=1.3)
    pair = np.concatenate([rated, trend, usual])
    ago = np.concatenate([rated_ago, trend_ago, usual_ago])
    known = np.zeros(weights.size)
    for one in ratings:
        known[pairs[one.customer, one.product]] = (today - one.created).total_seconds()
    keen = np.where(known[pair] > ago, -np.inf, fit.ravel()[pair])  # who rated it before has it and only looks
    return _funnel(rng, today, pair, ago, keen, customers, products)


def _funnel(
    rng: np.random.Generator,
    today: datetime,
    pair: Ints,
    ago: Floats,
    keen: Floats,
    customers: tuple[Customer, ...],
    products: tuple[Product, ...],
) -> tuple[Event, ...]:
    """Every visit is a view; those that fit best go on, each step to a part of the step before."""
    keys = keen + rng.gumbel(0, 1.5, size=len(pair))
    order = np.argsort(-keys)
    _, first = np.unique(pair[order], return_index=True)  # a pair's best visit alone can end in a purchase
    best = order[np.sort(first)]
    going = {"view": order, "click": order[: FUNNEL["click"]]}
    going["cart"] = best[: FUNNEL["cart"]]
    going["purchase"] = best[: FUNNEL["purchase"]]
    delay = {"view": 0, "click": 20, "cart": 90, "purchase": 240}
    rows = []
    for kind, visits in going.items():
        wait = delay[kind] + rng.integers(0, 15, size=len(visits))
        rows += [
            (float(ago[visit]) - int(pause), int(pair[visit]), kind) for visit, pause in zip(visits, wait, strict=True)
        ]
    rows.sort(key=lambda row: (-row[0], row[1], row[2]))
    width = len(products)
    return tuple(
        Event(
            customer=customers[place // width].username,
            product=products[place % width].external_id,
            kind=kind,
            created=today - timedelta(seconds=int(before)),
        )
        for before, place, kind in rows
    )
