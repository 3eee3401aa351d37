from django.apps import AppConfig


class PricingConfig(AppConfig):
    """What things sell for, and how they are rated: from a row of numbers."""

    name = "pricing"
