"""300 products, 30 in each of ten categories, and the twenty sellers they come from.

Each category is spread evenly over the six looks and over its kinds, so that looks run across categories: that is what
a recommender can learn from ratings and, as the descriptions speak of look, colour and material, from texts as well."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from random import Random

from .palette import LOOKS, Look
from .prose import capitalised, fill, title_case
from .records import Product, Seller
from .wares import Category, Kind, categories, words

PER_CATEGORY = 30

SELLERS = tuple(
    Seller(name=name, rating=Decimal(rating))
    for name, rating in (
        ("Nordlys & Co", "4.8"),
        ("Halden Studio", "4.6"),
        ("Marigold Vintage", "4.4"),
        ("Casa Ombra", "4.7"),
        ("Kite & Anchor", "4.1"),
        ("Metro Supply", "3.6"),
        ("Blackbird Goods", "4.3"),
        ("Fellfoot Outfitters", "4.9"),
        ("Ridgeway Store", "4.2"),
        ("Petal & Plume", "4.5"),
        ("Old Mill Trading", "3.9"),
        ("Lumen House", "4.0"),
        ("Tidewater Market", "3.4"),
        ("Juniper Lane", "4.6"),
        ("Bright Corner", "3.7"),
        ("Paper Boat Books", "4.8"),
        ("Little Larch", "4.7"),
        ("Quickstep Direct", "3.2"),
        ("Harbour Kitchen", "4.4"),
        ("Sonder Audio", "3.8"),
    )
)

_SOLD_BY = {  # places in SELLERS
    "Dresses": (0, 1, 2, 3, 9, 13, 17),
    "Knitwear": (0, 1, 9, 10, 13),
    "Shoes": (4, 5, 7, 12, 17),
    "Bags": (3, 4, 6, 12, 13),
    "Backpacks": (5, 6, 7, 8, 12),
    "Headphones": (5, 14, 17, 19),
    "Kettles": (10, 11, 14, 18),
    "Lamps": (0, 3, 11, 14),
    "Toys": (2, 14, 16),
    "Books": (10, 13, 15),
}


_PATTERNED = {
    "plain": ("", "in plain {colour}"),
    "stripes": ("striped", "with {colour} and {colour2} stripes"),
    "checks": ("checked", "in a {colour} and {colour2} check"),
    "dots": ("dotted", "with {colour2} dots on {colour}"),
    "floral": ("floral", "with a floral print in {colour2} on {colour}"),
    "block": ("colour-block", "in {colour} with blocks of {colour2}"),
    "fairisle": ("fair isle", "with a {colour2} fair isle band on {colour}"),
}


def _facts(kind: Kind, look: Look, patterns: tuple[str, ...], rng: Random) -> dict[str, str]:
    """What is true of one product and may be said of it."""
    colour = rng.choice(look.colours)
    fitting = [pattern for pattern in look.patterns if pattern in patterns] or ["plain"]
    return {
        "kind": kind.name,
        "item": kind.item,
        "look": look.name,
        "colour": colour,
        "colour2": rng.choice([accent for accent in look.accents if accent != colour]),
        "pattern": rng.choices(fitting, (5, 3, 2)[: len(fitting)])[0],
        "material": rng.choice(kind.materials),
    } | {name: rng.choice(choices) for name, choices in kind.facts.items()}


def _price(kind: Kind, rng: Random) -> Decimal:
    low, high = kind.price
    whole = int(low + (high - low) * rng.betavariate(1.6, 2.4))
    return Decimal(whole) + rng.choice((Decimal("-0.10"), Decimal("-0.05"), Decimal("0.00"), Decimal("0.50")))


def _description(kind: Kind, look: Look, facts: dict[str, str], text: str, rng: Random) -> str:
    """Two to four sentences; `text` replaces the made ones where a product (a book) has its own."""
    feature, feature2 = rng.sample(kind.features, 2) if kind.features else ("", "")
    values = facts | {"pattern": _PATTERNED[facts["pattern"]][1], "feature": feature, "feature2": feature2}
    made = [text] if text else [rng.choice(kind.leads), rng.choice(kind.details), rng.choice(look.lines)]
    patterns = [*made, rng.choice(kind.specs)]
    return " ".join(capitalised(fill(pattern, values, plural=kind.plural)) for pattern in patterns)


def _quality(category: Category, kind: Kind, seller: Seller, rng: Random) -> dict[str, float]:
    """What owners find, aspect by aspect: around the product's own level, with some sore and some shining points. How
    the parcel comes and who answers is up to the seller."""
    level = rng.gauss(0.2, 0.5)
    quality = {}
    for aspect in category.aspects[kind.name]:
        value = rng.gauss(level, 0.6) + rng.choices((0.0, -1.7, 1.4), (74, 14, 12))[0]
        if aspect.name in ("delivery", "service"):
            value = (float(seller.rating) - 4.0) * 2
        quality[aspect.name] = round(value, 3)
    return quality


def _style(look: Look, kind: Kind, price: Decimal, facts: dict[str, str], rng: Random) -> tuple[float, ...]:
    low, high = kind.price
    level = 2 * (float(price) - low) / (high - low) - 1
    lively = 1.0 if facts["pattern"] != "plain" else -1.0
    values = [float(one is look) + rng.gauss(0, 0.12) for one in LOOKS]
    return tuple(round(value, 3) for value in (*values, level, lively))


def _product(category: Category, kind: Kind, look: Look, model: str, work: Mapping[str, str], rng: Random) -> Product:
    facts = (
        _facts(kind, look, category.patterns, rng)
        | {"model": model}
        | {key: work[key] for key in work if key != "text"}
    )
    price = _price(kind, rng)
    seller = rng.choice([SELLERS[place] for place in _SOLD_BY[category.name]])
    name = fill(kind.title, facts | {"patterned": _PATTERNED[facts["pattern"]][0]}, plural=False)
    return Product(
        external_id="",
        name=title_case(" ".join(name.split())),
        description=_description(kind, look, facts, work.get("text", ""), rng),
        category=category.name,
        price=price,
        seller=seller.name,
        facts=facts | {"seller": seller.name},
        plural=kind.plural,
        quality=_quality(category, kind, seller, rng),
        style=_style(look, kind, price, facts, rng),
    )


def products_make(seed: int) -> tuple[Product, ...]:
    """All products, the categories mixed; external ids demo-001 to demo-300 in that order."""
    rng = Random(f"catalogue {seed}")
    products = []
    for category in categories():
        kinds = {kind.name: kind for kind in category.kinds}
        looks = {look.name: look for look in LOOKS}
        models = rng.sample(words("names")[category.names], PER_CATEGORY)
        for place, model in enumerate(models):
            work = category.works[place] if category.works else {}
            kind = kinds[work["kind"]] if work else category.kinds[place % len(kinds)]
            look = looks[work["look"]] if work else LOOKS[place * len(LOOKS) // PER_CATEGORY]
            products.append(_product(category, kind, look, model, work, rng))
    rng.shuffle(products)
    return tuple(replace(product, external_id=f"demo-{place:03}") for place, product in enumerate(products, 1))
