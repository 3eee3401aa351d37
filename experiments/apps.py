from django.apps import AppConfig


class ExperimentsConfig(AppConfig):
    """Which models exist, who is served which, what they answered."""

    name = "experiments"
