"""System checks: a missing or dangerous setting is said before anything starts, with what to set."""

import os
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

NEW_KEY = "python -c 'import secrets; print(secrets.token_urlsafe(50))'"


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
