import pytest
from rest_framework.test import APIClient

from mlbackend.accounts.models import User
from mlbackend.throttling import WindowThrottle
from tests.concurrency import at_once
from tests.mlbackend.conftest import SignedIn
from tests.problems import assert_problem

TOKEN, REGISTER, ME = "/api/v1/auth/token/", "/api/v1/auth/register/", "/api/v1/auth/me/"

PASSWORD = "correct horse battery"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_calls_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WindowThrottle, "THROTTLE_RATES", {"login": "3/day", "anon": "3/day", "user": "3/day"})


def attempt(api: APIClient, name: str = "alice", **extra: str) -> object:
    return api.post(TOKEN, {"username": name, "password": "wrong"}, **extra)


def test_the_fourth_login_is_refused_and_says_when_to_come_back(api: APIClient) -> None:
    assert [attempt(api).status_code for _ in range(3)] == [401] * 3
    body = assert_problem(attempt(api), 429, "throttled")
    assert "Expected available in" in body["detail"]


def test_the_right_password_does_not_help_then(api: APIClient, customer: User) -> None:
    for _ in range(3):
        attempt(api)
    assert_problem(api.post(TOKEN, {"username": "alice", "password": PASSWORD}), 429, "throttled")


def test_many_usernames_from_one_address_share_a_bound(api: APIClient) -> None:
    answers = [attempt(api, f"user{number}") for number in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


def test_login_and_registration_share_a_bound(api: APIClient) -> None:
    for _ in range(3):
        attempt(api)
    assert_problem(api.post(REGISTER, {"username": "bo", "password": PASSWORD}), 429, "throttled")


def test_a_forged_forwarding_header_opens_no_new_count(api: APIClient) -> None:
    answers = [attempt(api, HTTP_X_FORWARDED_FOR=f"10.0.0.{number}") for number in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


def test_a_forged_token_opens_no_new_count(api: APIClient) -> None:
    answers = [attempt(api, HTTP_AUTHORIZATION=f"Bearer {number}") for number in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


def test_another_address_has_a_count_of_its_own(api: APIClient) -> None:
    for _ in range(4):
        attempt(api)
    assert attempt(api, REMOTE_ADDR="10.0.0.1").status_code == 401


def test_a_body_that_is_refused_counts_too(api: APIClient) -> None:
    answers = [api.generic("POST", TOKEN, b"{", "application/json") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 429]


def test_users_have_a_count_each_wherever_they_come_from(customer: User, outsider: User, signed_in: SignedIn) -> None:
    client = signed_in(customer)
    assert [client.get(ME, REMOTE_ADDR=f"10.0.0.{number}").status_code for number in range(4)] == [200] * 3 + [429]
    assert signed_in(outsider).get(ME).status_code == 200


def test_a_new_window_starts_a_new_count(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([86_000.0] * 4 + [86_400.0])
    monkeypatch.setattr(WindowThrottle, "timer", lambda throttle: next(clock))
    answers = [attempt(api) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 401]
    assert answers[3]["Retry-After"] == "400"


@pytest.mark.django_db(transaction=True)
def test_of_ten_logins_at_once_three_are_tried() -> None:
    answers = at_once(*[lambda: attempt(APIClient())] * 10)
    assert sorted(answer.status_code for answer in answers) == [401] * 3 + [429] * 7
