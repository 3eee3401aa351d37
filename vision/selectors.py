"""Everything that this room reads: which pictures wait for a vector, which products look like one.

A search waits for one query, written by hand. Where no more than FEW products match the filters, all of them are
compared, which is exact. Where more do, the index is asked, which goes on until it has n products that match
or has looked at hnsw.max_scan_tuples; where it has fewer then, all that match are compared, in the same statement.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from django.db import connection

from experiments.models import ModelVersion
from reviews.models import Product
from reviews.selectors import FILTERS, SHOWN, Shown
from vision.models import ImageEmbedding, Searched

SEARCHED = "searched image_embedding"  # the name by which serving keeps the version that is searched
PRODUCT, MADE = Product._meta.db_table, ImageEmbedding._meta.db_table
SETTINGS = """
SET LOCAL hnsw.iterative_scan = strict_order; SET LOCAL hnsw.ef_search = 200; SET LOCAL jit = off;
SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL random_page_cost = 1.1;
"""  # LOCAL: a statement of several is one transaction; pages of the index are in memory as those of the table are
FEW = 10_000  # products that are compared one by one: some 50 ms
NEAR = f"""
SELECT made.product_id AS id, made.vector <=> %(vector)s::halfvec AS distance
FROM {MADE} AS made {{join}}
WHERE made.version = %(version)s AND made.vector IS NOT NULL AND {{where}}
"""
LIKE = f"""
WITH near AS MATERIALIZED (
    {NEAR} AND {{many}} ORDER BY made.vector <=> %(vector)s::halfvec LIMIT %(n)s
), compared AS MATERIALIZED (
    {NEAR} AND (SELECT count(*) FROM near) < %(n)s ORDER BY (made.vector <=> %(vector)s::halfvec) + 0, id LIMIT %(n)s
), found AS (
    SELECT * FROM compared UNION ALL SELECT * FROM near WHERE NOT EXISTS (SELECT FROM compared)
)
SELECT product.*, coalesce(1 - nullif(distance, 'NaN'), 0) AS similarity,
       row_number() OVER (ORDER BY distance, id) AS place
FROM found JOIN {PRODUCT} AS product USING (id)
"""
MANY = f"(SELECT count(*) FROM (SELECT FROM {PRODUCT} AS product WHERE {{matches}} LIMIT {{few}} + 1) AS a) > {{few}}"
SEEN = f"""
SELECT product.name, made.vector
FROM {PRODUCT} AS product LEFT JOIN {MADE} AS made ON made.product_id = product.id AND made.version = %(version)s
WHERE product.id = %(product_id)s
"""
WAITING = f"""
FROM {PRODUCT} AS product
LEFT JOIN {MADE} AS made ON made.product_id = product.id AND made.version = %(version)s
WHERE product.image <> '' AND made.picture IS DISTINCT FROM product.image
"""
TAKE = f"""
WITH waiting AS MATERIALIZED (
    SELECT product.id, product.image {WAITING} AND product.id > %(after)s ORDER BY product.id LIMIT %(limit)s
)
SELECT id, image, pg_try_advisory_xact_lock(hashtextextended('picture ' || %(version)s || ' ' || id, 0))
FROM waiting ORDER BY id
"""
STILL = f"SELECT product.id {WAITING} AND product.id = ANY(%(ids)s::bigint[])"


class Waiting(NamedTuple):
    """A product whose picture has no vector yet. Not `mine`: another worker is at it."""

    product: int
    picture: str
    mine: bool


def searched_version() -> ModelVersion | None:
    """The version with whose vectors pictures are searched; None before the first one was complete."""
    row = Searched.objects.select_related("version").first()
    return row.version if row else None


def pictures_waiting(version: int) -> int:
    """How many pictures have no vector of this version yet."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {WAITING}", {"version": version})
        return int(cursor.fetchone()[0])


def pictures_take(*, version: int, after: int, limit: int) -> list[Waiting]:
    """The next pictures without a vector. Those that are `mine` are nobody else's until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"version": version, "after": after, "limit": limit})
        taken = [Waiting(*row) for row in cursor.fetchall()]
        # Who had them may have got done with them between the look and the lock.
        cursor.execute(STILL, {"version": version, "ids": [one.product for one in taken if one.mine]})
        still = {row[0] for row in cursor.fetchall()}
    return [Waiting(one.product, one.picture, one.product in still) for one in taken]


def looks(products: Sequence[int] | None = None) -> dict[int, Any]:
    """The vectors of the pictures of these products (of all, where none are named), as the searched version sees them:
    arrays of float32.
    """
    version = searched_version()
    if not version:
        return {}
    rows = ImageEmbedding.objects.filter(version=version.version, vector__isnull=False)
    if products is not None:
        rows = rows.filter(product__in=products)
    found = rows.values_list("product_id", "vector").iterator(chunk_size=200)
    return {product: np.array(vector, np.float32) for product, vector in found}


def product_seen(*, product_id: int, version: int) -> tuple[str, str | None] | None:
    """The product's name and how the version sees its picture, if it does; None where there is no such product."""
    with connection.cursor() as cursor:
        cursor.execute(SEEN, {"product_id": product_id, "version": version})
        return cursor.fetchone()


def products_like(
    vector: str, *, version: int, n: int, filters: Mapping[str, Any], but: int | None = None
) -> list[Shown]:
    """The n products whose pictures are most like this vector of the version (see `as_text`), of those that match the
    filters; `more` is the similarity (cosine). Fewer than n only where no more match.
    """
    matches = " AND ".join(FILTERS[name] for name in filters) or "true"
    join = f"JOIN {PRODUCT} AS product ON product.id = made.product_id" if filters else ""
    chosen = LIKE.format(
        join=join, where=f"{matches} AND made.product_id <> %(but)s" if but is not None else matches,
        many=MANY.format(matches=matches, few=FEW) if filters else "true",
    )  # fmt: skip
    values = {**filters, "vector": vector, "version": version, "n": n, "but": but}
    with connection.cursor() as cursor:
        cursor.execute(SETTINGS + SHOWN.format(chosen=chosen, more="chosen.similarity"), values)
        return [Shown(*row) for row in cursor.fetchall()]


def as_text(vector: Sequence[float]) -> str:
    """As pgvector reads it, with all digits that half precision has."""
    return f"[{','.join(f'{one:.5g}' for one in vector)}]"
