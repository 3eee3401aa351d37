"""Four ways to hold ratings out, each a question of its own (docs/evaluating-recommendations.md).

A protocol takes rows (columns unit, product, kind, value, at; a user's rows together and in order of time) and gives
them back with a column `held_out`, without those that neither are learned from nor measured on. Only ratings are held
out. Of users it holds something out of only where a history is left.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from recommendations.ml.sequences import RATING

if TYPE_CHECKING:
    import pandas as pd

TEST = 0.2  # the share of ratings that is held out
FEWEST = 5  # ratings of a user who is measured on
NEW = 0.1  # the share of products that is new


def temporal_user(rows: "pd.DataFrame", *, share: float = TEST, fewest: int = FEWEST) -> "pd.DataFrame":
    """The last `share` of each user's ratings, where there are `fewest` or more: what will they like next?"""
    ratings = rows[rows["kind"] == RATING].groupby("unit")["unit"]
    count = ratings.transform("size")
    return _split(rows, (ratings.cumcount() >= (count * (1 - share)).astype(int)) & (count >= fewest))


def leave_last_out(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Each user's last rating: the longest history and one thing to find."""
    ratings = rows[rows["kind"] == RATING].groupby("unit")["unit"]
    return _split(rows, (ratings.cumcount(ascending=False) == 0) & (ratings.transform("size") > 1))


def global_time(rows: "pd.DataFrame", *, share: float = TEST) -> "pd.DataFrame":
    """All ratings from one moment on, which is the 1 - `share` quantile of their times; nothing that happened to
    anybody from then on is learned from (Ji et al., 2023: else a model knows the future of others).
    """
    rated = rows["kind"] == RATING
    moment = rows.loc[rated, "at"].quantile(1 - share)
    later = rows["at"] >= moment
    return _with_history(rows.assign(held_out=later & rated)[~later | rated])


def new_products(rows: "pd.DataFrame", *, share: float = NEW, seed: int = 0) -> "pd.DataFrame":
    """All ratings of a `share` of the products, drawn at random: who will like what has just come in? The rest of the
    history is what `temporal_user` learns from.
    """
    products = np.unique(rows.loc[rows["kind"] == RATING, "product"])
    count = min(max(round(share * len(products)), 1), len(products))
    new = rows["product"].isin(np.random.default_rng(seed).choice(products, count, replace=False))
    past = temporal_user(rows[~new])
    found = rows.assign(held_out=new)
    return _with_history(found[(new & (rows["kind"] == RATING)) | rows.index.isin(past.index[~past["held_out"]])])


def _split(rows: "pd.DataFrame", later: "pd.Series") -> "pd.DataFrame":
    """`later` says of each rating whether it is held out. What else a user did from the first of these on goes."""
    found = rows.assign(held_out=later.reindex(rows.index, fill_value=False).astype(bool))
    until = found["unit"].map(found[found["held_out"]].groupby("unit")["at"].min()).fillna(float("inf"))
    return found[(found["kind"] == RATING) | (found["at"] < until)]


def _with_history(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Without the users who have nothing but held-out ratings."""
    return rows[rows["unit"].isin(rows.loc[~rows["held_out"], "unit"])]


PROTOCOLS: Mapping[str, Callable[["pd.DataFrame"], "pd.DataFrame"]] = {
    "temporal-user": temporal_user,
    "global-time": global_time,
    "leave-last-out": leave_last_out,
    "new-products": new_products,
}
