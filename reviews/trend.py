"""Time-decayed interest in a product, kept in one column that never needs a refresh.

A product's trend is the sum of what its ratings and events weigh, each worth half as much after every HALF_LIFE.
Counted back from now, all these weights shrink all the time; counted forward from a fixed day they only grow, and the
order of the products is the same (forward decay: Cormode, Shkapenyuk, Srivastava and Xu, 2009). `Product.trend` is the
base-2 logarithm of that forward sum, in half-lives since 1970, so a new event is one small update, and the trending
products are the top of an index. Every sum starts with 1, a single view in 1970, so that a product without any has 0.
"""

import math
from datetime import datetime

from django.db import connection, transaction

from reviews.models import Event, Product, Rating

HALF_LIFE = 7 * 86_400  # seconds
EVENT_WEIGHTS = {"view": 1.0, "click": 2.0, "cart": 4.0, "purchase": 8.0}
BATCH = 5_000  # products
LIKED_ABOVE = 2.0  # a rating weighs the stars it has over this; one below is no sign of interest

# log2(2^a + 2^b) without overflow; exp() of less than -500 would be an underflow error in Postgres
ADD = "greatest({a}, {b}) + ln(1 + exp(-least(abs({a} - {b}), 500) * ln(2::float8))) / ln(2::float8)"

LOCK = f"SELECT id FROM {Product._meta.db_table} WHERE id > %s ORDER BY id LIMIT %s FOR NO KEY UPDATE"
REBUILD = f"""
WITH logs AS (
    SELECT id AS product_id, 0::float8 AS log FROM {Product._meta.db_table} WHERE id = ANY(%(ids)s)
    UNION ALL
    SELECT product_id, extract(epoch FROM rated_at)::float8 / {HALF_LIFE} + ln(value - {LIKED_ABOVE}) / ln(2::float8)
    FROM {Rating._meta.db_table} WHERE product_id = ANY(%(ids)s) AND value > {LIKED_ABOVE}
    UNION ALL
    SELECT product_id, extract(epoch FROM created_at)::float8 / {HALF_LIFE} + ln(weight) / ln(2::float8)
    FROM {Event._meta.db_table}
    JOIN unnest(%(kinds)s::text[], %(weights)s::float8[]) AS weights (name, weight) ON name = kind
    WHERE product_id = ANY(%(ids)s)
), tops AS (
    SELECT product_id, log, max(log) OVER (PARTITION BY product_id) AS top FROM logs
), sums AS (
    SELECT product_id, max(top) + ln(sum(exp(-least(top - log, 500) * ln(2::float8)))) / ln(2::float8) AS trend
    FROM tops GROUP BY product_id
)
UPDATE {Product._meta.db_table} AS product SET trend = sums.trend FROM sums
WHERE product.id = sums.product_id AND product.trend IS DISTINCT FROM sums.trend
"""


def trend_add(*, product_id: int, weight: float, at: datetime, views: int = 0) -> None:
    """Count one rating or event into its product's trend, and a view into its view count."""
    if weight <= 0:
        return
    log = at.timestamp() / HALF_LIFE + math.log2(weight)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Product._meta.db_table} SET trend = {ADD.format(a='trend', b='%(log)s::float8')},"
            " view_count = view_count + %(views)s WHERE id = %(id)s",
            {"log": log, "views": views, "id": product_id},
        )


def trends_rebuild() -> int:
    """Compute every product's trend from its rows again, as after an import; gives how many changed.

    BATCH products at a time are locked before their rows are read: what is being counted meanwhile is either read here
    or added after, and waits no longer than a batch takes.
    """
    changed, last = 0, -1
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(LOCK, [last, BATCH])
            ids = [row[0] for row in cursor.fetchall()]
            if not ids:
                return changed
            kinds, weights = list(EVENT_WEIGHTS), list(EVENT_WEIGHTS.values())
            cursor.execute(REBUILD, {"ids": ids, "kinds": kinds, "weights": weights})
            changed += cursor.rowcount
            last = ids[-1]
