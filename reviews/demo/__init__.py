"""The demo shop: products, pictures, customers, ratings, reviews and events, invented by the project and the same for
the same seed and day. Pure: nothing here knows a database; `manage.py demo` saves what `make_shop` returns."""

from .pictures import draw
from .shop import make_shop

__all__ = ["draw", "make_shop"]
