from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    """The shop's own records."""

    name = "reviews"
