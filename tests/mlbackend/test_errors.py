import json
import logging

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from mlbackend.accounts.models import User
from tests.mlbackend.broken import SECRET
from tests.mlbackend.conftest import SignedIn
from tests.problems import assert_problem

REGISTER, ME = "/api/v1/auth/register/", "/api/v1/auth/me/"
broken = pytest.mark.urls("tests.mlbackend.broken")

pytestmark = pytest.mark.django_db


def send(api: APIClient, body: bytes, content_type: str = "application/json", **extra: str) -> object:
    return api.generic("POST", REGISTER, body, content_type, **extra)


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api/v1/nothing/",
        "/api/v1/",
        "/",
        "/api/v1/%zz/",
        "/api/v1/%ff%fe/",
        "/api/v1/%00/",
        "/api/v1/%ed%a0%80/",
        "/api/v1/%0d%0aSet-Cookie:a=b/",
        "/api/v1/products/" + "9" * 5000 + "/",
        "/static/nothing.css",
        "/static/%00",
        "/static/" + "a" * 300,
        "/media/nothing.png",
        "/media/%00",
        "/media/" + "a" * 300,
    ],
)
def test_an_unknown_path_is_not_found(api: APIClient, path: str) -> None:
    assert_problem(api.get(path), 404, "not_found")


def test_a_path_out_of_its_folder_is_refused(api: APIClient) -> None:
    assert_problem(api.get("/media/../../etc/passwd"), 400, "bad_request")


@pytest.mark.parametrize("method", ["put", "delete", "patch", "get"])
def test_a_wrong_method_says_which_are_right(api: APIClient, method: str) -> None:
    answer = getattr(api, method)(REGISTER)
    assert_problem(answer, 405, "method_not_allowed")
    assert answer["Allow"] == "POST, OPTIONS"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"not json",
        b"{'a': 1}",
        b"\xff\xfe",
        b'{"username": "\xff"}',
        b'{"username": "\xed\xa0\x80"}',
        rb'{"username": "\ud800"}',
        b'{"username": NaN}',
        b'{"username": Infinity}',
        b'{"username": -Infinity}',
        b'{"username": 1e400}',
        b"[" * 5_000 + b"]" * 5_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b"\x00",
        b"\xef\xbb\xbf{}",
    ],
)
def test_a_body_that_is_no_json_is_refused(api: APIClient, body: bytes) -> None:
    body = assert_problem(send(api, body), 400, "parse_error")
    assert body["detail"].startswith("The body is not valid JSON: ")


@pytest.mark.parametrize("body", [b"[]", b'["a"]', b'"text"', b"7", b"null", b"true", b"1" + b"0" * 30])
def test_json_that_is_no_object_is_refused(api: APIClient, body: bytes) -> None:
    assert_problem(send(api, body), 400, "invalid", "")


def test_an_empty_body_lacks_its_fields(api: APIClient) -> None:
    assert_problem(send(api, b""), 400, "invalid", "username")


@pytest.mark.parametrize("path", ["/api/v1/auth/register/", "/nothing", "/admin/login/"])
def test_a_body_of_ten_megabytes_is_too_large_everywhere(api: APIClient, path: str) -> None:
    body = assert_problem(api.generic("POST", path, b"x" * 10_000_000, "application/json"), 413, "body_too_large")
    assert "1,000,000 bytes" in body["detail"]


def test_a_body_at_the_bound_is_read(api: APIClient) -> None:
    fits = json.dumps({"username": "x"}).encode().ljust(settings.MAX_BODY_BYTES)
    assert_problem(send(api, fits), 400, "invalid", "password")
    assert_problem(send(api, fits + b" "), 413, "body_too_large")


def test_form_fields_over_the_bound_are_too_large() -> None:
    form = {"username": "x" * settings.MAX_BODY_BYTES}
    assert_problem(Client().post("/admin/login/", form), 413, "body_too_large")


def test_a_body_that_does_not_say_its_length_is_not_taken_for_an_empty_one(api: APIClient) -> None:
    assert_problem(send(api, b"{}", HTTP_TRANSFER_ENCODING="chunked"), 411, "length_required")


@pytest.mark.parametrize("length", ["garbage", "-1", "1.5", "²", "9" * 5000, "0x10", " "])
def test_a_content_length_that_is_no_number_is_refused(api: APIClient, length: str) -> None:
    assert_problem(send(api, b"{}", CONTENT_LENGTH=length), 400, "bad_request")


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data", ";", "a" * 999],
)
def test_another_content_type_is_unsupported(api: APIClient, kind: str) -> None:
    assert_problem(send(api, b"a=1", kind), 415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/json;", "APPLICATION/JSON"])
def test_json_by_another_spelling_is_json(api: APIClient, kind: str) -> None:
    assert_problem(send(api, b"{}", kind), 400, "invalid", "username")


@pytest.mark.parametrize("accept", ["text/html", "image/png", "application/xml;q=0.9", "garbage", ";;;", ",", "é/é"])
def test_an_accept_header_that_leaves_no_json_is_not_acceptable(api: APIClient, accept: str) -> None:
    assert_problem(api.post(REGISTER, {}, HTTP_ACCEPT=accept), 406, "not_acceptable")
    assert_problem(api.get("/api/v1/nothing/", HTTP_ACCEPT=accept), 404, "not_found")


def test_the_schema_has_the_same_errors_whatever_it_renders(api: APIClient) -> None:
    assert_problem(api.get("/api/v1/schema/", HTTP_ACCEPT="image/png"), 406, "not_acceptable")
    assert_problem(api.post("/api/v1/schema/"), 405, "method_not_allowed")


@pytest.mark.parametrize("value", ["%", "%zz", "%ff", "%00", "%ed%a0%80", "1" + "0" * 30, "1" + "0" * 5000])
@pytest.mark.parametrize("name", ["page", "search", "ordering", "format", "cursor", "user", "since"])
def test_a_hostile_query_is_never_a_crash(customer: User, signed_in: SignedIn, name: str, value: str) -> None:
    answer = signed_in(customer).generic("GET", "/api/v1/predictions/", QUERY_STRING=f"{name}={value}")
    assert answer.status_code in (200, 400, 404)
    if answer.status_code != 200:
        assert_problem(answer, answer.status_code, answer.json()["code"])


@pytest.mark.parametrize("pk", ["1" + "0" * 30, "-1", "1e3", "00000000-0000-0000-0000-00000000000g", "%00"])
def test_an_impossible_id_in_a_path_is_not_found(customer: User, signed_in: SignedIn, pk: str) -> None:
    client = signed_in(customer)
    assert_problem(client.post(f"/api/v1/predictions/{pk}/outcome/", {"value": 1}), 404, "not_found")
    assert_problem(client.get(f"/api/v1/products/{pk}/nothing/"), 404, "not_found")


def test_an_unknown_host_is_a_bad_request(api: APIClient) -> None:
    assert_problem(api.get(ME, HTTP_HOST="evil.example.com"), 400, "bad_request")
    assert_problem(api.get(ME, HTTP_HOST="\0"), 400, "bad_request")


def test_a_form_posted_beside_the_api_is_refused(api: APIClient) -> None:
    client = Client(enforce_csrf_checks=True)
    assert_problem(client.post("/media/lamp.png", {"a": 1}), 403, "permission_denied")


@broken
@pytest.mark.parametrize("place", ["api/v1", "plain"])
def test_an_unhandled_exception_says_nothing_and_is_logged_under_its_request_id(
    api: APIClient, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = api.get(f"/{place}/bug/", HTTP_X_REQUEST_ID="mine-1")
    assert_problem(answer, 500, "internal_error")
    assert SECRET not in answer.content.decode()
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert SECRET in str(record.exc_info[1])


@broken
@pytest.mark.parametrize(
    ("accident", "status", "code"),
    [
        ("missing", 404, "not_found"),
        ("forbidden", 403, "permission_denied"),
        ("suspicious", 400, "bad_request"),
        ("timeout", 503, "unavailable"),
    ],
)
@pytest.mark.parametrize("place", ["api/v1", "plain"])
def test_an_accident_is_the_same_problem_in_and_beside_the_api(
    api: APIClient, place: str, accident: str, status: int, code: str
) -> None:
    answer = api.get(f"/{place}/{accident}/")
    assert_problem(answer, status, code)
    assert SECRET not in answer.content.decode()


@broken
@pytest.mark.parametrize(
    ("accident", "status", "code"),
    [
        ("not-found", 404, "not_found"),
        ("conflict", 409, "conflict"),
        ("domain", 400, "error"),
        ("full", 503, "queue_full"),
        ("nul", 400, "bad_request"),
        ("too-big", 400, "bad_request"),
        ("taken", 409, "conflict"),
    ],
)
def test_each_error_of_a_lower_layer_has_its_answer(api: APIClient, accident: str, status: int, code: str) -> None:
    assert_problem(api.get(f"/api/v1/{accident}/"), status, code)


@broken
def test_an_error_may_carry_more_members(api: APIClient) -> None:
    assert api.get("/api/v1/conflict/").json()["lamp"] == "/lamps/1/"
    assert api.get("/api/v1/full/")["Retry-After"] == "1"


@broken
def test_an_error_in_a_middleware_is_a_problem(api: APIClient, settings: object) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.mlbackend.broken.broken_middleware"]
    answer = api.get(ME)
    assert_problem(answer, 500, "internal_error")
    assert SECRET not in answer.content.decode()


@pytest.mark.django_db(transaction=True)
@broken
def test_a_lost_connection_is_503_and_the_next_request_is_answered(api: APIClient) -> None:
    assert_problem(api.get("/api/v1/hang-up/"), 503, "unavailable")
    connection.close()  # what Django does at the end of a request, but not under its test client
    assert_problem(api.post("/api/v1/auth/token/", {"username": "alice", "password": "x"}), 401, "no_active_account")
