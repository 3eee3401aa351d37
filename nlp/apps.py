from django.apps import AppConfig


class NlpConfig(AppConfig):
    """What texts say: sentiment, entities, summaries."""

    name = "nlp"
