"""400 customers with names, tastes and manners."""

from datetime import datetime, timedelta
from random import Random

from .palette import LOOKS
from .records import Customer
from .wares import CATEGORIES, words

COUNT = 400

_VOICES = ("plain", "chatty", "terse", "sloppy")


def _taste(rng: Random) -> tuple[float, ...]:
    """One look loved, one liked, the others a matter of chance; then how dear and how lively things may be."""
    loved, liked = rng.sample(range(len(LOOKS)), 2)
    looks = [rng.gauss(-0.3, 0.25) for _ in LOOKS]
    looks[loved] += 1.6
    looks[liked] += 0.8
    return tuple(round(value, 3) for value in (*looks, rng.gauss(0, 0.35), rng.gauss(0, 0.25)))


def _likes(rng: Random) -> tuple[float, ...]:
    """Two categories at heart, two at times."""
    values = [rng.gauss(-0.6, 0.3) for _ in CATEGORIES]
    often = rng.sample(range(len(CATEGORIES)), 4)
    for place, lift in zip(often, (1.6, 1.4, 0.8, 0.6), strict=True):
        values[place] += lift
    return tuple(round(value, 3) for value in values)


def customers_make(seed: int, today: datetime) -> tuple[Customer, ...]:
    """All customers, each joined between 366 and 181 days before `today`, so before the first rating."""
    rng = Random(f"people {seed}")
    names = rng.sample([(first, last) for first in words("names")["first"] for last in words("names")["last"]], COUNT)
    return tuple(
        Customer(
            username=f"{first}.{last}".lower(),
            email=f"{first}.{last}@example.com".lower(),
            first_name=first,
            last_name=last,
            joined=today - timedelta(days=rng.randint(181, 365), seconds=rng.randrange(86_400)),
            taste=_taste(rng),
            likes=_likes(rng),
            bias=round(rng.gauss(0, 0.35), 3),
            voice=rng.choices(_VOICES, (52, 22, 20, 6))[0],
        )
        for first, last in names
    )
