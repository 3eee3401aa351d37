from django.apps import AppConfig


class RimConfig(AppConfig):
    """The outer rim: settings, routes, errors. An app so that its commands and checks are found."""

    name = "mlbackend"
    label = "rim"

    def ready(self) -> None:
        from mlbackend import checks  # noqa: F401  (registers them)
