from datetime import timedelta

import jwt
import pytest
from django.db import connection
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from mlbackend.accounts.models import User
from tests.concurrency import at_once
from tests.mlbackend.conftest import SignedIn
from tests.problems import assert_problem

TOKEN, REFRESH, LOGOUT, ME = (f"/api/v1/auth/{path}/" for path in ("token", "token/refresh", "logout", "me"))

PASSWORD = "correct horse battery"

pytestmark = pytest.mark.django_db


def bearer(token: object) -> APIClient:
    return APIClient(raise_request_exception=False, HTTP_AUTHORIZATION=f"Bearer {token}")


def spoilt(token: RefreshToken, kind: str) -> str:
    if kind == "expired":
        token.set_exp(lifetime=-timedelta(seconds=1))
    if kind == "of another user":
        token["user_id"] = "1000000"
    if kind == "of no user":
        del token["user_id"]
    if kind == "signed by another":
        return jwt.encode(token.payload, "another key, of thirty-two bytes or more", "HS256")
    if kind == "unsigned":
        return jwt.encode(token.payload, None, "none")
    if kind == "an access token":
        return str(token.access_token)
    if kind == "no token":
        return "no token"
    return str(token)


def test_a_login_gives_tokens_that_open_the_door(api: APIClient, customer: User) -> None:
    pair = api.post(TOKEN, {"username": "alice", "password": PASSWORD}).json()
    assert pair.keys() == {"access", "refresh"}
    assert bearer(pair["access"]).get(ME).json()["username"] == "alice"


def test_a_wrong_password_an_unknown_name_and_an_inactive_user_look_the_same(api: APIClient, customer: User) -> None:
    User.objects.create_user("gone", password=PASSWORD, is_active=False)
    attempts = [("alice", "wrong"), ("nobody", PASSWORD), ("gone", PASSWORD)]
    answers = [api.post(TOKEN, {"username": name, "password": password}) for name, password in attempts]
    bodies = [assert_problem(answer, 401, "no_active_account") for answer in answers]
    assert len({body["detail"] for body in bodies}) == 1


@pytest.mark.parametrize(
    "body", [{"username": "alice"}, {"username": "a" * 151, "password": "x"}, {"username": "\0", "password": "x"}]
)
def test_a_login_names_its_bad_field(api: APIClient, body: dict[str, str]) -> None:
    assert_problem(api.post(TOKEN, body), 400, "invalid")


def test_a_refresh_token_is_replaced_and_dead_after_its_use(api: APIClient, customer: User) -> None:
    first = str(RefreshToken.for_user(customer))
    pair = api.post(REFRESH, {"refresh": first}).json()
    assert bearer(pair["access"]).get(ME).status_code == 200
    assert_problem(api.post(REFRESH, {"refresh": first}), 401, "token_not_valid")
    assert api.post(REFRESH, {"refresh": pair["refresh"]}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_twenty_uses_at_once_one_counts(customer: User) -> None:
    refresh = str(RefreshToken.for_user(customer))
    answers = at_once(*[lambda: APIClient().post(REFRESH, {"refresh": refresh})] * 20)
    accepted = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(accepted) == 1
    for answer in refused:
        assert_problem(answer, 401, "token_not_valid")


@pytest.mark.django_db(transaction=True)
def test_a_use_and_a_logout_at_once_spend_a_token_once(customer: User) -> None:
    token = RefreshToken.for_user(customer)
    use = lambda: APIClient().post(REFRESH, {"refresh": str(token)})  # noqa: E731
    logout = lambda: bearer(token.access_token).post(LOGOUT, {"refresh": str(token)})  # noqa: E731
    assert sorted(answer.status_code < 300 for answer in at_once(use, logout)) == [False, True]


@pytest.mark.parametrize(
    "kind",
    ["expired", "of another user", "of no user", "signed by another", "unsigned", "an access token", "no token"],
)
def test_a_bad_refresh_token_is_refused(api: APIClient, customer: User, kind: str) -> None:
    answer = api.post(REFRESH, {"refresh": spoilt(RefreshToken.for_user(customer), kind)})
    assert answer.status_code == 401
    assert_problem(answer, 401, answer.json()["code"])


@pytest.mark.parametrize("refresh", ["", None, 5, [], "x" * 2001, "nul\0"])
def test_what_is_no_text_is_no_refresh_token(api: APIClient, refresh: object) -> None:
    assert_problem(api.post(REFRESH, {"refresh": refresh}), 400, "invalid", "refresh")


def test_an_inactive_user_is_out_at_once(api: APIClient, customer: User) -> None:
    token = RefreshToken.for_user(customer)
    User.objects.update(is_active=False)
    assert_problem(bearer(token.access_token).get(ME), 401, "user_inactive")
    assert_problem(api.post(REFRESH, {"refresh": str(token)}), 401, "user_inactive")


def test_a_new_password_ends_the_tokens_before_it(api: APIClient, customer: User) -> None:
    token = RefreshToken.for_user(customer)
    customer.set_password("another good password")
    customer.save()
    assert_problem(bearer(token.access_token).get(ME), 401, "password_changed")
    assert_problem(api.post(REFRESH, {"refresh": str(token)}), 401, "password_changed")


def test_a_refused_refresh_does_not_spend_the_token(api: APIClient, customer: User) -> None:
    refresh = str(RefreshToken.for_user(customer))
    User.objects.update(is_active=False)
    api.post(REFRESH, {"refresh": refresh})
    User.objects.update(is_active=True)
    assert api.post(REFRESH, {"refresh": refresh}).status_code == 200


def test_after_logout_the_refresh_token_is_dead(api: APIClient, customer: User, signed_in: SignedIn) -> None:
    refresh = str(RefreshToken.for_user(customer))
    answer = signed_in(customer).post(LOGOUT, {"refresh": refresh})
    assert (answer.status_code, answer.content) == (204, b"")
    assert_problem(api.post(REFRESH, {"refresh": refresh}), 401, "token_not_valid")


def test_a_second_logout_says_so(customer: User, signed_in: SignedIn) -> None:
    refresh = str(RefreshToken.for_user(customer))
    signed_in(customer).post(LOGOUT, {"refresh": refresh})
    body = assert_problem(signed_in(customer).post(LOGOUT, {"refresh": refresh}), 400, "invalid", "refresh")
    assert body["errors"][0]["code"] == "token_not_valid"


def test_nobody_ends_the_token_of_another(api: APIClient, customer: User, outsider: User, signed_in: SignedIn) -> None:
    refresh = str(RefreshToken.for_user(customer))
    assert_problem(signed_in(outsider).post(LOGOUT, {"refresh": refresh}), 400, "invalid", "refresh")
    assert api.post(REFRESH, {"refresh": refresh}).status_code == 200


@pytest.mark.parametrize("refresh", ["garbage", "a.b.c", "", None, {}, "x" * 3000])
def test_garbage_is_no_logout(customer: User, signed_in: SignedIn, refresh: object) -> None:
    assert_problem(signed_in(customer).post(LOGOUT, {"refresh": refresh}), 400, "invalid", "refresh")


def test_logout_asks_for_a_login(api: APIClient) -> None:
    assert_problem(api.post(LOGOUT, {"refresh": "x"}), 401, "not_authenticated")


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer a b",
        "Bearer garbage",
        "Bearer " + "A" * 9000,
        "Bearer ÿ.ÿ.ÿ",
        "Bearer W1tbW1tb.e30.e30",
        "Basic YTpi",
        "\t",
    ],
)
def test_a_garbage_authorization_header_is_a_401(header: str) -> None:
    answer = APIClient(raise_request_exception=False, HTTP_AUTHORIZATION=header).get(ME)
    assert_problem(answer, 401, answer.json()["code"])


@pytest.mark.parametrize("kind", ["expired", "of another user", "of no user", "signed by another", "unsigned"])
def test_a_bad_access_token_is_a_401(customer: User, kind: str) -> None:
    answer = bearer(spoilt(AccessToken.for_user(customer), kind)).get(ME)
    assert_problem(answer, 401, answer.json()["code"])


def test_a_refresh_token_opens_no_door(customer: User) -> None:
    assert_problem(bearer(RefreshToken.for_user(customer)).get(ME), 401, "token_not_valid")


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_died_between_requests_is_opened_anew(customer: User, signed_in: SignedIn) -> None:
    client = signed_in(customer)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    other.close()
    assert client.get(ME).status_code == 200
