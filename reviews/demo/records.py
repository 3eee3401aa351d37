"""What the demo shop is made of: plain frozen records, tied together by external ids and usernames, so that whoever
saves them needs no order but sellers, products, customers, then the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class Seller:
    name: str
    rating: Decimal  # 1 to 5


@dataclass(frozen=True, kw_only=True)
class Product:
    """`facts` are true things that descriptions, reviews and pictures may use (material, colour, litres ...).
    `quality` is hidden from the shop: what owners find, aspect by aspect, about -2 (weak) to 2 (excellent).
    `style` is hidden too: how much of each look, then price level and liveliness (`palette.LOOKS` and two more)."""

    external_id: str
    name: str
    description: str
    category: str
    price: Decimal
    seller: str
    facts: Mapping[str, str]
    plural: bool
    quality: Mapping[str, float]
    style: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Customer:
    """`taste` answers a product's `style`; `likes` is the interest in each category, in the catalogue's order;
    `bias` in stars (harsh below 0); `voice` is how a customer writes: plain, chatty, terse or sloppy."""

    username: str
    email: str
    first_name: str
    last_name: str
    joined: datetime
    taste: tuple[float, ...]
    likes: tuple[float, ...]
    bias: float
    voice: str


@dataclass(frozen=True, kw_only=True)
class Rating:
    customer: str  # username
    product: str  # external id
    value: float  # 0.5 to 5 in halves
    created: datetime


@dataclass(frozen=True, kw_only=True)
class Review:
    customer: str
    product: str
    title: str
    text: str
    rating: int  # 1 to 5: the customer's rating of the product, rounded half up
    created: datetime


@dataclass(frozen=True, kw_only=True)
class Event:
    customer: str
    product: str
    kind: str  # view, click, cart or purchase
    created: datetime


@dataclass(frozen=True, kw_only=True)
class Shop:
    sellers: tuple[Seller, ...]
    products: tuple[Product, ...]
    customers: tuple[Customer, ...]
    ratings: tuple[Rating, ...]  # by time
    reviews: tuple[Review, ...]  # by time
    events: tuple[Event, ...]  # by time
