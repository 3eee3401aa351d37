"""Pictures get their vectors by a job, which finds what is to be done in the rows."""

import hashlib
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django_tasks_db.models import DBTaskResult
from rest_framework.test import APIClient

from experiments.batching import Closed
from reviews.models import Product
from tests import shop
from tests.concurrency import at_once
from tests.vision.conftest import BLUE, GREEN, RED, Tint, Version, picture, pictured
from vision import tasks
from vision.models import ImageEmbedding, Searched
from vision.tasks import embed_pictures, sweep_pictures

PRODUCTS = f"{shop.API}/products/"


def file_of(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("p.png", content)


def vectors() -> dict[str, int]:
    """The names of the products that have a vector, and the version it is of."""
    rows = ImageEmbedding.objects.filter(vector__isnull=False)
    return dict(rows.values_list("product__name", "version"))


def test_a_vector_says_which_file_it_is_of(online: Version) -> None:
    online("image_embedding")
    product = pictured("red")
    assert embed_pictures.call() == 1
    row = ImageEmbedding.objects.get()
    assert (row.product, row.version, row.picture) == (product, 1, product.image.name)
    assert row.digest == hashlib.sha256(picture(RED)).hexdigest()
    assert list(row.vector[:3]) == pytest.approx([251 / 251.5, 11 / 251.5, 11 / 251.5], abs=1e-2)


def test_the_job_does_nothing_twice(online: Version) -> None:
    online("image_embedding")
    pictured("red")
    pictured("blue", BLUE)
    shop.product("no picture")
    assert embed_pictures.call() == 2
    assert embed_pictures.call() == 0


@pytest.mark.parametrize(("body", "jobs"), [({"image": True}, 1), ({"name": "Another"}, 0), ({"image": None}, 0)])
def test_only_a_new_picture_queues_the_job(
    staff: APIClient, body: dict[str, Any], jobs: int, django_capture_on_commit_callbacks: Any
) -> None:
    product = pictured("red")
    if body.get("image"):
        body = {"image": file_of(picture(BLUE))}
    with django_capture_on_commit_callbacks(execute=True):
        changed = staff.patch(f"{PRODUCTS}{product.pk}/", body, format="json" if None in body.values() else "multipart")
    assert changed.status_code == 200, changed.content
    assert DBTaskResult.objects.filter(task_path="vision.tasks.embed_pictures").count() == jobs


def test_a_product_that_comes_with_a_picture_queues_the_job(
    staff: APIClient, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        staff.post(PRODUCTS, {"name": "red", "image": file_of(picture())}, format="multipart")
    assert DBTaskResult.objects.filter(task_path="vision.tasks.embed_pictures").count() == 1


def test_a_replaced_picture_gets_another_vector(staff: APIClient, online: Version) -> None:
    online("image_embedding")
    product = pictured("lamp")
    embed_pictures.call()
    staff.patch(f"{PRODUCTS}{product.pk}/", {"image": file_of(picture(BLUE))}, format="multipart")
    assert embed_pictures.call() == 1
    row = ImageEmbedding.objects.get()
    assert row.digest == hashlib.sha256(picture(BLUE)).hexdigest()
    assert row.vector[2] > row.vector[0]


def test_a_picture_that_is_taken_away_takes_its_vector_along(staff: APIClient, online: Version) -> None:
    online("image_embedding")
    product = pictured("lamp")
    embed_pictures.call()
    assert staff.patch(f"{PRODUCTS}{product.pk}/", {"image": None}).status_code == 200
    assert not ImageEmbedding.objects.exists()


def test_the_sweep_finds_pictures_that_came_and_went_without_a_word(online: Version) -> None:
    online("image_embedding")
    first, second = pictured("first"), pictured("second")
    sweep_pictures()
    assert set(vectors()) == {"first", "second"}
    Product.objects.filter(pk=first.pk).update(image="")
    Product.objects.bulk_create([Product(name="third", image=second.image.name)])
    sweep_pictures()
    assert set(vectors()) == {"second", "third"}


def test_a_deleted_product_takes_its_vector_along(staff: APIClient, online: Version) -> None:
    online("image_embedding")
    product = pictured("lamp")
    embed_pictures.call()
    assert staff.delete(f"{PRODUCTS}{product.pk}/").status_code == 204
    assert not ImageEmbedding.objects.exists()


@pytest.mark.parametrize("data", [b"no picture", picture()[:40], b"<svg/>"], ids=["text", "half", "svg"])
def test_what_is_no_picture_is_noted_and_not_tried_for_ever(online: Version, data: bytes) -> None:
    online("image_embedding")
    pictured("broken", data=data)
    for number in range(3):
        pictured(f"fine {number}")
    assert embed_pictures.call() == 4
    assert len(vectors()) == 3
    assert ImageEmbedding.objects.get(vector=None).product.name == "broken"
    assert embed_pictures.call() == 0


def test_a_missing_file_is_noted_too(online: Version) -> None:
    online("image_embedding")
    product = pictured("gone")
    Path(product.image.path).unlink()
    assert embed_pictures.call() == 1
    row = ImageEmbedding.objects.get()
    assert (row.vector, row.digest) == (None, "")


def test_a_picture_that_the_network_fails_on_is_noted(online: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    online("image_embedding")
    pictured("bad", GREEN)
    pictured("good", RED)

    def fail_on_green(batch: Any) -> None:
        if any(one.image.data == picture(GREEN) for one in batch):
            raise RuntimeError("no green")

    monkeypatch.setattr(Tint, "before", staticmethod(fail_on_green))
    embed_pictures.call()
    assert set(vectors()) == {"good"}


def test_a_network_that_answers_nothing_at_all_notes_nothing(online: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    online("image_embedding")
    pictured("red")

    def fail(batch: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Tint, "before", staticmethod(fail))
    with pytest.raises(RuntimeError, match="broken"):
        embed_pictures.call()
    assert not ImageEmbedding.objects.exists()
    assert not Searched.objects.exists()


def test_without_a_network_the_jobs_wait(db: None) -> None:
    pictured("red")
    assert embed_pictures.call() == 0
    sweep_pictures()
    assert not ImageEmbedding.objects.exists()


def test_a_network_that_is_swapped_meanwhile_ends_the_run_and_loses_nothing(
    online: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    online("image_embedding")
    pictured("red")

    def swapped(batch: Any) -> None:
        raise Closed

    monkeypatch.setattr(Tint, "before", staticmethod(swapped))
    assert embed_pictures.call() == 0
    monkeypatch.setattr(Tint, "before", staticmethod(lambda batch: None))
    assert embed_pictures.call() == 1


def test_a_run_has_an_end_and_the_next_one_goes_on(online: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    online("image_embedding")
    monkeypatch.setattr(tasks, "MOST", 3)
    monkeypatch.setattr(tasks, "BATCH", 2)
    for number in range(5):
        pictured(f"red {number}")
    assert embed_pictures.call() == 3
    assert DBTaskResult.objects.filter(task_path="vision.tasks.embed_pictures").count() == 1
    assert not Searched.objects.exists()
    assert embed_pictures.call() == 2
    assert Searched.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_each_takes_what_the_other_does_not(online: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    online("image_embedding")
    monkeypatch.setattr(tasks, "BATCH", 2)
    for number in range(8):
        pictured(f"red {number}")
    seen: list[bytes] = []
    together = threading.Barrier(2, timeout=10)

    def note(batch: Any) -> None:
        if not seen:
            together.wait()
        seen.extend(one.image.data for one in batch)

    monkeypatch.setattr(Tint, "before", staticmethod(note))
    done = at_once(embed_pictures.call, embed_pictures.call)
    assert (sum(done), len(seen), len(vectors())) == (8, 8, 8)
    assert sweep_pictures() is None
    assert Searched.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_product_that_goes_while_its_picture_is_looked_at_is_no_error(
    online: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    online("image_embedding")
    pictured("stays")
    going = pictured("goes")

    def delete(batch: Any) -> None:
        at_once(lambda: Product.objects.filter(pk=going.pk).delete())

    monkeypatch.setattr(Tint, "before", staticmethod(delete))
    embed_pictures.call()
    assert set(vectors()) == {"stays"}


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_leaves_the_batch_to_the_next_one(online: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    online("image_embedding")
    monkeypatch.setattr(tasks, "BATCH", 1)
    for number in range(3):
        pictured(f"red {number}")
    calls: list[int] = []

    def die(batch: Any) -> None:
        calls.append(len(batch))
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Tint, "before", staticmethod(die))
    with pytest.raises(KeyboardInterrupt):
        embed_pictures.call()
    assert len(vectors()) == 1
    assert embed_pictures.call() == 2


@pytest.mark.django_db(transaction=True)
def test_customers_do_not_wait_for_a_picture_that_is_looked_at(
    online: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    online("image_embedding")
    product = pictured("red")

    def view() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '1s'")
        Product.objects.filter(pk=product.pk).update(view_count=1)

    monkeypatch.setattr(Tint, "before", staticmethod(lambda batch: at_once(view)))
    assert embed_pictures.call() == 1
    product.refresh_from_db()
    assert product.view_count == 1
