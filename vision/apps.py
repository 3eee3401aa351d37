from django.apps import AppConfig


class VisionConfig(AppConfig):
    """What is on a picture, and what looks like it."""

    name = "vision"
