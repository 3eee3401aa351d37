"""What customers rated and did, as flat arrays that every part of a recommender learns from."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments.mltask import Examples

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]
Bools = npt.NDArray[np.bool_]

RATING = "rating"
LIKED_FROM = 3.5  # stars from which a rating says that the product was liked
NEUTRAL = 2.5  # stars that say nothing for or against
MOST_STRENGTH = (5 - NEUTRAL) / (4 - NEUTRAL)  # of one customer's liking for one product, whatever adds up to it
KINDS = {"view": 0.1, "click": 0.2, "cart": 0.5, "purchase": 1.0}  # of the strength of a rating of 4 stars


@dataclass(frozen=True)
class Sequences:
    """A customer's rows stand together and in order of time. `users` and `items` are codes from 0 on; an item's code is
    its place in `products`, which is in ascending order. `stars` is 0 for an event, `event` its weight or 0 for a
    rating; `age` counts a customer's later rows of the same sort, so the newest rating and the newest event have 0.
    """

    products: Ints
    users: Ints
    items: Ints
    stars: Floats
    event: Floats
    age: Ints

    @property
    def user_count(self) -> int:
        return int(self.users[-1]) + 1 if len(self.users) else 0

    def strength(self, indifferent: float, implicit: float) -> Floats:
        return strength(self.stars, self.event, indifferent, implicit)

    def taken(self, chosen: Bools) -> "Sequences":
        """The chosen rows alone; ages are counted again, and users without a row are gone."""
        users = self.users[chosen]
        codes = np.cumsum(np.diff(users, prepend=users[:1]) != 0) if len(users) else users
        stars = self.stars[chosen]
        return Sequences(self.products, codes, self.items[chosen], stars, self.event[chosen], _ages(codes, stars > 0))

    def matrix(self, values: Floats) -> Any:
        """Users x items (CSR, float32) of one value a row. What one customer did with one product adds up, to
        MOST_STRENGTH at most.
        """
        from scipy import sparse

        shape = (self.user_count, len(self.products))
        found = sparse.csr_matrix((values.astype(np.float32), (self.users, self.items)), shape=shape)
        found.data = np.minimum(found.data, np.float32(MOST_STRENGTH))
        found.eliminate_zeros()
        return found


def strength(stars: Floats, event: Floats, indifferent: float, implicit: float) -> Floats:
    """How much liking each row shows: 1 for 4 stars, and `indifferent` for a rating that is no like; an event has its
    kind's weight times `implicit`.
    """
    rated = np.where(stars >= LIKED_FROM, (stars - NEUTRAL) / (4 - NEUTRAL), indifferent)
    return np.where(stars > 0, rated, event * implicit)


def sequences(examples: Examples) -> Sequences:
    """From examples with the columns unit, product, kind, value, at and the side table `products`. Rows of products
    that the catalogue does not have are left out; without a catalogue the rows' own products are one. What a customer
    did several times with a product counts once, when it was done last.
    """
    rows = examples.rows.drop_duplicates(["unit", "product", "kind"], keep="last")
    known = examples.side["products"]["product"] if "products" in examples.side else rows["product"]
    products = np.unique(known.to_numpy(np.int64))
    rows = rows[rows["product"].isin(products)].sort_values(["unit", "at"], kind="stable")
    users = rows["unit"].factorize()[0].astype(np.int64)
    rated = (rows["kind"] == RATING).to_numpy(bool)
    return Sequences(
        products=products,
        users=users,
        items=np.searchsorted(products, rows["product"].to_numpy(np.int64)),
        stars=np.where(rated, rows["value"].to_numpy(float), 0.0),
        event=rows["kind"].map(KINDS).fillna(0.0).to_numpy(float),
        age=_ages(users, rated),
    )


def _ages(users: Ints, rated: Bools) -> Ints:
    """How many later rows of the same user and the same sort there are."""
    ages = np.zeros(len(users), np.int64)
    for chosen in (rated, ~rated):
        mine = users[chosen]
        ends = np.searchsorted(mine, mine, side="right")
        ages[chosen] = ends - 1 - np.arange(len(mine))
    return ages


def words_of(products: "pd.DataFrame") -> list[str]:
    """One text a product: the name, the category and the description."""
    return [
        " ".join(map(str, row)) for row in zip(*(products[c] for c in ("name", "category", "description")), strict=True)
    ]
