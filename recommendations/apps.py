from django.apps import AppConfig


class RecommendationsConfig(AppConfig):
    """What to show to whom."""

    name = "recommendations"
