"""The ten categories as their word files describe them: kinds, facts, and the aspects that reviews speak of.

A category is one file under `words/` and one drawing a kind in `pictures.py`; shared.toml holds the aspects that every
category has."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CATEGORIES = (
    "dresses",
    "knitwear",
    "shoes",
    "bags",
    "backpacks",
    "headphones",
    "kettles",
    "lamps",
    "toys",
    "books",
)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of product, say an ankle boot. A kind's own leads, specs and title go before its category's."""

    name: str
    item: str  # what reviews call it: "boots"
    materials: tuple[str, ...]
    price: tuple[int, int]
    features: tuple[str, ...]
    facts: Mapping[str, tuple[str, ...]]  # each product gets one value of each
    title: str
    leads: tuple[str, ...]
    details: tuple[str, ...]
    specs: tuple[str, ...]
    contexts: tuple[str, ...]  # sentences in which reviewers introduce themselves
    plural: bool


@dataclass(frozen=True, kw_only=True)
class Aspect:
    """A side of a product that people judge. `good` and `bad` are adjectives that stand after "is" and after "very";
    `praise` and `blame` are whole clauses. A noun with a star is plural."""

    name: str
    nouns: tuple[str, ...]
    good: tuple[str, ...]
    bad: tuple[str, ...]
    praise: tuple[str, ...]
    blame: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Category:
    name: str
    names: str  # which model names fit: soft or tech (books have titles of their own)
    patterns: tuple[str, ...]
    kinds: tuple[Kind, ...]
    aspects: Mapping[str, tuple[Aspect, ...]]  # by kind
    slots: Mapping[str, tuple[str, ...]]  # in place of the grammar's
    works: tuple[Mapping[str, str], ...]  # books only: title, author, kind, look, text


@cache
def words(name: str) -> dict[str, Any]:
    """The parsed file words/<name>.toml."""
    return tomllib.loads((Path(__file__).parent / "words" / f"{name}.toml").read_text(encoding="utf-8"))


def _kind(data: dict[str, Any], category: dict[str, Any]) -> Kind:
    def either(key: str) -> tuple[str, ...]:
        return tuple(data.get(key) or category.get(key) or ())

    return Kind(
        name=data["name"],
        item=data["item"],
        materials=tuple(data["materials"]),
        price=(data["price"][0], data["price"][1]),
        features=tuple(data["features"]),
        facts={key: tuple(values) for key, values in {**category["facts"], **data.get("facts", {})}.items()},
        title=data.get("title") or category["title"],
        leads=either("leads"),
        details=either("details"),
        specs=either("specs"),
        contexts=(*data.get("contexts", ()), *category["contexts"]),
        plural=data.get("plural", False),
    )


def _aspects(data: dict[str, Any], kind: str) -> tuple[Aspect, ...]:
    fields = ("nouns", "good", "bad", "praise", "blame")
    return tuple(
        Aspect(name=name, **{field: tuple(aspect[field]) for field in fields})
        for name, aspect in {**data["aspects"], **words("shared")["aspects"]}.items()
        if kind in aspect.get("kinds", [kind])
    )


@cache
def category(name: str) -> Category:
    """The category of words/<name>.toml."""
    data = words(name)
    return Category(
        name=data["name"],
        names=data.get("names", "soft"),
        patterns=tuple(data["patterns"]),
        kinds=tuple(_kind(kind, data) for kind in data["kinds"]),
        aspects={kind["name"]: _aspects(data, kind["name"]) for kind in data["kinds"]},
        slots={key: tuple(values) for key, values in data.get("slots", {}).items()},
        works=tuple(data.get("works", ())),
    )


@cache
def categories() -> tuple[Category, ...]:
    """All ten, in a fixed order."""
    return tuple(category(name) for name in CATEGORIES)
