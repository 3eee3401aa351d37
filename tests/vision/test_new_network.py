"""A new network is searched with when every picture has its vector; until then the one before answers."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from rest_framework.test import APIClient

from experiments import serving
from experiments.models import ModelVersion, Prediction
from experiments.registry import version_promote, version_rollback
from tests.concurrency import at_once
from tests.vision.conftest import BLUE, RED, Version, picture, pictured, upload
from vision import tasks
from vision.models import ImageEmbedding, Searched
from vision.selectors import SEARCHED
from vision.tasks import embed_pictures, sweep_pictures

PATH = "products/search-by-image/"


def asked(client: APIClient) -> tuple[int, list[str]]:
    """Which version answered a search for red, and what it found."""
    answer = upload(client, PATH, picture(RED), n=1)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert Prediction.objects.get(pk=body["prediction_id"]).version == body["version"]
    return body["version"], [one["product"]["name"] for one in body["results"]]


@pytest.fixture
def walls(online: Version) -> ModelVersion:
    """A red wall and a blue one, searched with version 1."""
    row = online("image_embedding")
    pictured("red", RED)
    pictured("blue", BLUE)
    embed_pictures.call()
    serving.refresh()
    return row


def test_a_complete_network_is_searched_with(alice: APIClient, walls: ModelVersion) -> None:
    assert Searched.objects.get().version == walls
    assert asked(alice) == (1, ["red"])


def test_before_anything_is_complete_the_live_network_searches_what_there_is(
    alice: APIClient, online: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    online("image_embedding")
    pictured("red", RED)
    embed_pictures.call()
    Searched.objects.all().delete()
    pictured("rose", (250, 20, 20))
    assert asked(alice) == (1, ["red"])


def test_the_old_network_answers_until_the_new_one_has_seen_every_picture(
    alice: APIClient, walls: ModelVersion, online: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    online("image_embedding", turn=3)
    assert asked(alice) == (1, ["red"])
    monkeypatch.setattr(tasks, "MOST", 1)
    embed_pictures.call()
    serving.refresh()
    assert ImageEmbedding.objects.filter(version=2).count() == 1
    assert asked(alice) == (1, ["red"])
    embed_pictures.call()
    serving.refresh()
    assert asked(alice) == (2, ["red"])


def test_a_new_process_searches_with_the_old_network_too(
    alice: APIClient, walls: ModelVersion, online: Version
) -> None:
    online("image_embedding", turn=3)
    serving._loaded.clear()
    serving._kept.clear()
    assert asked(alice) == (1, ["red"])


def test_a_process_that_is_a_moment_behind_still_finds_what_it_searches(
    alice: APIClient, walls: ModelVersion, online: Version
) -> None:
    online("image_embedding", turn=3)
    sweep_pictures()
    assert Searched.objects.get().version.version == 2
    assert asked(alice) == (1, ["red"])  # no look at the database yet
    sweep_pictures()
    assert asked(alice) == (1, ["red"])


def test_pictures_that_come_meanwhile_are_found_with_the_old_network(
    alice: APIClient, walls: ModelVersion, online: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    online("image_embedding", turn=3)
    pictured("redder", (255, 5, 5))
    pictured("broken", data=b"no picture")
    embed_pictures.call()
    assert {row.version for row in ImageEmbedding.objects.filter(product__name="redder")} == {1, 2}
    assert asked(alice)[0] == 1
    serving.refresh()
    assert asked(alice)[0] == 2


def test_the_old_vectors_go_some_time_after_the_switch(walls: ModelVersion, online: Version) -> None:
    online("image_embedding", turn=3)
    sweep_pictures()
    sweep_pictures()
    assert ImageEmbedding.objects.filter(version=1).count() == 2
    Searched.objects.update(since=timezone.now() - timedelta(minutes=11))
    serving.refresh()
    sweep_pictures()
    assert set(ImageEmbedding.objects.values_list("version", flat=True)) == {2}


def test_after_a_rollback_the_network_before_is_searched_with_again(
    alice: APIClient, walls: ModelVersion, online: Version
) -> None:
    online("image_embedding", turn=3)
    embed_pictures.call()
    ImageEmbedding.objects.filter(version=1).delete()
    serving.refresh()
    version_rollback(task="image_embedding")
    serving.refresh()
    assert asked(alice) == (2, ["red"])
    embed_pictures.call()
    serving.refresh()
    assert asked(alice) == (1, ["red"])


def test_a_network_that_saw_everything_before_it_went_live_takes_over_at_once(
    alice: APIClient, walls: ModelVersion, scripted: Version
) -> None:
    scripted("image_embedding", turn=3)
    call_command("embed_images", version_number=2, verbosity=0)
    assert asked(alice) == (1, ["red"])
    version_promote(task="image_embedding", version=2, force=True, reason="for a test")
    serving.refresh()
    assert asked(alice) == (1, ["red"])
    embed_pictures.call()
    serving.refresh()
    assert asked(alice) == (2, ["red"])


def test_one_network_is_in_memory_once(walls: ModelVersion, online: Version) -> None:
    assert serving.kept(SEARCHED, "image_embedding") is serving.live("image_embedding")
    online("image_embedding", turn=3)
    assert serving.kept(SEARCHED, "image_embedding").version == 1
    embed_pictures.call()
    serving.refresh()
    assert SEARCHED not in serving._loaded


@pytest.mark.django_db(transaction=True)
def test_no_search_fails_or_comes_back_empty_during_the_switch(
    alice: APIClient, online: Version, scripted: Version
) -> None:
    online("image_embedding")
    pictured("red", RED)
    embed_pictures.call()
    serving.refresh()
    done = threading.Event()

    def switch() -> list[Any]:
        for turn in range(1, 6):
            row = scripted("image_embedding", turn=3 * turn)
            version_promote(task="image_embedding", version=row.version, force=True, reason="for a test")
            serving.refresh()
            embed_pictures.call()
            serving.refresh()
        done.set()
        return []

    def search() -> list[Any]:
        found = []
        while not done.is_set():
            found.append(asked(alice))
        return found

    answers = [answer for found in at_once(switch, search) for answer in found]
    assert {tuple(names) for _, names in answers} == {("red",)}
    versions = [version for version, _ in answers]
    assert versions == sorted(versions)
