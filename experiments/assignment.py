"""Who is served which variant of a test, and what a variant changes in the question. Pure.

A hash of the test's salt and the user's id decides, so each process and each day gives the same answer, and tests with
different salts divide the users independently of each other. Only who was served a variant before keeps that one,
whatever the weights say now.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Annotated, Any, Literal, Union

from experiments.errors import Invalid
from experiments.mltask import Bound, Number, Text, from_json, to_json

AUDIENCES = {"everyone": (True, False), "customers": (False,), "staff": (True,)}  # who takes part: is it staff?


@dataclass(frozen=True)
class Person:
    """Who asks, as far as a test wants to know."""

    id: int
    is_staff: bool
    joined: datetime

    @classmethod
    def of(cls, user: Any) -> "Person":
        return cls(user.pk, user.is_staff, user.date_joined)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Whom a test takes, and how it divides them among its variants, which are given by their ids."""

    salt: str
    traffic: float
    audience: str
    signed_up_before: datetime | None
    variants: Sequence[int]
    weights: Sequence[float]

    def variant_of(self, person: Person, met: int | None) -> int | None:
        """The person's variant: the one that they `met` before, else what the hash says. None: they take no part."""
        if person.is_staff not in AUDIENCES[self.audience]:
            return None
        if self.signed_up_before and person.joined >= self.signed_up_before:
            return None
        place = assign(self.salt, person.id, traffic=self.traffic, weights=self.weights)
        return None if place is None else met or self.variants[place]


def assign(salt: str, user_id: int, *, traffic: float, weights: Sequence[float]) -> int | None:
    """The place of the user's variant in `weights` (at least one, all over zero), or None outside of the share
    `traffic` (0 to 1) of the users.

    One half of the digest says whether the user takes part and the other one which variant it is. Halves of a digest
    are as independent as two hashes, so raising the share brings users in and moves nobody from one variant to another.
    """
    digest = blake2b(f"{salt}:{user_id}".encode(), digest_size=16).digest()
    if _share(digest[:8]) >= traffic:
        return None
    left = _share(digest[8:]) * sum(weights)
    for place, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return place
    return len(weights) - 1  # what rounding may leave over


def _share(half: bytes) -> float:
    """A number from 0 to below 1: the 53 bits that a float holds, since more of them could round up to 1."""
    return (int.from_bytes(half) >> 11) / 2**53


def changes_of(kind: type, config: Any) -> dict[str, Any]:
    """The input fields that a variant sets, ready for `dataclasses.replace`. Raises Invalid, which names the field.

    Checked as strictly as a request: a misspelt name would make both variants the same, and nobody would notice.
    """
    _check_fields(kind, config, "config")
    hints = typing.get_type_hints(kind)
    return {name: from_json(hints[name], value) for name, value in config.items()}


def _check_fields(kind: type, value: Any, at: str) -> None:
    if not isinstance(value, Mapping):
        raise Invalid(at, f"{at}: expected an object.")
    hints = typing.get_type_hints(kind, include_extras=True)
    for name, inner in value.items():
        if name not in hints:
            raise Invalid(f"{at}.{name}", f"{at}: there is no {name}. Known are: {', '.join(hints)}.")
        _check(hints[name], inner, f"{at}.{name}")


def _check(kind: Any, value: Any, at: str) -> None:
    """Whether `value`, as JSON has it, is one of `kind`. Raises Invalid with its place `at`."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        _check(arguments[0], value, at)
        for bound in arguments[1:]:
            if isinstance(bound, Bound) and not _within(bound, value):
                raise Invalid(at, f"{at}: expected {bound}.")
    elif origin in (Union, types.UnionType):
        if value is not None or type(None) not in arguments:
            _check(next(one for one in arguments if one is not type(None)), value, at)
    elif origin is tuple and isinstance(value, list):
        for place, inner in enumerate(value):
            _check(arguments[0], inner, f"{at}.{place}")
    elif origin in (dict, Mapping) and isinstance(value, dict):
        for name, inner in value.items():
            _check(arguments[1], inner, f"{at}.{name}")
    elif isinstance(kind, type) and dataclasses.is_dataclass(kind):
        _check_fields(kind, value, at)
        needed = [f.name for f in dataclasses.fields(kind) if f.default is f.default_factory is dataclasses.MISSING]
        if missing := [name for name in needed if name not in value]:
            raise Invalid(at, f"{at}: {', '.join(missing)} is missing.")
    elif not (value in arguments if origin is Literal else _is_scalar(kind, value)):
        raise Invalid(at, f"{at}: {value!r:.100} is no {getattr(kind, '__name__', kind)}.")


def _is_scalar(kind: Any, value: Any) -> bool:
    try:
        to_json(value)
    except (TypeError, ValueError):  # such as NaN, or a text with NUL
        return False
    return type(value) is kind or (kind is float and type(value) is int)


def _within(bound: Bound, value: Any) -> bool:
    """None is in any bound: it is there instead of a value."""
    if isinstance(bound, Number):
        return value is None or bool(bound.ge <= value <= bound.le)
    if isinstance(bound, Text):
        return value is None or bound.min_length <= len(value) <= bound.max_length
    return value is None or len(value) <= bound.max_length
