from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from experiments.models import ModelVersion
from reviews.models import Product
from tests import shop

KNOWN = 8  # products of the tiny model: who likes even ones likes even ones
ALL = 14


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
    return {product.pk: product for product in Product.objects.bulk_create(made)}


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
