"""Training examples of `price`: the homes in the file that settings.HOMES names."""

from zlib import crc32

import pandas as pd
from django.conf import settings

from experiments.errors import NotFound
from experiments.mltask import Examples, Split
from pricing.homes import homes_read

TEST, VALIDATION = 0.2, 0.08  # shares of the homes


def price() -> Split:
    """Columns bedrooms, bathrooms, sqft, location, price. Raises NotFound where there is no such file."""
    if not settings.HOMES.exists():
        raise NotFound(
            "There are no homes to learn from: `manage.py train price --data FILE` reads a CSV with bedrooms,"
            " bathrooms, sqft, location and price; `manage.py demo` makes one."
        )
    return split_of(homes_read(settings.HOMES, {}))


def split_of(homes: pd.DataFrame) -> Split:
    """By a checksum of what a row says: the same each time, also when others come and go, so that no version is ever
    measured on a home that it learned from.
    """
    rows = homes.itertuples(index=False, name=None)
    share = pd.Series([crc32(",".join(map(str, row)).encode()) / 2**32 for row in rows], homes.index)
    return Split(
        fit=Examples(homes[share >= TEST + VALIDATION]),
        validation=Examples(homes[share.between(TEST, TEST + VALIDATION, inclusive="left")]),
        test=Examples(homes[share < TEST]),
        sources=(settings.HOMES.name,),
    )
