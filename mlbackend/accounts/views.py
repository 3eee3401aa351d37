"""HTTP for accounts: register, tokens, and everything about the caller."""

from collections.abc import Iterator
from typing import Any, cast

from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError as PasswordRefused
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.fields import get_error_detail
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError

from experiments.errors import Invalid
from experiments.fields import TextField
from experiments.models import ModelVersion
from mlbackend.accounts import tokens
from mlbackend.accounts.models import User
from mlbackend.accounts.selectors import columns, rows_about
from mlbackend.accounts.services import user_erase, user_register
from mlbackend.codecs import dumps

PASSWORD_LENGTH = 1_000  # hashing a longer one costs time and adds nothing
RETRAINED = (
    "All that was stored about you is erased. The next training replaces the models listed, which learned from it."
)


class UsernameField(TextField):
    """As it is stored: look-alikes of a character are that character (NFKC). Checked after that, since it may grow."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=1, max_length=150, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        return User.normalize_username(super().to_internal_value(data))


class RegisterSerializer(serializers.Serializer[Any]):
    username = UsernameField(validators=[UnicodeUsernameValidator()])
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True, default="")
    password = TextField(min_length=1, max_length=PASSWORD_LENGTH, write_only=True)

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        try:
            validate_password(attrs["password"], User(username=attrs["username"], email=attrs["email"]))
        except PasswordRefused as error:
            raise serializers.ValidationError({"password": get_error_detail(error)}) from None
        return attrs


class RegisteredSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ["id", "username", "email"]


class MeSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ["id", "username", "email", "is_staff"]


class CredentialsSerializer(serializers.Serializer[Any]):
    username = UsernameField()
    password = TextField(min_length=1, max_length=PASSWORD_LENGTH, write_only=True)


class RefreshSerializer(serializers.Serializer[Any]):
    refresh = TextField(min_length=1, max_length=2_000)


class PairSerializer(serializers.Serializer[Any]):
    access = serializers.CharField()
    refresh = serializers.CharField()


class LearnedSerializer(serializers.ModelSerializer[ModelVersion]):
    class Meta:
        model = ModelVersion
        fields = ["task", "version", "algorithm"]


class ErasureSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField()
    erased = serializers.DictField(child=serializers.IntegerField(), help_text="Rows that went, by table.")
    models = LearnedSerializer(many=True, help_text="Live models that learned from the caller.")


def parsed(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    given = serializer(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def caller(request: Request) -> User:
    """The user of a view that lets in nobody else."""
    return cast("User", request.user)


class OpenView(APIView):
    """Asks for no access token; a refusal is a 401 all the same."""

    authentication_classes = ()
    permission_classes = ()

    def get_authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class Register(OpenView):
    """A new account. The e-mail address may be left out; there is one account an address."""

    throttle_scope = "login"

    @extend_schema(tags=["auth"], request=RegisterSerializer, responses={201: RegisteredSerializer})
    def post(self, request: Request) -> Response:
        user = user_register(**parsed(RegisterSerializer, request))
        return Response(RegisteredSerializer(user).data, 201)


class Token(OpenView):
    """Username and password for an access and a refresh token."""

    throttle_scope = "login"

    @extend_schema(tags=["auth"], request=CredentialsSerializer, responses=PairSerializer)
    def post(self, request: Request) -> Response:
        user = authenticate(request, **parsed(CredentialsSerializer, request))
        if user is None:
            raise AuthenticationFailed("There is no active account with these credentials.", "no_active_account")
        return Response(tokens.token_pair(user))


class TokenRefresh(OpenView):
    """A refresh token for a new pair. It is good for one use."""

    @extend_schema(tags=["auth"], request=RefreshSerializer, responses=PairSerializer)
    def post(self, request: Request) -> Response:
        try:
            return Response(tokens.refresh_rotate(**parsed(RefreshSerializer, request)))
        except TokenError as error:
            raise InvalidToken(str(error)) from None


class Logout(APIView):
    """End a refresh token of one's own."""

    @extend_schema(tags=["auth"], request=RefreshSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        try:
            tokens.refresh_revoke(**parsed(RefreshSerializer, request), user=caller(request))
        except TokenError as error:
            raise Invalid("refresh", f"{error}.", InvalidToken.default_code) from None
        return Response(status=204)


class Me(APIView):
    @extend_schema(tags=["auth"], responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """The caller's account."""
        return Response(MeSerializer(caller(request)).data)

    @extend_schema(tags=["auth"], responses={200: ErasureSerializer})
    def delete(self, request: Request) -> Response:
        """Erase the account and all that is stored about it, at once and for ever."""
        erasure = user_erase(user=caller(request))
        return Response(ErasureSerializer({**vars(erasure), "detail": RETRAINED}).data)


class MyData(APIView):
    """All that is stored about the caller, as one JSON object: the account, then a list for each table."""

    @extend_schema(tags=["auth"], responses={(200, "application/json"): OpenApiTypes.OBJECT})
    def get(self, request: Request) -> StreamingHttpResponse:
        return StreamingHttpResponse(personal_data(caller(request)), content_type="application/json")


def personal_data(user: User) -> Iterator[bytes]:
    """JSON in parts, so that memory is bounded; it is only well-formed when it is complete."""
    [account] = columns(User.objects.filter(pk=user.pk))
    yield b'{"account":' + dumps(account)
    for name, rows in rows_about(user).items():
        yield b',"%s":[' % name.encode()
        for position, row in enumerate(columns(rows)):
            yield (b"," if position else b"") + dumps(row)
        yield b"]"
    yield b"}"
