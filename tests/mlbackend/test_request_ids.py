import io
import json
import logging
import re

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from rest_framework.test import APIClient

from experiments.request_id import request_id
from mlbackend.logs import JsonFormatter, PlainFormatter
from mlbackend.middleware import RequestIdMiddleware
from tests.problems import assert_problem

MADE = re.compile(r"[0-9a-f]{32}")
broken = pytest.mark.urls("tests.mlbackend.broken")

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("given", ["a", "web-1:2026.10_7", "0b1c9a6e-6f0e-4c7b-9a36-0f4a1c2d3e4f", "x" * 64])
def test_a_plain_id_goes_in_and_comes_out(api: APIClient, given: str) -> None:
    answer = api.get("/nothing", HTTP_X_REQUEST_ID=given)
    assert answer["X-Request-ID"] == given
    assert assert_problem(answer, 404, "not_found")["request_id"] == given


@pytest.mark.parametrize(
    "given", ["", " ", "x" * 65, "a b", "a\r\nSet-Cookie: a=b", "a\n", "<b>", "é", "\0", "{}", "a/../b"]
)
def test_a_hostile_id_is_replaced(api: APIClient, given: str) -> None:
    assert MADE.fullmatch(api.get("/nothing", HTTP_X_REQUEST_ID=given)["X-Request-ID"])


def test_each_request_has_an_id_of_its_own_also_when_all_is_well(api: APIClient) -> None:
    ids = {api.get("/healthz")["X-Request-ID"] for _ in range(3)}
    assert len(ids) == 3
    assert all(MADE.fullmatch(one) for one in ids)


@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
def test_a_refused_body_has_an_id_too(api: APIClient, kind: str) -> None:
    answer = api.generic("POST", "/nothing", b"x" * 2_000_000, kind, HTTP_X_REQUEST_ID="mine")
    assert assert_problem(answer, 413, "body_too_large")["request_id"] == "mine"


@broken
@pytest.mark.parametrize("formatter", [JsonFormatter(), PlainFormatter()])
def test_the_log_lines_of_a_request_carry_its_id(api: APIClient, formatter: logging.Formatter) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter)
    logging.getLogger().addHandler(handler)
    api.get("/api/v1/says-hello/", HTTP_X_REQUEST_ID="mine")
    logging.getLogger().removeHandler(handler)
    lines = written.getvalue().splitlines()
    assert len(lines) == 2  # the view's own, and the request's
    assert all("hello" in line and "mine" in line for line in lines)


def test_the_id_ends_with_its_request(rf: RequestFactory) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        assert request_id.get() == "mine"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        RequestIdMiddleware(view)(rf.get("/", HTTP_X_REQUEST_ID="mine"))
    assert request_id.get() == ""


def test_a_line_break_in_a_path_makes_no_log_line(api: APIClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mlbackend.request")
    api.get("/a%0aERROR%20forged")
    [record] = [record for record in caplog.records if record.name == "mlbackend.request"]
    assert "\n" not in record.getMessage()


@broken
def test_a_json_log_line_is_one_object_also_with_a_traceback(api: APIClient, caplog: pytest.LogCaptureFixture) -> None:
    api.get("/api/v1/bug/", HTTP_X_REQUEST_ID="mine")
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert json.loads(line)["traceback"].startswith("Traceback")
