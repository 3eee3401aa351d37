"""Exactly n while n match, from an index of some size: by the index, and by comparing all where that is cheaper."""

from collections.abc import Iterator

import numpy as np
import pytest
from django.db import connection

from reviews.models import Product
from vision import selectors
from vision.ml.embedding import DIMENSIONS
from vision.models import ImageEmbedding
from vision.selectors import LIKE, MADE, PRODUCT, SETTINGS, as_text, products_like

COUNT = 3_000
RARE = 30  # products of the rare category: 1 %


@pytest.fixture(scope="module")
def shelf(django_db_setup: None, django_db_blocker: object) -> Iterator[np.ndarray]:
    """COUNT vectors of version 1 in clumps; every hundredth product is rare. Version 2 has one."""
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(50, DIMENSIONS)).repeat(COUNT // 50, 0) + draw.normal(size=(COUNT, DIMENSIONS))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with django_db_blocker.unblock():
        made = Product.objects.bulk_create(
            Product(name=f"{number}", category="rare" if number % 100 == 0 else "common", price=number)
            for number in range(COUNT)
        )
        ImageEmbedding.objects.bulk_create(
            ImageEmbedding(product=one, version=1, picture="x", digest="x", vector=vector)
            for one, vector in zip(made, vectors, strict=True)
        )
        ImageEmbedding.objects.create(product=made[7], version=2, picture="x", digest="x", vector=vectors[7])
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {MADE}; ANALYZE {PRODUCT}")
        yield vectors
        Product.objects.all().delete()


def found(vector: np.ndarray, n: int = 10, version: int = 1, **filters: object) -> list[int]:
    return [int(one.name) for one in products_like(as_text(vector), version=version, n=n, filters=filters)]


def nearest(vectors: np.ndarray, to: np.ndarray, n: int, rare: bool = False) -> list[int]:
    order = np.argsort(-(vectors @ to), kind="stable")
    return [int(one) for one in order if not rare or one % 100 == 0][:n]


def plan(where: str, n: int, vector: np.ndarray) -> str:
    join = f"JOIN {PRODUCT} AS product ON product.id = made.product_id"
    values = {"vector": as_text(vector), "version": 1, "n": n}
    with connection.cursor() as cursor:
        cursor.execute(SETTINGS + "EXPLAIN " + LIKE.format(join=join, where=where, many="true"), values)
        rows = [row[0] for row in cursor.fetchall()]
    return "\n".join(rows)


@pytest.mark.django_db
@pytest.mark.parametrize("n", [1, 10, 100])
def test_n_are_found_and_nearly_all_of_them_are_the_nearest(shelf: np.ndarray, n: int) -> None:
    right = [len(set(found(one, n)) & set(nearest(shelf, one, n))) / n for one in shelf[::300]]
    assert all(len(found(one, n)) == n for one in shelf[::300])
    assert np.mean(right) >= 0.95


@pytest.mark.django_db
@pytest.mark.parametrize("n", [1, 10, 30])
def test_with_a_filter_that_few_match_n_are_found_exactly(shelf: np.ndarray, n: int) -> None:
    for one in shelf[::300]:
        assert found(one, n, category="rare") == nearest(shelf, one, n, rare=True)


@pytest.mark.django_db
def test_where_fewer_match_all_of_them_are_found(shelf: np.ndarray) -> None:
    assert len(found(shelf[5], 100, category="rare")) == RARE
    assert found(shelf[5], 10, category="none") == []
    assert found(shelf[5], 10, version=2) == [7]
    assert found(shelf[5], 10, version=3) == []


@pytest.mark.django_db
@pytest.mark.parametrize("n", [10, 100])
def test_where_the_index_gives_up_early_all_that_match_are_compared(
    shelf: np.ndarray, n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "FEW", 0)
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL hnsw.max_scan_tuples = 1; SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off"
        )
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    assert len(found(shelf[5], min(n, RARE), category="rare")) == min(n, RARE)
    assert len(found(shelf[5], n, price_min=COUNT - 200)) == n


@pytest.mark.django_db
def test_the_index_is_asked_where_more_match_than_are_compared_one_by_one(
    shelf: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = shelf[300]
    exact = [int(name) for name in nearest(shelf, one, COUNT) if name >= COUNT - 200][:10]
    assert found(one, price_min=COUNT - 200) == exact
    monkeypatch.setattr(selectors, "FEW", 199)
    assert len(set(found(one, price_min=COUNT - 200)) & set(exact)) >= 9


@pytest.mark.django_db
def test_the_planner_takes_the_index_where_many_match_and_the_filter_where_few_do(shelf: np.ndarray) -> None:
    many = plan("product.category = 'common'", 10, shelf[0])
    assert "looks_like" in many, many
    few = plan("product.category = 'rare'", 10, shelf[0])
    assert "looks_like" not in few, few
