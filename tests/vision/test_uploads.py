"""What is sent as a picture: each of the routes refuses what is none, and says which bound."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from experiments.models import Prediction
from tests import shop
from tests.problems import assert_problem
from tests.vision.conftest import Version, picture, upload

PATHS = ["products/classify-image/", "products/search-by-image/", "vision/detect/"]

pytestmark = pytest.mark.parametrize("path", PATHS)


@pytest.fixture(autouse=True)
def _networks(online: Version) -> None:
    for task in ("image", "image_embedding", "detect"):
        online(task)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_is_taken_whatever_it_is_called(alice: APIClient, path: str, kind: str) -> None:
    assert upload(alice, path, picture(kind=kind), "../../évil.html").status_code == 200


@pytest.mark.parametrize(
    "content",
    [b"not a picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"PK\x03\x04" + b"\0" * 60, picture()[:50]],
    ids=["text", "svg", "zip", "half"],
)
def test_what_is_no_whole_picture_is_refused_by_name(alice: APIClient, path: str, content: bytes) -> None:
    body = assert_problem(upload(alice, path, content, "cat.jpg"), 400, "invalid", "image")
    assert body["errors"][0]["code"] == "invalid_image"
    assert not Prediction.objects.exists()


def test_a_body_without_a_picture_is_refused(alice: APIClient, path: str) -> None:
    for form in ({}, {"image": "no file"}, {"picture": SimpleUploadedFile("p.png", picture())}):
        answer = alice.post(f"{shop.API}/{path}", form, format="multipart")
        assert_problem(answer, 400, "invalid", "image")


def test_an_empty_file_is_refused(alice: APIClient, path: str) -> None:
    sent = SimpleUploadedFile("p.png", b"")
    assert_problem(alice.post(f"{shop.API}/{path}", {"image": sent}, format="multipart"), 400, "invalid", "image")


def test_a_picture_is_not_sent_as_json(alice: APIClient, path: str) -> None:
    assert_problem(
        alice.post(f"{shop.API}/{path}", {"image": "data:image/png;base64,AAAA"}), 415, "unsupported_media_type"
    )


def test_a_file_over_the_bound_is_too_large(alice: APIClient, path: str, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 2_000
    body = assert_problem(upload(alice, path, picture() + b"x" * 2_000), 413, "body_too_large")
    assert "2,000 bytes" in body["detail"]


@pytest.mark.parametrize(
    "body", [b"", b"--x", b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n']
)
def test_a_broken_form_is_refused(alice: APIClient, path: str, body: bytes) -> None:
    answer = alice.generic("POST", f"{shop.API}/{path}", body, "multipart/form-data; boundary=x")
    assert_problem(answer, 400, answer.json()["code"])


def test_a_picture_that_is_only_looked_at_never_touches_the_disk(
    alice: APIClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **more: Any) -> None:
        raise AssertionError("a file is written")

    monkeypatch.setattr("django.core.files.uploadedfile.TemporaryUploadedFile.__init__", refuse)
    assert upload(alice, path, picture() + b"\0" * 5_000_000).status_code == 200


def test_visitors_send_no_pictures(visitor: APIClient, path: str) -> None:
    assert_problem(upload(visitor, path), 401, "not_authenticated")


def test_a_picture_is_only_posted(alice: APIClient, path: str) -> None:
    assert_problem(alice.get(f"{shop.API}/{path}"), 405, "method_not_allowed")
