"""Training examples from the shop's rows: sentiment from reviews that have stars, rating from products that have."""

import pandas as pd
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from experiments.mltask import Examples, Split
from pricing.ml.rating import HIGHEST, LOWEST
from reviews.models import Rating, Review
from reviews.selectors import products

TEST, VALIDATION = 0.2, 0.08  # shares of the reviews
FEWEST = 3  # ratings of a product


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


def rating() -> Split:
    """Columns price, reviews_count (reviews of the product, also those without stars), seller_rating, rating (the mean
    of its ratings, LOWEST to HIGHEST) and unit (the product). Only products with a price, a seller who has a rating,
    and FEWEST ratings or more.
    """
    reviews = Review.objects.filter(product=OuterRef("pk")).order_by().values("product").annotate(count=Count("id"))
    count = Coalesce(Subquery(reviews.values("count"), output_field=IntegerField()), 0)
    often = Rating.objects.order_by().values("product").annotate(count=Count("id")).filter(count__gte=FEWEST)
    found = products().filter(price__isnull=False, seller__rating__isnull=False, pk__in=often.values("product"))
    rows = pd.DataFrame(
        found.order_by("id").values_list("price", count, "seller__rating", "rating_average", "id"),
        columns=["price", "reviews_count", "seller_rating", "rating", "unit"],
    ).astype({"price": float, "rating": float})
    rows["rating"] = rows["rating"].clip(LOWEST, HIGHEST)
    return Split.by_checksum(rows, rows["unit"], sources=("reviews.Product", "reviews.Rating", "reviews.Review"))
