"""`models/price/browser/`: what a browser is told of the live version, and the files that it loads."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from rest_framework.test import APIClient

from experiments.models import ModelVersion
from mlbackend.throttling import WindowThrottle
from pricing.ml.browser import browser_files
from tests.problems import assert_problem
from tests.queries import pinned_queries
from tests.shop import API

pytestmark = pytest.mark.django_db
EDITION = f"{API}/models/price/browser/"
Live = Callable[..., ModelVersion]


def addresses(api: APIClient) -> tuple[str, str]:
    """Of model.json, and of the weights as TensorFlow.js finds them: relative to it."""
    url = api.get(EDITION).json()["model_url"]
    [[weights]] = [group["paths"] for group in api.get(url).json()["weightsManifest"]]
    return url, urljoin(url, weights)


def test_it_says_which_version_it_is_how_large_and_how_a_home_is_read(
    visitor: APIClient, priced: ModelVersion, network: Any
) -> None:
    body = visitor.get(EDITION).json()
    facts = json.loads(browser_files(network)["facts.json"])
    assert set(body) == {"version", "model", "format", "model_url", "sha256", "bytes", "preprocessing", "interval"}
    assert (body["version"], body["model"], body["format"]) == (priced.version, "network", "tfjs-layers")
    assert (body["preprocessing"], body["interval"]) == (facts["preprocessing"], facts["interval"])
    downloads = [visitor.get(url).content for url in addresses(visitor)]
    assert body["bytes"] == sum(map(len, downloads))
    assert body["sha256"] == hashlib.sha256(downloads[0]).hexdigest()
    assert body["model_url"] == f"{EDITION}{body['sha256']}/model.json"


def test_the_files_are_those_of_the_version_and_may_be_kept_for_ever_by_pages_of_any_origin(
    visitor: APIClient, priced: ModelVersion, network: Any
) -> None:
    made = browser_files(network)
    for url, kind in zip(addresses(visitor), ["application/json", "application/octet-stream"], strict=True):
        answer = visitor.get(url, HTTP_ACCEPT="text/html")
        assert answer.content == made[url.rpartition("/")[2]]
        assert answer["Content-Type"] == kind
        assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert answer["ETag"] == f'"{visitor.get(EDITION).json()["sha256"]}"'


def test_the_description_is_asked_for_anew_each_time_and_says_when_it_is_the_same(
    visitor: APIClient, priced: ModelVersion
) -> None:
    first = visitor.get(EDITION)
    assert (first["Cache-Control"], first["Access-Control-Allow-Origin"]) == ("no-cache", "*")
    again = visitor.get(EDITION, HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert visitor.get(EDITION, HTTP_IF_NONE_MATCH='"other"').status_code == 200


def test_a_file_that_the_browser_has_is_not_sent_again(visitor: APIClient, priced: ModelVersion) -> None:
    for url in addresses(visitor):
        answer = visitor.get(url, HTTP_IF_NONE_MATCH=visitor.get(url)["ETag"])
        assert (answer.status_code, answer.content) == (304, b"")
        assert "immutable" in answer["Cache-Control"]


def test_a_page_goes_on_with_the_version_that_it_began_with(
    visitor: APIClient, priced: ModelVersion, live: Live, fitted: Callable[..., Any]
) -> None:
    before, first = addresses(visitor), visitor.get(EDITION)
    old = [visitor.get(url).content for url in before]
    other = live("price", predictor=fitted("price", "network"), algorithm="network")
    answer = visitor.get(EDITION, HTTP_IF_NONE_MATCH=first["ETag"])
    assert (answer.status_code, answer.json()["version"]) == (200, other.version)
    assert not set(addresses(visitor)) & set(before)
    assert [visitor.get(url).content for url in before] == old


def test_a_version_that_no_browser_runs_says_so_and_nothing_else_is_served(
    visitor: APIClient, priced: ModelVersion, live: Live, fitted: Callable[..., Any]
) -> None:
    row = live("price", predictor=fitted("price", "boosting"), algorithm="boosting")
    body = assert_problem(visitor.get(EDITION), 404, "not_found")
    assert f"price {row.version} was made by boosting, which does not run in a browser." in body["detail"]


def test_without_a_live_version_there_is_none(visitor: APIClient) -> None:
    body = assert_problem(visitor.get(EDITION), 503, "model_unavailable")
    assert body["detail"] == "There is no live model for price now."


@pytest.mark.parametrize(
    "path",
    ["0" * 64 + "/model.json", "x/model.json", "{sha256}/facts.json", "{sha256}/model", "{sha256}/..%2Fweights.npz",
     "{sha256}/%00", "{sha256}/preprocessing.json", "{sha256}/", "{sha256}", "{SHA256}/model.json", "x" * 5_000 + "/x"],
)  # fmt: skip
def test_there_is_nothing_beside_these_files(visitor: APIClient, priced: ModelVersion, path: str) -> None:
    sha256 = visitor.get(EDITION).json()["sha256"]
    answer = visitor.get(EDITION + path.format(sha256=sha256, SHA256=sha256.upper()))
    assert_problem(answer, 404, "not_found")


def test_pages_of_any_origin_may_read_why_there_is_none(visitor: APIClient, priced: ModelVersion) -> None:
    assert visitor.get(f"{EDITION}x/model.json")["Access-Control-Allow-Origin"] == "*"


def test_what_was_read_once_costs_neither_a_query_nor_a_file(visitor: APIClient, priced: ModelVersion) -> None:
    with pinned_queries("browser edition"):
        first = visitor.get(EDITION).content
    with pinned_queries("a file of the browser edition"):
        model = visitor.get(json.loads(first)["model_url"]).content
    for folder in ("cache", "models/price"):
        shutil.rmtree(settings.DATA_DIR / folder)
    with pinned_queries("browser edition, again"):
        assert visitor.get(EDITION).content == first
        assert visitor.get(json.loads(first)["model_url"]).content == model


def test_files_that_are_not_what_was_stored_are_not_served(visitor: APIClient, priced: ModelVersion) -> None:
    stored = settings.DATA_DIR / "models" / priced.artifact / "browser" / "facts.json"
    stored.write_bytes(stored.read_bytes().replace(b"USD", b"EUR"))
    shutil.rmtree(settings.DATA_DIR / "cache")
    assert_problem(visitor.get(EDITION), 503, "model_unavailable")
    sha256 = priced.manifest["browser/model.json"]["sha256"]
    assert_problem(visitor.get(f"{EDITION}{sha256}/model.json"), 503, "model_unavailable")


def test_it_is_read_only(visitor: APIClient, priced: ModelVersion) -> None:
    for url in (EDITION, *addresses(visitor)):
        head = visitor.head(url)
        assert (head.status_code, head.content) == (200, b"")
        assert visitor.options(url).status_code == 200
        assert_problem(visitor.post(url, {}), 405, "method_not_allowed")


def test_who_asks_too_often_is_told_when_to_come_back(
    visitor: APIClient, priced: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WindowThrottle, "THROTTLE_RATES", {"anon": "3/day"})
    answers = [visitor.get(EDITION) for _ in range(4)]
    assert [answer.status_code for answer in answers[:3]] == [200, 200, 200]
    assert_problem(answers[3], 429, "throttled")


def test_the_page_that_runs_it_is_there_for_anyone_with_the_bounds_of_the_route(visitor: APIClient) -> None:
    page = visitor.get("/demo/price/")
    assert page.status_code == 200
    named = re.findall(r'<input id="(\w+)"[^>]*?min="([^"]+)" max="([^"]+)"', page.content.decode())
    assert named == [("bedrooms", "0", "100"), ("bathrooms", "0.25", "100"), ("sqft", "20", "100000")]
    linked = re.findall(r'(?:src|href)="/static/([^"]+)"', page.content.decode())
    assert len(linked) == 3
    assert all(map(finders.find, linked))
