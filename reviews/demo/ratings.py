"""12,000 ratings that follow taste and quality.

What a customer rates is drawn by popularity (a power law) times how well the product meets the taste; how it is rated
adds up the product's quality, the match, the customer's bias and chance."""

from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from .records import Customer, Product, Rating
from .rhythm import times_draw
from .wares import categories

COUNT = 12_000
DAYS = 180

Floats = npt.NDArray[np.float64]


def match(customers: tuple[Customer, ...], products: tuple[Product, ...]) -> Floats:
    """How well each product meets each customer's taste, customers x products, about -2 to 4."""
    names = [category.name for category in categories()]
    places = [names.index(product.category) for product in products]
    taste = np.array([customer.taste for customer in customers])
    style = np.array([product.style for product in products])
    likes = np.array([customer.likes for customer in customers])
    return np.asarray(taste @ style.T + likes[:, places], dtype=np.float64)


def popularity(seed: int, products: tuple[Product, ...]) -> Floats:
    """Weights by a power law of rank; good products tend to rank high."""
    rng = np.random.default_rng([seed, 3])
    quality = np.array([np.mean(list(product.quality.values())) for product in products])
    rank = np.argsort(np.argsort(-(quality + rng.normal(0, 0.8, len(products)))))
    return np.asarray((rank + 4.0) ** -0.7)


def _counts(rng: np.random.Generator, customers: int) -> npt.NDArray[np.int64]:
    """How many ratings each customer gives: log-normal, at least 2, COUNT in all."""
    share = np.minimum(rng.lognormal(0.0, 0.6, customers), 5.0)
    return 2 + rng.multinomial(COUNT - 2 * customers, share / share.sum())


def ratings_make(
    seed: int, today: datetime, customers: tuple[Customer, ...], products: tuple[Product, ...]
) -> tuple[Rating, ...]:
    """All ratings of the DAYS days before `today`, oldest first."""
    rng = np.random.default_rng([seed, 1])
    fit = match(customers, products)
    keys = (
        1.9 * fit + np.log(popularity(seed, products)) + rng.gumbel(size=fit.shape)
    )  # Gumbel top-k: draws without return
    counts = _counts(rng, len(customers))
    pairs = [(row, int(column)) for row, count in enumerate(counts) for column in np.argsort(-keys[row])[:count]]
    rows, columns = np.array(pairs).T
    quality = np.array([np.mean(list(product.quality.values())) for product in products])
    bias = np.array([customer.bias for customer in customers])
    liking = fit[rows, columns] - fit[rows, columns].mean()
    value = 3.66 + 0.75 * quality[columns] + 0.42 * liking + bias[rows] + rng.normal(0, 0.7, len(rows))
    value = np.where(value < 2.8, 2.8 - 1.6 * (2.8 - value), value)  # who is annoyed says so
    halves = np.clip(np.round(value * 2) / 2, 0.5, 5.0)
    seconds = times_draw(rng, today, DAYS, len(rows), growth=1.6)
    return tuple(
        Rating(
            customer=customers[rows[place]].username,
            product=products[columns[place]].external_id,
            value=float(halves[place]),
            created=today - timedelta(seconds=int(seconds[place])),
        )
        for place in np.argsort(-seconds, kind="stable")
    )
