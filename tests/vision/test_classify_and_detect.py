import hashlib

import pytest
from rest_framework.test import APIClient

from experiments import serving
from experiments.models import Prediction
from tests.problems import assert_problem
from tests.queries import pinned_queries
from tests.vision.conftest import BLUE, RED, Names, Tint, Version, picture, pictured, upload
from vision.tasks import embed_pictures

CLASSIFY, DETECT = "products/classify-image/", "vision/detect/"


def category_of(answer: object) -> dict[str, object] | None:
    assert answer.status_code == 200, answer.content
    return answer.json()["shop_category"]


def test_a_picture_is_classified_and_the_answer_logged(alice: APIClient, online: Version) -> None:
    online("image")
    body = upload(alice, CLASSIFY, picture(BLUE)).json()
    row = Prediction.objects.get()
    first = {"label": "n0", "description": "blue", "confidence": 0.25}
    assert body["success"] is True
    assert len(body["classification"]["predictions"]) == 5
    assert body["classification"]["predictions"][0] == body["classification"]["top_prediction"] == first
    assert body["shop_category"] is None
    assert (body["model"], body["version"], body["prediction_id"]) == ("scripted", 1, str(row.pk))
    assert (row.task, row.user_id, row.confidence) == ("image", alice.user.pk, 0.25)
    assert row.input == {"image": {"sha256": hashlib.sha256(picture(BLUE)).hexdigest(), "bytes": len(picture(BLUE))}}


def test_a_head_of_the_live_embedding_says_the_shops_own_category(alice: APIClient, online: Version) -> None:
    online("image")
    online("category", embedding=online("image_embedding").digest)
    assert category_of(upload(alice, CLASSIFY, picture(BLUE))) == {"category": "blue", "confidence": 0.9}
    logged = Prediction.objects.get(task="category")
    assert (logged.user_id, logged.confidence, logged.version) == (alice.user.pk, 0.9, 1)
    assert set(logged.input["vector"]) == {"sha256", "numbers"}
    assert Prediction.objects.count() == 2


def test_a_head_goes_on_with_the_network_that_is_searched_when_another_is_live(
    alice: APIClient, online: Version
) -> None:
    online("image")
    first = online("image_embedding")
    online("category", embedding=first.digest)
    pictured("red")
    embed_pictures.call()
    online("image_embedding", turn=3)
    assert category_of(upload(alice, CLASSIFY)) == {"category": "red", "confidence": 0.9}
    embed_pictures.call()
    serving.refresh()
    assert category_of(upload(alice, CLASSIFY)) is None


@pytest.mark.parametrize("tasks", [(), ("image_embedding",), ("category",), ("image_embedding", "category")])
def test_without_a_head_of_a_network_at_work_there_is_no_category(
    alice: APIClient, online: Version, tasks: tuple[str, ...]
) -> None:
    online("image")
    for task in tasks:
        online(task)
    assert category_of(upload(alice, CLASSIFY)) is None


def test_an_embedding_that_fails_costs_the_category_and_nothing_else(
    alice: APIClient, online: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    online("image")
    online("category", embedding=online("image_embedding").digest)

    def fail(batch: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Tint, "before", staticmethod(fail))
    assert category_of(upload(alice, CLASSIFY)) is None


def test_a_classifier_that_fails_is_503_and_logged(
    alice: APIClient, online: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    online("image")

    def fail(batch: object) -> None:
        raise RuntimeError("the secret of the model")

    monkeypatch.setattr(Names, "before", staticmethod(fail))
    body = assert_problem(upload(alice, CLASSIFY), 503, "model_unavailable")
    assert "secret" not in str(body)
    assert Prediction.objects.get().status == "error"


@pytest.mark.parametrize("path", [CLASSIFY, DETECT])
def test_without_a_network_the_answer_is_503_and_says_so(alice: APIClient, path: str) -> None:
    body = assert_problem(upload(alice, path), 503, "model_unavailable")
    assert "There is no live model for" in body["detail"]


def test_objects_are_found_with_their_boxes(alice: APIClient, online: Version) -> None:
    online("detect")
    body = upload(alice, DETECT, picture(RED)).json()
    box = {"x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0}
    assert body == {
        "objects": [{"label": "lamp", "confidence": 0.75, "box": box}],
        "model": "scripted",
        "version": 1,
        "prediction_id": str(Prediction.objects.get(task="detect").pk),
    }


def test_the_number_of_queries_is_small(alice: APIClient, online: Version) -> None:
    online("image")
    online("detect")
    online("category", embedding=online("image_embedding").digest)
    with pinned_queries("classify an image"):
        upload(alice, CLASSIFY)
    with pinned_queries("detect objects"):
        upload(alice, DETECT)
