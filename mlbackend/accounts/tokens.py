"""Access and refresh tokens (JWT). A refresh token is good for one use, also when several uses arrive at once.

The use is a row in simplejwt's blacklist, unique a token: whoever did not make it came second. TokenError says why a
token is refused.
"""

from typing import cast

from django.db import transaction
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import RefreshToken

from mlbackend.accounts.authentication import TokenAuthentication
from mlbackend.accounts.models import User


def token_pair(user: User) -> dict[str, str]:
    refresh = RefreshToken.for_user(user)
    return {"access": str(refresh.access_token), "refresh": str(refresh)}


def refresh_rotate(*, refresh: str) -> dict[str, str]:
    """A new pair for a refresh token. AuthenticationFailed where its user is gone, inactive or has a new password."""
    token = _read(refresh)
    with transaction.atomic():
        # The user is locked before the token, as by an erasure: then one waits for the other and there is no deadlock.
        User.objects.select_for_update(no_key=True).filter(pk=token.get("user_id")).first()
        user = TokenAuthentication().get_user(token)
        _spend(token)
        return token_pair(user)


def refresh_revoke(*, refresh: str, user: User) -> None:
    """End a refresh token of this user."""
    token = _read(refresh)
    if token.get("user_id") != str(user.pk):
        raise TokenError("Token is not yours")
    _spend(token)


def _read(refresh: str) -> RefreshToken:
    return RefreshToken(refresh)  # type: ignore[arg-type]  # it is annotated for a Token, but reads text


def _spend(token: RefreshToken) -> None:
    _, first = cast("tuple[object, bool]", token.blacklist())  # it is get_or_create's answer
    if not first:
        raise TokenError("Token is blacklisted")
