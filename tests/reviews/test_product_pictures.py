import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from rest_framework.test import APIClient

from reviews.models import Product
from tests import shop
from tests.problems import assert_problem

PRODUCTS = f"{shop.API}/products/"

pytestmark = pytest.mark.django_db


def picture(kind: str = "PNG", size: tuple[int, int] = (8, 6), mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, 1).save(file, kind)
    return file.getvalue()


def announced(width: int, height: int) -> bytes:
    """A PNG that says it has this size and holds next to nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    )


def upload(client: APIClient, content: bytes, name: str = "lamp.png", **form: object) -> Any:
    return client.post(
        PRODUCTS, {"name": "Lamp", "image": SimpleUploadedFile(name, content), **form}, format="multipart"
    )


def stored() -> list[Path]:
    return sorted((Path(project.MEDIA_ROOT) / "products").glob("*"))


@pytest.fixture(autouse=True)
def no_pictures() -> None:
    for path in stored():
        path.unlink()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_is_stored_as_it_was_sent_and_named_by_what_it_is(staff: APIClient, kind: str) -> None:
    sent = picture(kind)
    made = upload(staff, sent, "../../évil name.html", price="5")
    assert made.status_code == 201, made.content
    assert made.json()["price"] == "5.00"
    [path] = stored()
    assert made.json()["image"] == f"http://testserver/media/products/{path.name}"
    assert path.suffix == f".{kind.lower()}"
    assert "vil" not in path.name
    assert path.read_bytes() == sent


@pytest.mark.parametrize(
    "content",
    [
        b"not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a",
        picture(size=(64, 64))[:90],
        picture("JPEG", (64, 64))[:300],
        picture("BMP"),
        picture("TIFF"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"\x89PNG\r\n\x1a\n" + b"\xff" * 100,
    ],
    ids=["text", "svg", "gif-start", "half-png", "half-jpeg", "bmp", "tiff", "eps", "noise"],
)
def test_what_is_no_whole_picture_is_refused(staff: APIClient, content: bytes) -> None:
    body = assert_problem(upload(staff, content), 400, "invalid", "image")
    assert body["errors"][0]["code"] == "invalid_image"
    assert not Product.objects.exists()
    assert stored() == []


def test_an_empty_file_is_refused(staff: APIClient) -> None:
    assert_problem(upload(staff, b""), 400, "invalid", "image")


@pytest.mark.parametrize("side", [5_001, 10_000, 30_000, 2**31 - 1])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(staff: APIClient, side: int) -> None:
    body = assert_problem(upload(staff, announced(side, side)), 400, "invalid", "image")
    assert "25,000,000 pixels" in body["detail"]
    assert body["errors"][0]["code"] == "too_many_pixels"
    assert stored() == []


def test_a_picture_of_just_so_many_pixels_is_taken(staff: APIClient) -> None:
    assert upload(staff, picture(size=(5_000, 5_000), mode="1")).status_code == 201


def test_a_file_over_the_bound_is_too_large(staff: APIClient, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 2_000
    body = assert_problem(upload(staff, picture() + b"x" * 2_000), 413, "body_too_large")
    assert "2,000 bytes" in body["detail"]
    assert not Product.objects.exists()


def test_a_form_field_over_the_bound_is_too_large(staff: APIClient) -> None:
    assert_problem(upload(staff, picture(), description="x" * project.MAX_BODY_BYTES), 413, "body_too_large")


@pytest.mark.parametrize(
    "body", [b"", b"--x", b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n']
)
def test_a_broken_form_is_refused(staff: APIClient, body: bytes) -> None:
    answer = staff.generic("POST", PRODUCTS, body, "multipart/form-data; boundary=x")
    assert_problem(answer, 400, answer.json()["code"])


def test_customers_upload_no_pictures(alice: APIClient, visitor: APIClient) -> None:
    assert_problem(upload(alice, picture()), 403, "permission_denied")
    assert_problem(upload(visitor, picture()), 401, "not_authenticated")
    assert stored() == []


def test_a_replaced_picture_is_deleted(staff: APIClient, django_capture_on_commit_callbacks: Any) -> None:
    path = f"{PRODUCTS}{upload(staff, picture()).json()['id']}/"
    [first] = stored()
    with django_capture_on_commit_callbacks(execute=True):
        changed = staff.patch(path, {"image": SimpleUploadedFile("b.gif", picture("GIF"))}, format="multipart")
    assert changed.status_code == 200
    [second] = stored()
    assert first != second
    assert changed.json()["image"].endswith(second.name)


def test_no_picture_gets_the_name_of_an_earlier_one(staff: APIClient, django_capture_on_commit_callbacks: Any) -> None:
    """What was made of a picture is known by its name, also after the file is gone."""
    path, names = f"{PRODUCTS}{upload(staff, picture()).json()['id']}/", set()
    for _ in range(4):
        with django_capture_on_commit_callbacks(execute=True):
            staff.patch(path, {"image": SimpleUploadedFile("same.png", picture())}, format="multipart")
        names.add(stored()[0].name)
    assert len(names) == 4


def test_null_takes_the_picture_away(staff: APIClient, django_capture_on_commit_callbacks: Any) -> None:
    path = f"{PRODUCTS}{upload(staff, picture()).json()['id']}/"
    with django_capture_on_commit_callbacks(execute=True):
        assert staff.patch(path, {"image": None}).json()["image"] is None
    assert stored() == []


def test_a_change_of_another_field_keeps_the_picture(staff: APIClient, django_capture_on_commit_callbacks: Any) -> None:
    made = upload(staff, picture()).json()
    with django_capture_on_commit_callbacks(execute=True):
        assert staff.patch(f"{PRODUCTS}{made['id']}/", {"name": "Shade"}).json()["image"] == made["image"]
    assert len(stored()) == 1


def test_a_deleted_product_takes_its_picture_along(staff: APIClient, django_capture_on_commit_callbacks: Any) -> None:
    path = f"{PRODUCTS}{upload(staff, picture()).json()['id']}/"
    with django_capture_on_commit_callbacks(execute=True):
        assert staff.delete(path).status_code == 204
    assert stored() == []
