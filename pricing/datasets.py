"""Training examples of `price`: the homes in the file that settings.HOMES names."""

import pandas as pd
from django.conf import settings

from experiments.errors import NotFound
from experiments.mltask import Split
from pricing.homes import homes_read


def price() -> Split:
    """Columns bedrooms, bathrooms, sqft, location, price. Raises NotFound where there is no such file."""
    if not settings.HOMES.exists():
        raise NotFound(
            "There are no homes to learn from: `manage.py train price --data FILE` reads a CSV with bedrooms,"
            " bathrooms, sqft, location and price; `manage.py demo` makes one."
        )
    return split_of(homes_read(settings.HOMES, {}))


def split_of(homes: pd.DataFrame) -> Split:
    """By what a row says: copies of a home are in one part."""
    rows = [",".join(map(str, row)) for row in homes.itertuples(index=False, name=None)]
    return Split.by_checksum(homes, pd.Series(rows, homes.index), sources=(settings.HOMES.name,))
