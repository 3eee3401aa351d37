import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def quick_passwords(settings: object) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def no_calls_yet() -> None:
    cache.clear()  # the throttle's counts
