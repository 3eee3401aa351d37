"""`/metrics`: who may read it, what it says about requests, and that no caller can make it grow."""

import random
import re
import string
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from mlbackend.accounts.models import User
from tests.problems import assert_problem

TOKEN = "the-scraper-s-own-token.0123456789"
HEADER = f"Bearer {TOKEN}"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


def read(api: APIClient) -> dict[tuple[str, ...], float]:
    """The page's samples by name and the values of their labels, in the order of the labels' names."""
    page = api.get("/metrics", HTTP_AUTHORIZATION=HEADER)
    assert page.status_code == 200, page.content
    families = text_string_to_metric_families(page.content.decode())
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in families
        for sample in family.samples
    }


def requests(api: APIClient) -> Callable[..., float]:
    """How many more requests than now there were of a method, a route and a status."""
    before = read(api)
    return lambda *labels: (
        read(api).get(("mlbackend_http_requests_total", *labels), 0)
        - before.get(("mlbackend_http_requests_total", *labels), 0)
    )


def test_without_a_token_set_there_is_no_page(api: APIClient, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    for header in ("", "Bearer ", HEADER):
        body = assert_problem(api.get("/metrics", HTTP_AUTHORIZATION=header), 404, "not_found")
        assert body["detail"] == "There are no metrics here: METRICS_TOKEN is not set."


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", f"{HEADER}x", HEADER[:-1], "Bearer \xe9"]
)
def test_without_the_token_nothing_is_shown(api: APIClient, header: str) -> None:
    answer = api.get("/metrics", HTTP_AUTHORIZATION=header)
    assert_problem(answer, 401, "not_authenticated")
    assert b"mlbackend_" not in answer.content


def test_a_login_is_no_token_of_a_scraper(api: APIClient, boss: User) -> None:
    answer = api.get("/metrics", HTTP_AUTHORIZATION=f"Bearer {AccessToken.for_user(boss)}")
    assert_problem(answer, 401, "not_authenticated")


def test_the_page_can_only_be_read(api: APIClient) -> None:
    answer = api.post("/metrics", {}, HTTP_AUTHORIZATION=HEADER)
    assert_problem(answer, 405, "method_not_allowed")
    assert answer["Allow"] == "GET, HEAD"
    assert api.head("/metrics", HTTP_AUTHORIZATION=HEADER).status_code == 200


def test_a_format_that_cannot_be_read_is_the_usual_one(api: APIClient) -> None:
    answer = api.get(
        "/metrics", headers={"Authorization": HEADER, "Accept": "application/openmetrics-text;version=abc"}
    )
    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (200, "text/plain")


def test_the_page_is_prometheus_text_or_openmetrics_as_is_asked_for(api: APIClient) -> None:
    plain = api.get("/metrics", HTTP_AUTHORIZATION=HEADER)
    assert plain["Content-Type"].startswith("text/plain; version=0.0.4")
    accepted = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    other = api.get("/metrics", HTTP_AUTHORIZATION=HEADER, HTTP_ACCEPT=accepted)
    assert other["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert other.content.endswith(b"# EOF\n")


def test_what_runs_is_told(api: APIClient) -> None:
    [(name, django, python, version)] = [key for key in read(api) if key[0] == "mlbackend_build_info"]
    assert read(api)[name, django, python, version] == 1
    assert re.fullmatch(r"5\.2\.\d+", django)
    assert python.startswith("3.11.")
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)


def test_a_request_counts_under_its_routes_pattern_with_its_time(api: APIClient) -> None:
    count = requests(api)
    before = read(api)
    for number in (1, 22, 333):
        api.get(f"/api/v1/products/{number}/")
    route = "api/v1/products/<int:pk>/"
    assert count("GET", route, "404") == 3
    took = ("mlbackend_http_request_duration_seconds_count", "GET", route)
    assert read(api)[took] - before.get(took, 0) == 3


def test_what_is_refused_before_any_route_is_counted_too(api: APIClient) -> None:
    count = requests(api)
    api.post("/api/v1/auth/token/", {}, CONTENT_LENGTH="99999999")
    api.get("/healthz", HTTP_HOST="elsewhere.example.com")
    assert count("POST", "unmatched", "413") == 1
    assert count("GET", "unmatched", "400") == 1


def test_an_error_nobody_thought_of_is_counted(api: APIClient, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.mlbackend.broken"
    count = requests(api)
    api.get("/api/v1/bug/")
    assert count("GET", "api/v1/bug/", "500") == 1


def test_no_caller_makes_new_series(api: APIClient) -> None:
    def any_text() -> str:
        return "".join(random.choices(string.ascii_letters, k=12))

    def call() -> None:
        for _ in range(20):
            api.get(f"/{any_text()}")
            api.get(f"/api/v1/{any_text()}/?{any_text()}={any_text()}")
            api.get(f"/api/v1/products/{random.randrange(10**9)}/", HTTP_X_REQUEST_ID=any_text())
            api.get(f"/media/{any_text()}.png", HTTP_USER_AGENT=any_text())
            api.get(f"/admin/{any_text()}/")
            api.generic(any_text().upper(), "/healthz")
            api.post(f"/api/v1/predict/{any_text()}/", {"text": any_text()})

    call()
    before = set(read(api))
    call()
    assert set(read(api)) == before
