"""What looks like a product, beside it."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from experiments.models import Prediction
from reviews.models import Product
from tests import shop
from tests.problems import assert_problem
from tests.queries import pinned_queries
from tests.recommendations.conftest import ids
from tests.vision.conftest import BLUE, GREEN, RED, Version, online, pictured, scripted
from vision.tasks import embed_pictures

__all__ = ["online", "scripted"]  # fixtures
Walls = dict[str, Product]


def similar(client: APIClient, pk: object, **query: object) -> Any:
    return client.get(f"{shop.API}/products/{pk}/similar/", {"by": "image", **query})


@pytest.fixture
def walls(online: Version) -> Walls:
    online("image_embedding")
    colours = {"red": RED, "rose": (250, 60, 60), "violet": (200, 0, 200), "blue": BLUE, "green": GREEN}
    made = {name: pictured(name, colour) for name, colour in colours.items()}
    embed_pictures.call()
    return made


def test_anyone_sees_what_looks_like_a_product(visitor: APIClient, walls: Walls) -> None:
    body = similar(visitor, walls["red"].pk, n=2).json()
    first, second = body["recommendations"]
    assert [first["name"], second["name"]] == ["rose", "violet"]
    assert first["reason"] == {"kind": "image", "product": walls["red"].pk, "text": "Looks like red."}
    assert 0.9 < first["similarity_score"] == first["score"] <= 1
    assert first["predicted_rating"] is None
    del body["recommendations"]
    logged = Prediction.objects.get(task="recommend")
    assert body == {
        "method": "image", "model": "image_embedding", "version": 1, "prediction_id": str(logged.pk),
        "degraded": False, "shortfall": 0,
    }  # fmt: skip
    assert (logged.algorithm, logged.version, logged.user_id, logged.status) == ("image_embedding", None, None, "ok")
    assert [one["product"] for one in logged.output["products"]] == [first["id"], second["id"]]


def test_a_product_is_never_like_itself(visitor: APIClient, walls: Walls) -> None:
    answer = similar(visitor, walls["blue"].pk, n=100)
    assert walls["blue"].pk not in ids(answer)
    assert (len(ids(answer)), answer.json()["shortfall"]) == (4, 96)


def test_a_product_without_a_picture_says_so(visitor: APIClient, walls: Walls) -> None:
    product = shop.product("bare")
    body = assert_problem(similar(visitor, product.pk), 400, "invalid", "by")
    assert body["detail"] == f"by: Product {product.pk} has no picture, or none that was looked at yet."


def test_an_unknown_product_is_not_found(visitor: APIClient, walls: Walls) -> None:
    for pk in ("999999999", "1" + "0" * 30):
        assert_problem(similar(visitor, pk), 404, "not_found")
    assert not Prediction.objects.filter(task="recommend").exists()


def test_without_a_network_the_answer_is_503(visitor: APIClient) -> None:
    assert_problem(similar(visitor, shop.product().pk), 503, "model_unavailable")


def test_by_is_one_of_two(visitor: APIClient, walls: Walls) -> None:
    assert_problem(visitor.get(f"{shop.API}/products/1/similar/", {"by": "smell"}), 400, "invalid", "by")


def test_the_number_of_queries_is_small(visitor: APIClient, walls: Walls) -> None:
    with pinned_queries("similar products by image"):
        ids(similar(visitor, walls["red"].pk))
