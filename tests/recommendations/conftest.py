from collections.abc import Callable
from typing import Any

import pytest
from django.core.management.color import no_style
from django.db import connection
from rest_framework.test import APIClient

from experiments.models import ModelVersion
from recommendations import selectors
from recommendations.ml.recommend import Newcomers
from reviews.models import Product
from tests import shop

KNOWN = 8  # products of the tiny model: who likes even ones likes even ones
ALL = 14


@pytest.fixture(autouse=True)
def _no_newcomers_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process reads them every two seconds; here that is never, unless a test does so itself."""
    monkeypatch.setattr(selectors, "_known", selectors._Known(float("inf"), Newcomers()))


@pytest.fixture
def shelf(db: None) -> dict[int, Product]:
    """Products 0 to 13. The tiny model knows the first eight; of the others the last is the most wanted."""
    made = [
        Product(
            pk=number, name=f"Lamp {number}", category="new" if number >= KNOWN else "known", price=number or None,
            trend=max(number - KNOWN + 1, 0),
        )
        for number in range(ALL)
    ]  # fmt: skip
    saved = {product.pk: product for product in Product.objects.bulk_create(made)}
    with connection.cursor() as cursor:  # the next product gets an id of its own
        for statement in connection.ops.sequence_reset_sql(no_style(), [Product]):
            cursor.execute(statement)
    return saved


@pytest.fixture
def odd(alice: APIClient, shelf: dict[int, Product], live: Callable[..., ModelVersion]) -> APIClient:
    """Alice, who likes odd products and has rated three, before a live model."""
    live("recommend")
    for product, value in ((0, 1.0), (1, 5.0), (3, 4.5)):
        shop.rating(shelf[product], value, by=alice.user)
    return alice


def ids(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [one["id"] for one in answer.json()["recommendations"]]
