"""Synthetic ratings of any number, for timing what real data is too small for.

Users' activity and products' popularity follow power laws, and users have tastes, so that there is something to learn:
  - of a user, 20 ratings and a Pareto excess with a survival exponent of 1.2 (a density exponent of 2.2), 2,000 ratings
    or a third of the products at most, 100 on average;
  - of products, popularity falls as 1 / (rank + 4) in each of 20 clusters; 70 % of a user's draws come from three
    clusters of their own, the others from all;
  - stars lean on the product, on the user and on whether the cluster is the user's.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.floating[Any]]

PER_USER = 100
FEWEST, MOST = 20, 2_000  # ratings of a user
ACTIVITY = 1.2  # survival exponent of what a user rates beyond the fewest
FLAT = 4  # ranks by which the head of the popularity is flattened
CLUSTERS, OWN, OWN_SHARE = 20, 3, 0.7
POPULAR_ROUNDS = 4  # of drawing again what was drawn twice, before any product is as likely as another
START, YEAR = 1_500_000_000.0, 31_557_600.0


def ratings(count: int, *, products: int, seed: int = 0) -> pd.DataFrame:
    """`count` ratings: unit (the user), product, value (0.5 to 5 in halves), at (seconds since 1970), in order of unit
    and then at, no pair twice. Users are about count / 100, numbered from 1, as products are.
    """
    rng = np.random.default_rng(seed)
    activity = _activity(count, products)
    rng.shuffle(activity)
    users = len(activity)
    cluster = np.sort(rng.integers(0, CLUSTERS, products))  # products stand by cluster, the popular first in each
    starts = np.searchsorted(cluster, np.arange(CLUSTERS + 1))
    upto = np.concatenate([[0.0], np.cumsum(1 / (np.arange(products) - starts[cluster] + FLAT))])
    tastes = rng.integers(0, CLUSTERS, (users, OWN))

    pairs = _pairs(rng, activity, tastes, starts, upto)
    unit, product = np.divmod(pairs, products)
    own = (tastes[unit] == cluster[product, None]).any(axis=1)
    value = 3.1 + rng.normal(0, 0.4, products)[product] + rng.normal(0, 0.3, users)[unit] + 0.7 * own
    value += 0.8 * rng.standard_normal(count, np.float32)
    value = np.clip(np.round(value * 2) / 2, 0.5, 5.0)
    moment = rng.random(count)
    order = np.argsort(unit + moment, kind="stable")  # by user, and at random within
    unit, product, value = unit[order], product[order], value[order]
    began, lasted = START + 5 * YEAR * rng.random(users), YEAR * rng.random(users)
    at = began[unit] + lasted[unit] * moment[order]
    names = rng.permutation(products) + 1  # so that a product's number says nothing about it
    return pd.DataFrame({"unit": unit + 1, "product": names[product], "value": value, "at": at})


def _activity(count: int, products: int) -> Ints:
    """How many ratings each user has; their sum is `count`."""
    users = max(1, count // PER_USER)
    fewest, most = min(FEWEST, count // users), min(MOST, products // 3)
    if users * most < count:
        raise ValueError(f"{products} products are too few for {count} ratings")
    excess = ((np.arange(users) + 0.5) / users) ** (-1 / ACTIVITY) - 1 + 1 / users
    low, high = 0.0, float(most * users)
    for _ in range(100):  # bisection: the scale at which the sum is right
        scale = (low + high) / 2
        found = np.minimum(fewest + (scale * excess).astype(np.int64), most)
        low, high = (scale, high) if found.sum() <= count else (low, scale)
    found = np.minimum(fewest + (low * excess).astype(np.int64), most)
    while missing := count - int(found.sum()):
        found[np.flatnonzero(found < most)[:missing]] += 1
    return found


def _pairs(rng: np.random.Generator, activity: Ints, tastes: Ints, starts: Ints, upto: Floats) -> Ints:
    """User * products + product, each once, sorted. What was drawn twice is drawn again."""
    products, users = len(upto) - 1, np.arange(len(activity))
    found = np.empty(0, np.int64)
    missing, rounds = activity, 0
    while missing.any():
        unit = np.repeat(users, missing)
        if rounds < POPULAR_ROUNDS:
            chosen = tastes[unit, rng.integers(0, OWN, len(unit))]
            own = rng.random(len(unit)) < OWN_SHARE
            low = np.where(own, upto[starts[chosen]], 0.0)
            high = np.where(own, upto[starts[chosen + 1]], upto[-1])
            product = np.searchsorted(upto, low + (high - low) * rng.random(len(unit)), side="right") - 1
        else:
            product = rng.integers(0, products, len(unit))
        found = np.sort(np.concatenate([found, unit * products + np.minimum(product, products - 1)]))
        found = found[np.diff(found, prepend=-1) > 0]  # np.unique hashes, and takes minutes for keys like these
        missing = activity - np.bincount(found // products, minlength=len(activity))
        rounds += 1
    return found
