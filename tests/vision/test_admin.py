from typing import Any

import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from experiments.models import Prediction
from reviews.models import Product
from tests import shop
from tests.vision.conftest import BLUE, RED, Tint, Version, picture, pictured
from vision.admin import ProductAdmin
from vision.models import ImageEmbedding
from vision.tasks import embed_pictures

ADD = reverse("admin:reviews_product_add")
LIST = reverse("admin:vision_imageembedding_changelist")


@pytest.fixture
def boss(staff: APIClient) -> Client:
    """Somebody who may do all, in the admin."""
    staff.user.is_superuser = True
    staff.user.save()
    client = Client()
    client.force_login(staff.user)
    client.user = staff.user
    return client


@pytest.fixture
def head(online: Version) -> None:
    """A live head of the live embedding."""
    online("category", embedding=online("image_embedding").digest)


def page(client: Client, product: Product) -> str:
    answer = client.get(reverse("admin:reviews_product_change", args=[product.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def added(client: Client, **form: Any) -> list[str]:
    """What the page says after a product was added."""
    answer = client.post(ADD, {"name": "Wall", **form}, follow=True)
    assert Product.objects.filter(name="Wall").exists(), answer.content.decode()[-3_000:]
    return [str(one) for one in answer.context["messages"]]


def file(content: bytes = b"") -> SimpleUploadedFile:
    return SimpleUploadedFile("p.png", content or picture(BLUE))


def test_products_have_one_admin_which_is_that_of_this_room() -> None:
    assert type(admin.site._registry[Product]) is ProductAdmin


def test_a_category_is_suggested_for_a_new_product(boss: Client, head: None) -> None:
    first, *_ = said = added(boss, image=file())
    assert first == "Suggested category for Wall: blue (90% sure). It is written by hand."
    assert len(said) == 2
    assert Product.objects.get().category == ""
    assert Prediction.objects.get(task="category").user_id == boss.user.pk


def test_nothing_is_suggested_without_a_picture_or_with_a_category(boss: Client, head: None) -> None:
    assert len(added(boss)) == 1
    assert len(added(boss, image=file(), category="walls")) == 1


def test_the_page_of_a_product_without_category_says_the_suggestion(boss: Client, head: None) -> None:
    assert "red (90% sure)" in page(boss, pictured("wall", RED))
    assert "Suggested category" not in page(boss, pictured("known", RED, category="walls"))
    assert "Suggested category" not in page(boss, shop.product("bare"))
    assert "Suggested category" not in boss.get(ADD).content.decode()


def test_a_new_picture_of_a_product_without_category_gets_a_suggestion(boss: Client, head: None) -> None:
    product = pictured("wall", RED)
    form = {"name": "wall", "description": "", "category": "", "price": "", "seller": ""}
    path = reverse("admin:reviews_product_change", args=[product.pk])
    for sent, count in ((form, 1), ({**form, "image": file()}, 2)):
        answer = boss.post(path, sent, follow=True)
        assert len(list(answer.context["messages"])) == count


def test_without_a_head_or_with_one_that_fails_products_are_added_as_ever(
    boss: Client, online: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(added(boss, image=file())) == 1
    assert "no live model knows" in page(boss, Product.objects.get())
    online("category", embedding=online("image_embedding").digest)

    def fail(batch: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Tint, "before", staticmethod(fail))
    assert len(added(boss, image=file())) == 1


def test_vectors_are_looked_at_and_never_made_changed_or_deleted(boss: Client, online: Version) -> None:
    online("image_embedding")
    pictured("wall", RED)
    pictured("broken", data=b"no picture")
    embed_pictures.call()
    assert "2 " in boss.get(LIST).content.decode()
    assert boss.get(LIST, {"vector__isempty": "1"}).context["cl"].result_count == 1
    assert boss.get(LIST, {"q": "wall"}).context["cl"].result_count == 1
    row = ImageEmbedding.objects.get(product__name="wall")
    path = reverse("admin:vision_imageembedding_change", args=[row.pk])
    assert row.digest in boss.get(path).content.decode()
    assert boss.post(path, {"version": 2}).status_code == 403
    assert boss.get(reverse("admin:vision_imageembedding_add")).status_code == 403
    assert boss.post(reverse("admin:vision_imageembedding_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def test_a_list_costs_the_same_whatever_it_holds(
    boss: Client, online: Version, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    online("image_embedding")
    pictured("wall")
    embed_pictures.call()
    with django_assert_max_num_queries(6) as few:
        boss.get(LIST)
    for number in range(10):
        pictured(f"wall {number}")
    embed_pictures.call()
    with django_assert_num_queries(len(few)):
        boss.get(LIST)


def test_a_product_with_a_vector_is_deleted_in_the_admin(boss: Client, online: Version) -> None:
    online("image_embedding")
    product = pictured("wall")
    embed_pictures.call()
    boss.post(reverse("admin:reviews_product_delete", args=[product.pk]), {"post": "yes"})
    assert not ImageEmbedding.objects.exists()


def test_staff_without_the_right_see_no_vectors(staff: APIClient) -> None:
    client = Client()
    client.force_login(staff.user)
    assert client.get(LIST).status_code == 403
