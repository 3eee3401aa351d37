"""Who is calling: the user of the access token, read from the database at every request, so that an erased, deactivated
or renamed user's token stops at once.

The read is one hand-written query, since it is the first of almost every request: the ORM takes longer to build it than
Postgres to answer it. Being first, it also is where a connection shows that has died meanwhile, as after a restart of
Postgres: it is opened anew and asked once more, which costs nothing while all is well.
"""

from functools import lru_cache
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import AuthenticationFailed, InvalidToken, TokenError
from rest_framework_simplejwt.tokens import AccessToken, Token
from rest_framework_simplejwt.utils import aware_utcnow, get_md5_hash_password

from experiments.prepared import execute
from mlbackend.accounts.models import User

COLUMNS = [str(field.column) for field in User._meta.concrete_fields]
NAMES = [field.attname for field in User._meta.concrete_fields]
QUERY = f"SELECT {', '.join(COLUMNS)} FROM {User._meta.db_table} WHERE id = %(id)s"


class TokenAuthentication(JWTAuthentication):
    def get_validated_token(self, raw_token: bytes) -> Token:
        """The token, its signature verified once a process and its end looked at each time. Raises InvalidToken."""
        try:
            token = _verified(raw_token)
            token.check_exp(current_time=aware_utcnow())
        except TokenError:
            return super().get_validated_token(raw_token)  # says what is wrong with it
        return token

    def get_user(self, validated_token: Token) -> User:  # type: ignore[override]  # always ours
        """The token's user. Raises InvalidToken or AuthenticationFailed."""
        try:
            user_id = int(validated_token["user_id"])
        except (KeyError, ValueError) as error:
            raise InvalidToken("Token contained no recognizable user identification") from error
        row = _row(user_id)
        if row is None:
            raise AuthenticationFailed("User not found", code="user_not_found")
        user = User.from_db(connection.alias, NAMES, row)
        if not user.is_active:
            raise AuthenticationFailed("User is inactive", code="user_inactive")
        if validated_token.get("hash_password") != get_md5_hash_password(user.password):
            raise AuthenticationFailed("The user's password has been changed.", code="password_changed")
        return user


class TokenScheme(SimpleJWTScheme):
    """The OpenAPI document knows simplejwt's class by its name only."""

    target_class = "mlbackend.accounts.authentication.TokenAuthentication"


@lru_cache(maxsize=10_000)
def _verified(raw_token: bytes) -> AccessToken:
    return AccessToken(raw_token)  # type: ignore[arg-type]  # it is annotated for a Token, but reads bytes


def _row(user_id: int) -> Any:
    try:
        return _ask(user_id)
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        connection.close()
        return _ask(user_id)


def _ask(user_id: int) -> Any:
    with connection.cursor() as cursor:
        execute(cursor, QUERY, {"id": user_id})
        return cursor.fetchone()
