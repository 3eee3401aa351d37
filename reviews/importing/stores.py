"""How a chunk in `incoming` becomes products, reviews and ratings. Rows that are in already stay as they are.

Each store inserts what is new, then rejects what clashes with a row that is not its own: so it does not matter whether
the other row came in this chunk, in an earlier one or in another file.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, make_password
from django.db import connection, transaction
from django.db.models import Model

from reviews.importing.fields import PRODUCT, RATING, REVIEW, Fields
from reviews.importing.staging import Staging, import_lock
from reviews.models import Product, Rating, Review, Seller
from reviews.trend import trends_rebuild

# In these, `i` is the incoming row and `r` one that is in.
SAME_ID = "r.source = %(source)s AND r.external_id = i.external_id"
ID_TAKEN = "%(ids)s || ' ' || i.external_id || ' of ' || %(source)s || ' is in already, with other content'"
ORIGIN = (
    "CASE r.source WHEN %(source)s THEN %(ids)s || ' ' || r.external_id ELSE r.external_id || ' of ' || r.source END"
)


def products_store(staging: Staging) -> int:
    new = _products_make(staging, "external_id")
    table = Product._meta.db_table
    staging.reject("external_id", ID_TAKEN, f"USING {table} r WHERE {SAME_ID} AND r.name <> i.name")
    return new


def reviews_store(staging: Staging) -> int:
    """Store reviews. The stars of one that has an author are that user's rating too, unless there is one already."""
    _products_find(staging)
    columns = {"product_id": "i.product_id", "text": "i.text"} | _mapped(staging, ["title", "rating", "created_at"])
    if "author" not in staging.fields:
        return _opinions_store(staging, Review, columns, distinct=["product_id", "text"])
    _users_find(staging, "author")
    columns["author_id"] = "i.user_id"
    new = _opinions_store(staging, Review, columns, distinct=["product_id", "text", "author_id"])
    _reject_second(staging, Review, "author", "reviewed")
    if "rating" in staging.fields:
        _ratings_of_reviews(staging)
    return new


def ratings_store(staging: Staging) -> int:
    _products_find(staging)
    _users_find(staging, "user")
    columns = {"product_id": "i.product_id", "user_id": "i.user_id"} | _mapped(staging, ["value", "rated_at"])
    new = _opinions_store(staging, Rating, columns, distinct=["product_id", "user_id"])
    _reject_second(staging, Rating, "user", "rated")
    return new


def _mapped(staging: Staging, names: Iterable[str], prefix: str = "") -> dict[str, str]:
    return {name: f'i."{prefix}{name}"' for name in names if f"{prefix}{name}" in staging.fields}


def _products_make(staging: Staging, key: str, prefix: str = "") -> int:
    """Insert products that are not there yet. `key` is the column of their ids, `prefix` stands before their fields."""
    table, sellers = Product._meta.db_table, Seller._meta.db_table
    columns = _mapped(staging, [name for name in PRODUCT if name != "external_id"], prefix)
    if seller := columns.pop("seller", ""):
        named = f"FROM (SELECT DISTINCT {seller} AS name FROM incoming i WHERE {seller} IS NOT NULL) named"
        new = f"WHERE NOT EXISTS (SELECT FROM {sellers} s WHERE s.name = named.name) ORDER BY named.name"
        staging.insert(Seller, {"name": "named.name"}, f"{named} {new}")
        columns["seller_id"] = f"(SELECT s.id FROM {sellers} s WHERE s.name = {seller})"
    return staging.insert(
        Product,
        {"source": "%(catalogue)s", "external_id": f"i.{key}", **columns},
        f"FROM (SELECT DISTINCT ON ({key}) * FROM incoming ORDER BY {key}, line) i WHERE NOT EXISTS"
        f" (SELECT FROM {table} p WHERE p.source = %(catalogue)s AND p.external_id = i.{key}) ORDER BY i.line",
    )


def _products_find(staging: Staging) -> None:
    if "product.name" in staging.fields:
        _products_make(staging, "product", "product.")
    staging.run(
        f"UPDATE incoming i SET product_id = p.id FROM {Product._meta.db_table} p"
        " WHERE p.source = %(catalogue)s AND p.external_id = i.product"
    )
    unknown = "'there is no product ' || i.product || ' of ' || %(catalogue)s"
    staging.reject("product", unknown, "WHERE i.product_id IS NULL")


def _users_find(staging: Staging, field: str) -> None:
    """Find the users `<catalogue>-<id>`, making those that are not there; they cannot log in."""
    model = get_user_model()
    table, username = model._meta.db_table, f"""%(catalogue)s || '-' || i."{field}\""""
    names = staging.fetch(
        f"""SELECT DISTINCT {username} FROM incoming i WHERE i."{field}" IS NOT NULL"""
        f" AND NOT EXISTS (SELECT FROM {table} u WHERE u.username = {username})"
    )
    users = [model(username=name, password=make_password(None)) for name in sorted(names)]
    model.objects.bulk_create(users, batch_size=1_000, ignore_conflicts=True)
    # An account that somebody opened under such a name is not given a stranger's opinions.
    staging.run(
        f"UPDATE incoming i SET user_id = u.id FROM {table} u"
        f" WHERE u.username = {username} AND starts_with(u.password, '{UNUSABLE_PASSWORD_PREFIX}')"
    )
    taken = f"'the username ' || {username} || ' belongs to an account that can log in'"
    staging.reject(field, taken, f"""WHERE i."{field}" IS NOT NULL AND i.user_id IS NULL""")


def _opinions_store(staging: Staging, model: type[Model], columns: dict[str, str], *, distinct: list[str]) -> int:
    """Insert reviews or ratings. A row whose id is in is the same one if it agrees in the columns `distinct`."""
    table = model._meta.db_table
    rows = f"FROM incoming i WHERE NOT EXISTS (SELECT FROM {table} r WHERE {SAME_ID}) ORDER BY i.line"
    new = staging.insert(model, {"source": "%(source)s", "external_id": "i.external_id", **columns}, rows)
    differs = " OR ".join(f"r.{column} IS DISTINCT FROM {columns[column]}" for column in distinct)
    staging.reject("external_id", ID_TAKEN, f"USING {table} r WHERE {SAME_ID} AND ({differs})")
    return new


def _reject_second(staging: Staging, model: type[Model], field: str, done: str) -> None:
    """Reject what is not in because the same user has a row about the same product."""
    first = f"USING {model._meta.db_table} r WHERE r.{field}_id = i.user_id AND r.product_id = i.product_id"
    reason = f"""'user ' || i."{field}" || ' has {done} product ' || i.product || ' already: ' || {ORIGIN}"""
    staging.reject(field, reason, f"{first} AND NOT ({SAME_ID})")


def _ratings_of_reviews(staging: Staging) -> None:
    columns = {"product_id": "i.product_id", "user_id": "i.user_id", "value": "i.rating"}
    if "created_at" in staging.fields:
        columns["rated_at"] = "i.created_at"
    staging.insert(
        Rating,
        {"source": "%(source)s", "external_id": "'review ' || i.external_id", **columns},
        "FROM incoming i WHERE i.user_id IS NOT NULL AND i.rating IS NOT NULL AND NOT EXISTS"
        f" (SELECT FROM {Rating._meta.db_table} r WHERE r.user_id = i.user_id AND r.product_id = i.product_id)"
        " ORDER BY i.line",
    )


def _trends() -> None:
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        import_lock(cursor)
        trends_rebuild()


@dataclass(frozen=True)
class Kind:
    """What a command imports. `store` returns how many rows are new; `finish` comes after the last chunk."""

    name: str
    fields: Fields
    store: Callable[[Staging], int]
    needs_products: bool = True
    finish: Callable[[], None] = lambda: None


PRODUCTS = Kind("products", PRODUCT, products_store, needs_products=False)
REVIEWS = Kind("reviews", REVIEW, reviews_store, finish=_trends)
RATINGS = Kind("ratings", RATING, ratings_store, finish=_trends)
