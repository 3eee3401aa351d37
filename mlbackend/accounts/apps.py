from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users: the model, register, tokens, everything stored about one, erasing it."""

    name = "mlbackend.accounts"
    label = "accounts"
