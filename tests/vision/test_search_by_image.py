from typing import Any

import pytest
from rest_framework.test import APIClient

from experiments.models import Prediction
from tests import shop
from tests.problems import assert_problem
from tests.queries import pinned_queries
from tests.vision.conftest import BLUE, GREEN, RED, Version, picture, pictured, upload
from vision.tasks import embed_pictures

PATH = "products/search-by-image/"


def found(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [one["product"]["name"] for one in answer.json()["results"]]


@pytest.fixture
def walls(online: Version) -> None:
    """Six walls from red over violet to blue, two of them dear, and a product without a picture."""
    online("image_embedding")
    for number in range(6):
        colour = (250 - 50 * number, 0, 50 * number)
        pictured(f"wall {number}", colour, category="dear" if number % 3 == 2 else "cheap", price=10 * number or None)
    shop.product("no picture", category="cheap")
    assert embed_pictures.call() == 6


def test_what_looks_most_like_the_picture_comes_first(alice: APIClient, walls: None) -> None:
    answer = upload(alice, PATH, picture((250, 0, 0)), n=3)
    body = answer.json()
    assert found(answer) == ["wall 0", "wall 1", "wall 2"]
    similarities = [one["similarity"] for one in body["results"]]
    assert similarities[0] == pytest.approx(1, abs=1e-6)
    assert similarities == sorted(similarities, reverse=True)
    assert (body["shortfall"], body["model"], body["version"]) == (0, "scripted", 1)


def test_a_product_is_shown_as_everywhere_else(alice: APIClient, walls: None) -> None:
    [one] = upload(alice, PATH, picture((0, 0, 250)), n=1).json()["results"]
    assert one["product"] == alice.get(f"{shop.API}/products/{one['product']['id']}/").json()


def test_the_log_holds_what_was_asked_and_found_and_nothing_of_the_picture(alice: APIClient, walls: None) -> None:
    sent = picture((250, 0, 0))
    body = upload(alice, PATH, sent, n=2, category="cheap").json()
    row = Prediction.objects.get(pk=body["prediction_id"])
    assert (row.task, row.version, row.user_id, row.status) == ("image_embedding", 1, alice.user.pk, "ok")
    assert row.input["n"] == 2
    assert row.input["filters"] == {"category": "cheap"}
    assert row.input["image"].keys() == {"sha256", "bytes"}
    assert row.input["image"]["bytes"] == len(sent)
    assert [one["product"] for one in row.output["products"]] == [one["product"]["id"] for one in body["results"]]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"category": "dear"}, ["wall 2", "wall 5"]),
        ({"price_max": 20}, ["wall 1", "wall 2"]),
        ({"price_min": 20, "price_max": 40, "category": "cheap"}, ["wall 3", "wall 4"]),
        ({"category": "", "price_min": 50}, ["wall 5"]),
        ({"category": "none"}, []),
    ],
)
def test_filters_leave_what_matches(alice: APIClient, walls: None, filters: dict[str, Any], names: list[str]) -> None:
    answer = upload(alice, PATH, picture((250, 0, 0)), n=10, **filters)
    assert found(answer) == names
    assert answer.json()["shortfall"] == 10 - len(names)


@pytest.mark.parametrize("n", ["0", "-1", "101", "x", "1.5"])
def test_n_out_of_its_bounds_is_refused(alice: APIClient, walls: None, n: str) -> None:
    assert_problem(upload(alice, PATH, n=n), 400, "invalid", "n")


def test_a_filter_out_of_its_bounds_is_refused(alice: APIClient, walls: None) -> None:
    assert_problem(upload(alice, PATH, price_max="nan"), 400, "invalid", "price_max")
    assert_problem(upload(alice, PATH, category="x" * 101), 400, "invalid", "category")


def test_ten_are_found_when_nothing_is_said(alice: APIClient, walls: None) -> None:
    for number in range(8):
        pictured(f"more {number}", GREEN)
    embed_pictures.call()
    assert len(found(upload(alice, PATH, picture(RED)))) == 10


def test_a_product_that_was_deleted_is_found_no_more(alice: APIClient, staff: APIClient, walls: None) -> None:
    [first] = upload(alice, PATH, picture((250, 0, 0)), n=1).json()["results"]
    assert staff.delete(f"{shop.API}/products/{first['product']['id']}/").status_code == 204
    assert found(upload(alice, PATH, picture((250, 0, 0)), n=1)) == ["wall 1"]


def test_in_a_shop_without_pictures_nothing_is_found(alice: APIClient, online: Version) -> None:
    online("image_embedding")
    answer = upload(alice, PATH)
    assert (found(answer), answer.json()["shortfall"]) == ([], 10)


def test_without_a_network_the_answer_is_503_and_says_so(alice: APIClient) -> None:
    body = assert_problem(upload(alice, PATH), 503, "model_unavailable")
    assert "image_embedding" in body["detail"]


def test_visitors_search_nothing(visitor: APIClient, walls: None) -> None:
    assert_problem(upload(visitor, PATH), 401, "not_authenticated")
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("n", [2, 5])
def test_the_number_of_queries_does_not_grow_with_n(alice: APIClient, walls: None, n: int) -> None:
    upload(alice, PATH)
    with pinned_queries("search by image"):
        found(upload(alice, PATH, picture(BLUE), n=n))
