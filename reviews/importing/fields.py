"""What can be imported: the fields of products, reviews and ratings, each with its type in Postgres and its check.

A check turns the text of a file into a value or raises ValueError with the reason, worded to follow the field's name.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast

from django.db.models import CharField, DecimalField, Model

from reviews.models import Product, Review, Seller

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
INT32 = 2**31 - 1
STARS = {Decimal(halves) / 2 for halves in range(1, 11)}
DAY = 86_400  # seconds: how far a clock elsewhere may be ahead
NO_TIME = "is no time: {!r} (seconds since 1970, or ISO 8601)"

Check = Callable[[str], object]


@dataclass(frozen=True)
class Field:
    type: str
    check: Check
    required: bool = False  # the map must name it


def _length(model: type[Model], field: str) -> int:
    return int(cast("CharField[str, str]", model._meta.get_field(field)).max_length or 0)


def _bounded(text: str, bound: int) -> str:
    if len(text) > bound:
        raise ValueError(f"has {len(text)} characters, the most is {bound}")
    return text


def _filled(check: Check) -> Check:
    def filled(text: str) -> object:
        if not text.strip():
            raise ValueError("is blank")
        return check(text)

    return filled


def _or_none(check: Check) -> Check:
    return lambda text: check(text) if text.strip() else None


def _word(bound: int) -> Check:
    """A name or an id: without the spaces around it."""
    return lambda text: _bounded(text.strip(), bound)


def _prose(bound: int) -> Check:
    """Kept as it is in the file."""
    return lambda text: _bounded(text, bound) if text.strip() else ""


def _number(text: str) -> Decimal:
    text = text.strip()
    if len(text) > 40 or not NUMBER.fullmatch(text):
        raise ValueError(f"is no number: {text[:40]!r}")
    return Decimal(text)


PRICE = cast("DecimalField[str, Decimal]", Product._meta.get_field("price"))
CENT = Decimal(10) ** -PRICE.decimal_places
MOST = Decimal(10) ** (PRICE.max_digits - PRICE.decimal_places) - CENT


def price(text: str) -> Decimal:
    value = _number(text)
    if value < 0:
        raise ValueError(f"is negative: {text.strip()}")
    if value > MOST:
        raise ValueError(f"is {text.strip()}, the most is {MOST}")
    if value != value.quantize(CENT):
        raise ValueError(f"has more than {PRICE.decimal_places} decimals: {text.strip()}")
    return value.quantize(CENT)


def count(text: str) -> int:
    value = _number(text) if text.strip() else Decimal(0)
    if not 0 <= value <= INT32 or value != int(value):
        raise ValueError(f"is {text.strip()}, not a whole number from 0 to {INT32}")
    return int(value)


def stars(text: str) -> float:
    value = _number(text)
    if value not in STARS:
        raise ValueError(f"is {text.strip()}, stars are 0.5 to 5 in halves")
    return float(value)


def moment(text: str) -> datetime:
    """Seconds since 1970 or ISO 8601, in UTC where no offset is given. Times ahead would spoil every split by time."""
    text = text.strip()
    now = time.time()
    if NUMBER.fullmatch(text):
        seconds = float(_number(text))
        return datetime.fromtimestamp(_past(seconds, now, text), UTC)
    try:
        value = datetime.fromisoformat(text)
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(NO_TIME.format(text[:40])) from None
    _past(value.timestamp(), now, text)
    return value


def _past(seconds: float, now: float, text: str) -> float:
    if seconds < 0:
        raise ValueError(f"lies before 1970: {text}")
    if seconds > now + DAY:
        raise ValueError(f"lies in the future: {text} (a number is taken as seconds since 1970)")
    return seconds


def _id(bound: int) -> Check:
    return _filled(_word(bound))


NAMED = _id(_length(Product, "external_id"))
USER = 85  # characters: with its source before it, it is a username of 150
TIME = Field("timestamptz", _filled(moment))

PRODUCT = {
    "external_id": Field("text", NAMED),
    "name": Field("text", _filled(_word(_length(Product, "name"))), required=True),
    "description": Field("text", _prose(_length(Product, "description"))),
    "category": Field("text", _word(_length(Product, "category"))),
    "price": Field("numeric", _or_none(price)),
    "seller": Field("text", _or_none(_word(_length(Seller, "name")))),
    "view_count": Field("integer", count),
    "created_at": TIME,
}
# A review or a rating can carry its product's fields; then a product that is not there is made.
OF_PRODUCT = {
    f"product.{name}": Field(field.type, field.check) for name, field in PRODUCT.items() if name != "external_id"
}
REVIEW = {
    "external_id": Field("text", _id(120)),  # its rating's id is this one with a prefix
    "product": Field("text", NAMED, required=True),
    "author": Field("text", _or_none(_word(USER))),
    "title": Field("text", _prose(_length(Review, "title"))),
    "text": Field("text", _filled(_prose(_length(Review, "text"))), required=True),
    "rating": Field("float8", _or_none(stars)),
    "created_at": TIME,
    **OF_PRODUCT,
}
RATING = {
    "external_id": Field("text", NAMED),
    "user": Field("text", _id(USER), required=True),
    "product": Field("text", NAMED, required=True),
    "value": Field("float8", _filled(stars), required=True),
    "rated_at": TIME,
    **OF_PRODUCT,
}
Fields = Mapping[str, Field]
