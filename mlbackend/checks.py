"""System checks: a missing or dangerous setting is said before anything starts, with what to set."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from experiments.webhooks import key_of
from mlbackend.processes import FOLDER_OF_COUNTS

TOKEN = re.compile(r"[\w.~+/=-]{32,}", re.ASCII)
COLLECTOR = re.compile(r"https?://[^\s/]+(/\S*)?")
RATE = re.compile(r"[1-9]\d{0,11}/(s|sec|second|m|min|minute|h|hour|d|day)")
NEW_KEY = "python -c 'import secrets; print(secrets.token_urlsafe(50))'"
NEW_SIGNER = (
    "python -c 'import base64, secrets; print(\"whsec_\" + base64.b64encode(secrets.token_bytes(32)).decode())'"
)


@register(Tags.security)
def production_settings(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """What a project with a DATABASE_URL, so not a local one, must be given."""
    if settings.LOCAL:
        return []
    found: list[CheckMessage] = []
    if not os.environ.get("SECRET_KEY"):
        found.append(Error("SECRET_KEY is not set.", hint=f"Set it to a new secret: {NEW_KEY}", id="mlbackend.E001"))
    if not settings.ALLOWED_HOSTS:
        found.append(
            Error(
                "ALLOWED_HOSTS is not set.",
                hint="Set it to the site's names: ALLOWED_HOSTS=shop.example.com",
                id="mlbackend.E002",
            )
        )
    return found


@register()
def throttle_rates(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A rate that cannot be read would fail every request that it bounds."""
    return [
        Error(f"THROTTLE_{name.upper()} is {rate!r}.", hint="Set it to a rate such as 120/min.", id="mlbackend.E003")
        for name, rate in settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"].items()
        if not RATE.fullmatch(rate)
    ]


@register()
def webhook(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Where what happened is to be told. The address is not repeated: some hold a secret."""
    if not settings.WEBHOOK_URL:
        return []
    found: list[CheckMessage] = []
    if not _is_http(settings.WEBHOOK_URL):
        hint = "Set it to the receiver's address, such as https://alarms.example.com/shop, or leave it out."
        found.append(Error("WEBHOOK_URL is no http or https address.", hint=hint, id="mlbackend.E004"))
    try:
        key_of(settings.WEBHOOK_SECRET)
    except ValueError as error:
        found.append(Error(str(error), hint=f"Set it to a new secret: {NEW_SIGNER}", id="mlbackend.E005"))
    return found


def _is_http(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


@register()
def metrics(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A token that can be guessed or sent by nobody, and a folder that no process could count in."""
    found: list[CheckMessage] = []
    if settings.METRICS_TOKEN and not TOKEN.fullmatch(settings.METRICS_TOKEN):
        hint = f"Set it to a new secret: {NEW_KEY}"
        found.append(
            Error("METRICS_TOKEN is not 32 or more letters, digits and ._~+/=-", hint=hint, id="mlbackend.E006")
        )
    folder = os.environ.get(FOLDER_OF_COUNTS)
    if folder is not None and not (Path(folder).is_dir() and os.access(folder, os.W_OK)):
        hint = "Name a folder that is empty at each start, or leave it out: `manage.py web` makes one."
        found.append(Error(f"{FOLDER_OF_COUNTS} is no folder to write to.", hint=hint, id="mlbackend.E007"))
    return found


@register()
def text_retention(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Fewer than no days would take every text out of the log at once."""
    if settings.PREDICTION_TEXT_DAYS >= 0:
        return []
    hint = "Set it to a number of days, or to 0 to keep texts for ever."
    return [Error(f"PREDICTION_TEXT_DAYS is {settings.PREDICTION_TEXT_DAYS}.", hint=hint, id="mlbackend.E008")]


@register()
def traces(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A collector that no trace could be sent to."""
    endpoint = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    if not endpoint or COLLECTOR.fullmatch(endpoint):
        return []
    hint = "Set it to the collector's address, such as http://collector:4318, or leave it out."
    return [Error("OTEL_EXPORTER_OTLP_ENDPOINT is no http or https address.", hint=hint, id="mlbackend.E009")]
