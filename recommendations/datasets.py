"""Training examples for recommendations: every user's ratings, split by time."""

import pandas as pd

from experiments.mltask import Examples, Split
from reviews.models import Rating

TEST = 0.2  # the last share of each user's ratings
FEWEST = 5  # ratings of a user who is tested on


def recommend() -> Split:
    """Columns unit (the user), product, value, held_out. The test part is every user's whole row: history, and what
    came after it.
    """
    rows = pd.DataFrame(
        Rating.objects.order_by("user_id", "rated_at", "id").values_list("user_id", "product_id", "value"),
        columns=["unit", "product", "value"],
    )
    by_user = rows.groupby("unit")["unit"]
    count = by_user.transform("size")
    held_out = (by_user.cumcount() >= (count * (1 - TEST)).astype(int)) & (count >= FEWEST)
    rows = rows.assign(held_out=held_out)
    return Split(
        fit=Examples(rows[~held_out]),
        validation=Examples(rows[:0]),
        test=Examples(rows),
        sources=("reviews.Rating",),
    )
