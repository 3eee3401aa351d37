from django.apps import AppConfig


class NlpConfig(AppConfig):
    """sentiment."""

    name = "nlp"
