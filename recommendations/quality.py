"""What monitoring asks of this room: whether people follow recommendations, and how much of the catalogue they see.

Counted are answers that the versions themselves gave to signed-in customers, the newest MOST at most: nobody else can
say which recommendation led them somewhere.
"""

from typing import Any

from django.db import connection

from experiments.discovery import task_named
from experiments.log_sample import Window
from experiments.models import Outcome, Prediction
from experiments.monitoring.measures import Measure
from experiments.uuid7 import uuid7_floor
from recommendations.ml.metrics import POPULAR
from recommendations.ml.recommend import RECOMMEND
from reviews.models import Product, Rating

MOST = 50_000  # recommendations
FIGURES = {RECOMMEND.name: ("hit_rate", "click_through", "popular_share", "coverage", "rating_of_recommended")}
FOLLOWED = ("click", "cart", "purchase")  # kinds of outcomes that say which prediction led there
PRODUCTS, OUTCOMES = Product._meta.db_table, Outcome._meta.db_table
SQL = f"""
WITH asked AS MATERIALIZED (
    SELECT id, user_id, version, created_at, output -> 'products' AS products FROM {Prediction._meta.db_table}
    WHERE task = %(task)s AND algorithm = ANY(%(algorithms)s) AND status = 'ok' AND user_id IS NOT NULL
      AND version IS NOT NULL AND id >= %(start)s AND id < %(end)s AND output #> '{{products,0}}' IS NOT NULL
    ORDER BY id DESC LIMIT {MOST}
), shown AS MATERIALIZED (
    SELECT asked.id, user_id, version, created_at, (one ->> 'product')::bigint AS product,
           'product:' || (one ->> 'product') AS subject
    FROM asked, jsonb_array_elements(products) AS one
), followed AS MATERIALIZED (
    SELECT DISTINCT prediction_id AS id, subject, kind = 'click' AS clicked FROM {OUTCOMES}
    WHERE prediction_id >= %(start)s AND prediction_id < %(end)s AND kind = ANY(%(kinds)s) AND created_at < %(until)s
), catalogue AS (
    SELECT count(*) AS size FROM {PRODUCTS}
), popular AS MATERIALIZED (
    SELECT product.id FROM {PRODUCTS} AS product LEFT JOIN {Rating._meta.db_table} AS rating
    ON rating.product_id = product.id GROUP BY product.id ORDER BY count(rating.id) DESC, product.id
    LIMIT (SELECT round(%(popular)s * size) FROM catalogue)
), rated AS (
    SELECT DISTINCT ON (version, shown.user_id, product) version, value::float8 AS stars
    FROM shown JOIN {OUTCOMES} AS outcome ON outcome.user_id = shown.user_id AND outcome.subject = shown.subject
    WHERE kind = 'rating' AND outcome.created_at >= shown.created_at AND outcome.created_at < %(until)s
    ORDER BY version, shown.user_id, product, outcome.id DESC
), places AS (
    SELECT version, product, product IN (SELECT id FROM popular) AS popular,
           (id, subject) IN (SELECT id, subject FROM followed WHERE clicked) AS clicked
    FROM shown
)
SELECT version, 'hit_rate', avg((id IN (SELECT id FROM followed))::int), count(*) FROM asked GROUP BY version
UNION ALL
SELECT version, 'click_through', avg(clicked::int), count(*) FROM places GROUP BY version
UNION ALL
SELECT version, 'popular_share', avg(popular::int), count(*) FROM places GROUP BY version
UNION ALL
SELECT version, 'coverage', count(DISTINCT product) FILTER (WHERE product IN (SELECT id FROM {PRODUCTS}))
                            / greatest((SELECT size FROM catalogue), 1)::numeric, count(*)
FROM places GROUP BY version
UNION ALL
SELECT version, 'rating_of_recommended', avg(stars), count(*) FROM rated GROUP BY version
"""


def measures(window: Window) -> list[Measure]:
    """Of each version that recommended anything in the window, by what came of it until the window's end.

    `hit_rate` is the share of its answers that led to a click, a cart or a purchase; `click_through` that of the
    products shown that were clicked; `rating_of_recommended` the mean stars that people gave products after these had
    been recommended to them; `coverage` the share of the catalogue that was shown to anybody (Ge et al., 2010), and
    `popular_share` that of the products shown which are of the most rated fifth (Abdollahpouri et al., 2019). What `n`
    counts are answers, products shown, or products rated.
    """
    values: dict[str, Any] = {
        "task": RECOMMEND.name, "algorithms": list(task_named(RECOMMEND.name).algorithms), "kinds": list(FOLLOWED),
        "start": str(uuid7_floor(window.start)), "end": str(uuid7_floor(window.end)), "until": window.end,
        "popular": POPULAR,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(SQL, values)
        rows = cursor.fetchall()
    return [Measure(RECOMMEND.name, version, name, float(value), n) for version, name, value, n in rows]
