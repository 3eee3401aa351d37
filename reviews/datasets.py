"""Training examples from the shop's rows: sentiment from reviews that have stars."""

import pandas as pd

from experiments.mltask import Examples, Split
from reviews.models import Review

TEST, VALIDATION = 0.2, 0.08  # shares of the reviews


def sentiment() -> Split:
    """Columns title, text, stars, unit (the product). Split by time: the newest fifth is the test part, what is before
    it the validation part, so a model is measured on reviews that came after those it learned from, as in use.
    """
    rows = pd.DataFrame(
        Review.objects.filter(rating__isnull=False)
        .order_by("created_at", "id")
        .values_list("title", "text", "rating", "product_id"),
        columns=["title", "text", "stars", "unit"],
    )
    test = round(len(rows) * (1 - TEST))
    validation = round(len(rows) * (1 - TEST - VALIDATION))
    return Split(
        fit=Examples(rows[:validation]),
        validation=Examples(rows[validation:test]),
        test=Examples(rows[test:]),
        sources=("reviews.Review",),
    )
