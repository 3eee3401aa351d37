import pytest
from rest_framework.test import APIClient

from mlbackend.accounts.models import User
from tests.concurrency import at_once
from tests.problems import assert_problem

URL = "/api/v1/auth/register/"
ADA = {"username": "ada", "email": "ada@example.com", "password": "correct horse battery"}

pytestmark = pytest.mark.django_db


def test_a_registered_user_can_log_in(api: APIClient) -> None:
    answer = api.post(URL, ADA)
    user = User.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {"id": user.pk, "username": "ada", "email": "ada@example.com"}
    assert not user.is_staff
    assert api.post("/api/v1/auth/token/", {"username": "ada", "password": ADA["password"]}).status_code == 200


def test_the_email_may_be_left_out_by_many(api: APIClient) -> None:
    for name in ("one", "two"):
        assert api.post(URL, {"username": name, "password": ADA["password"]}).json()["email"] == ""
    assert api.post(URL, {**ADA, "username": "three", "email": ""}).status_code == 201


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@Example.COM", " ada@example.com "])
def test_an_email_is_taken_whatever_its_case(api: APIClient, email: str) -> None:
    api.post(URL, ADA)
    body = assert_problem(api.post(URL, {**ADA, "username": "other", "email": email}), 400, "invalid", "email")
    assert body["errors"][0]["code"] == "unique"
    assert User.objects.count() == 1


def test_a_username_is_taken_once(api: APIClient) -> None:
    api.post(URL, ADA)
    body = assert_problem(api.post(URL, {**ADA, "email": "other@example.com"}), 400, "invalid", "username")
    assert body["errors"][0]["code"] == "unique"


def test_a_username_that_is_called_like_the_constraint_does_not_blame_the_email(api: APIClient) -> None:
    twice = {"username": "one_user_an_email", "password": ADA["password"]}
    api.post(URL, twice)
    assert_problem(api.post(URL, twice), 400, "invalid", "username")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("field", ["email", "username"])
def test_of_two_registrations_at_once_one_is_refused_by_name(field: str) -> None:
    people = [{**ADA, "username": "one"}, {**ADA, "username": "two", "email": "ADA@example.com"}]
    if field == "username":
        people = [{**ADA, "email": "one@example.com"}, {**ADA, "email": "two@example.com"}]
    answers = at_once(*[lambda who=who: APIClient().post(URL, who) for who in people])
    [refused] = [answer for answer in answers if answer.status_code != 201]
    assert_problem(refused, 400, "invalid", field)
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password_too_short"),
        ("password1", "password_too_common"),
        ("8230572930", "password_entirely_numeric"),
        ("adalovelace1", "password_too_similar"),
        ("countess@example.com", "password_too_similar"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(api: APIClient, password: str, code: str) -> None:
    who = {"username": "adalovelace", "email": "countess@example.com", "password": password}
    body = assert_problem(api.post(URL, who), 400, "invalid", "password")
    assert code in [error["code"] for error in body["errors"]]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "a" * 151}, "username"),
        ({"username": ""}, "username"),
        ({"username": "two words"}, "username"),
        ({"username": "nul\0"}, "username"),
        ({"username": "ﷺ" * 100}, "username"),  # 1,800 characters once normalised
        ({"username": 7}, "username"),
        ({"username": None}, "username"),
        ({"username": ["ada"]}, "username"),
        ({"email": "no address"}, "email"),
        ({"email": "a" * 250 + "@example.com"}, "email"),
        ({"email": "nul\0@example.com"}, "email"),
        ({"email": None}, "email"),
        ({"email": {"a": 1}}, "email"),
        ({"password": ""}, "password"),
        ({"password": "nul\0 in between"}, "password"),
        ({"password": "long " * 201}, "password"),
        ({"password": 1234567890123}, "password"),
    ],
)
def test_a_bad_field_is_named(api: APIClient, change: dict[str, object], field: str) -> None:
    assert_problem(api.post(URL, {**ADA, **change}), 400, "invalid", field)
    assert not User.objects.exists()


@pytest.mark.parametrize("field", ["username", "password"])
def test_a_missing_field_is_named(api: APIClient, field: str) -> None:
    body = assert_problem(
        api.post(URL, {**ADA, field: None} if False else {k: v for k, v in ADA.items() if k != field}),
        400,
        "invalid",
        field,
    )
    assert body["errors"] == [{"field": field, "code": "required", "detail": "This field is required."}]


def test_look_alikes_of_a_username_are_one_username(api: APIClient) -> None:
    assert api.post(URL, {"username": "ﬁsh", "password": ADA["password"]}).json()["username"] == "fish"
    assert_problem(api.post(URL, {"username": "fish", "password": ADA["password"]}), 400, "invalid", "username")
    assert api.post("/api/v1/auth/token/", {"username": "ﬁsh", "password": ADA["password"]}).status_code == 200


def test_a_password_is_kept_as_it_was_sent(api: APIClient) -> None:
    api.post(URL, {**ADA, "password": " correct horse "})
    assert User.objects.get().check_password(" correct horse ")


def test_nobody_registers_as_staff(api: APIClient) -> None:
    api.post(URL, {**ADA, "is_staff": True, "is_superuser": True, "id": 1})
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser) == (False, False)
