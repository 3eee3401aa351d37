"""Everything that this room reads: a customer's history, products to show in one query, what is trending, newcomers.

Every recommendation waits for these, so the two queries of a request are written by hand: the ORM would spend more
time on building them than Postgres on answering.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import F

from experiments.prepared import execute
from recommendations.ml.recommend import Happened, Newcomers, Ranked, Rated
from recommendations.models import NewProduct
from reviews.models import Event, Product, Rating
from reviews.selectors import FILTERS, SHOWN, Shown
from vision.selectors import looks

MOST_ROWS = 500  # of one customer's ratings and of the events, the newest
MOST_ALLOWED = 100_000  # ids that a filter may let through
MOST_NEW = 500  # products that came after the training, the newest
NEW_FOR_S = 2.0  # how old what a process knows of them may be
MOST_ID = 2**63 - 1
PRODUCT, RATING, EVENT = Product._meta.db_table, Rating._meta.db_table, Event._meta.db_table
UNSEEN = f"""
    NOT EXISTS (SELECT FROM {RATING} WHERE user_id = %(user_id)s AND product_id = product.id)
    AND NOT EXISTS (
        SELECT FROM {EVENT} WHERE user_id = %(user_id)s AND product_id = product.id AND kind = 'purchase'
    )"""
HISTORY = f"""
(SELECT product_id, 'rating', value FROM {RATING} WHERE user_id = %(user_id)s
 ORDER BY rated_at DESC, id DESC LIMIT %(most)s)
UNION ALL
(SELECT product_id, kind, 0 FROM {EVENT} WHERE user_id = %(user_id)s ORDER BY id DESC LIMIT %(most)s)
"""
RANKED = f"""
SELECT product.*, ranked.place, ranked.because
FROM unnest(%(ids)s::bigint[], %(because)s::bigint[]) WITH ORDINALITY AS ranked (id, because, place)
JOIN {PRODUCT} AS product USING (id)
WHERE {{where}} ORDER BY ranked.place LIMIT %(n)s
"""
TRENDING = f"""
SELECT product.*, row_number() OVER (ORDER BY product.trend DESC, product.id) AS place, NULL::bigint AS because
FROM {PRODUCT} AS product
WHERE {{where}} AND product.id <> ALL(%(ids)s::bigint[]) ORDER BY product.trend DESC, product.id LIMIT %(n)s
"""
BECAUSE = f"(SELECT name FROM {PRODUCT} WHERE id = chosen.because)"  # of the product that it is shown for


@dataclass(frozen=True)
class History:
    """Newest first."""

    ratings: tuple[Rated, ...]
    events: tuple[Happened, ...]

    @property
    def bought(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(one.product for one in self.events if one.kind == "purchase"))

    @property
    def size(self) -> int:
        """Products that the customer rated or bought."""
        return len({one.product for one in self.ratings} | set(self.bought))


def history_of(user_id: int) -> History:
    with connection.cursor() as cursor:
        execute(cursor, HISTORY, {"user_id": user_id, "most": MOST_ROWS})
        rows = cursor.fetchall()
    return History(
        tuple(Rated(product, value) for product, kind, value in rows if kind == "rating"),
        tuple(Happened(product, kind) for product, kind, _ in rows if kind != "rating"),
    )


def product_exists(product_id: int) -> bool:
    if product_id > MOST_ID:
        return False
    with connection.cursor() as cursor:
        execute(cursor, f"SELECT FROM {PRODUCT} WHERE id = %(id)s", {"id": product_id})
        return cursor.rowcount == 1


@dataclass(frozen=True)
class Candidates:
    """The products that may be shown: those that match the filters, and that `user_id` has neither rated nor bought."""

    filters: Mapping[str, Any]
    user_id: int | None = None
    but: int | None = None  # the product that the others are compared with

    def ranked(self, ranking: Sequence[Ranked], n: int) -> list[Shown]:
        """The first n of a ranking, as they are now."""
        because = [one.because for one in ranking]
        return self._shown(RANKED, ids=[one.product for one in ranking], because=because, n=n) if ranking else []

    def trending(self, n: int, without: Sequence[int] = ()) -> list[Shown]:
        """The n most wanted of these days (see reviews/trend.py)."""
        return self._shown(TRENDING, ids=list(without), n=n)

    def ids(self) -> tuple[int, ...]:
        """Of all of them, MOST_ALLOWED at most."""
        sql = f"SELECT id FROM {PRODUCT} AS product WHERE {self._where()} ORDER BY id LIMIT {MOST_ALLOWED}"
        return tuple(row[0] for row in self._rows(sql))

    def _where(self) -> str:
        said = [FILTERS[name] for name in self.filters]
        unseen = [UNSEEN] if self.user_id is not None else []
        others = ["product.id <> %(but)s"] if self.but is not None else []
        return " AND ".join([*said, *unseen, *others]) or "true"

    def _shown(self, chosen: str, **values: Any) -> list[Shown]:
        sql = SHOWN.format(chosen=chosen.format(where=self._where()), more=BECAUSE)
        return [Shown(*row) for row in self._rows(sql, **values)]

    def _rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            execute(cursor, sql, {**self.filters, "user_id": self.user_id, "but": self.but, **values})
            return list(cursor.fetchall())


class _Known(NamedTuple):
    at: float
    found: Newcomers


_known = _Known(float("-inf"), Newcomers())


def newcomers() -> Newcomers:
    """What the products that came after the training are like: read once every NEW_FOR_S by a process."""
    global _known
    if time.monotonic() - _known.at > NEW_FOR_S:
        rows = NewProduct.objects.order_by("-product_id").values_list("product_id", "like", "similarity")[:MOST_NEW]
        entries = [
            (product, *pair) for product, like, similarity in rows for pair in zip(like, similarity, strict=True)
        ]
        found = Newcomers(*zip(*entries, strict=True)) if entries else Newcomers()
        _known = _Known(time.monotonic(), _known.found if found == _known.found else found)
    return _known.found


def new_to(known: Sequence[int], version: int) -> list[dict[str, Any]]:
    """The words and looks of the newest products that a version neither learned from nor has described."""
    done = set(NewProduct.objects.filter(version=version).values_list("product_id", flat=True))
    seen = set(chain(known, done))
    newest = [pk for pk in Product.objects.order_by("-id").values_list("id", flat=True) if pk not in seen][:MOST_NEW]
    words = Product.objects.filter(pk__in=newest).order_by("id")
    pictures = looks(newest)
    rows = words.values("name", "category", "description", product=F("id"))
    return [{**row, "looks": pictures.get(row["product"])} for row in rows]
