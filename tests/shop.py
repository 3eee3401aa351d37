"""Rows of the shop in one line each, and what several tests ask of them."""

import itertools
from typing import Any

from django.contrib.auth import get_user_model

from reviews.models import Event, Product, Rating, Review

API = "/api/v1"
GOOD = "I love it, lovely soft fabric and a great fit"
BAD = "I hate it, terrible fabric and a poor fit"
_numbers = itertools.count(1)


def product(name: str = "", **facts: Any) -> Product:
    return Product.objects.create(name=name or f"Lamp {next(_numbers)}", **facts)


def products(count: int, **facts: Any) -> list[Product]:
    return Product.objects.bulk_create(Product(name=f"Lamp {next(_numbers)}", **facts) for _ in range(count))


def user(name: str = "") -> Any:
    """Somebody who cannot log in."""
    return get_user_model().objects.create(username=name or f"user{next(_numbers)}")


def rating(product: Product, value: float = 4.0, by: Any = None, **facts: Any) -> Rating:
    return Rating.objects.create(user=by or user(), product=product, value=value, **facts)


def review(product: Product, text: str = GOOD, by: Any = None, **facts: Any) -> Review:
    """Without an author it is as if imported."""
    return Review.objects.create(author=by, product=product, text=text, **facts)


def event(product: Product, kind: str = "view", by: Any = None, **facts: Any) -> Event:
    return Event.objects.create(user=by or user(), product=product, kind=kind, **facts)


def names(answer: Any) -> list[str]:
    """The names in a page of products, in order."""
    assert answer.status_code == 200, answer.content
    return [one["name"] for one in answer.json()["results"]]
