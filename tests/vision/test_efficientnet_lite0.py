"""The networks that are there without anything else: what they answer, and that the export is the network."""

import gc
import weakref
from io import BytesIO

import numpy as np
import pytest
from PIL import Image as Pillow

from experiments import exporting
from experiments.discovery import task_named
from experiments.errors import DomainError, Invalid
from experiments.mltask import Image
from vision.ml import lite0, lite0_network
from vision.ml.embedding import DIMENSIONS, EmbeddingInput
from vision.ml.image import SHOWN, ImageInput, softmax
from vision.ml.pixels import centre
from vision.ml.sample import picture


def file_of(picture: Pillow.Image, kind: str = "PNG") -> Image:
    file = BytesIO()
    picture.save(file, kind)
    return Image(file.getvalue())


@pytest.mark.parametrize("task", ["image", "image_embedding"])
def test_it_is_what_is_trained_when_nothing_is_said(task: str) -> None:
    assert next(iter(task_named(task).algorithms)) == "efficientnet_lite0"


def test_the_classes_are_those_of_imagenet_in_its_order() -> None:
    classes = lite0.imagenet()
    assert len(set(classes.labels)) == len(classes.descriptions) == 1_000
    assert list(classes.labels) == sorted(classes.labels)
    assert (classes.labels[0], classes.descriptions[0]) == ("n01440764", "tench")
    assert (classes.labels[610], classes.descriptions[610]) == ("n03595614", "jersey")
    assert (classes.labels[999], classes.descriptions[999]) == ("n15075141", "toilet tissue")


def test_an_export_that_answers_differently_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "TOLERANCE", 1e-9)
    with pytest.raises(DomainError, match=r"differs from torch by \d\.\de-0\d; at most 1e-09 is allowed"):
        lite0.classifier.__wrapped__()


def test_five_classes_are_answered_with_shares_of_all_thousand(fitted: object) -> None:
    model = fitted("image")
    [answer] = model.predict([ImageInput(picture(1))])
    shares = [one.confidence for one in answer.predictions]
    assert len(shares) == SHOWN
    assert shares == sorted(shares, reverse=True)
    assert answer.confidence == shares[0]
    everything = softmax(model.network.run(picture(1)))
    assert everything.sum() == pytest.approx(1)
    assert shares == pytest.approx(sorted(everything, reverse=True)[:SHOWN])


def test_the_file_format_hardly_changes_the_answer(fitted: object) -> None:
    large = Pillow.open(BytesIO(picture(3).data)).resize((1_500, 1_000), Pillow.Resampling.BICUBIC)
    answers = fitted("image").predict([ImageInput(file_of(large, kind)) for kind in ("PNG", "JPEG")])
    assert answers[0].predictions[0].label == answers[1].predictions[0].label
    assert answers[0].confidence == pytest.approx(answers[1].confidence, abs=0.1)


@pytest.mark.parametrize("task", ["image", "image_embedding"])
def test_what_is_no_picture_is_refused_in_words(task: str, fitted: object) -> None:
    asked = {"image": ImageInput, "image_embedding": EmbeddingInput}[task](Image(b"no picture"))
    with pytest.raises(Invalid, match="Expected a picture"):
        fitted(task).predict([asked])


@pytest.mark.parametrize("size", [(400, 300), (300, 400), (10, 400), (1, 1), (3_000, 2_000)])
def test_networks_see_the_middle_of_a_picture(size: tuple[int, int]) -> None:
    found = Pillow.new("RGB", size, "blue")
    side = 0.9 * min(size)
    edges = [(whole - side) / 2 for whole in size]
    found.paste("red", (int(edges[0]), int(edges[1]), int(edges[0] + side + 1), int(edges[1] + side + 1)))
    seen = centre(file_of(found), 224, 224)
    assert seen.size == (224, 224)
    assert (np.asarray(seen)[8:-8, 8:-8] == (255, 0, 0)).all()


def test_a_vector_has_length_one_and_like_pictures_have_like_vectors(fitted: object) -> None:
    outputs = fitted("image_embedding").predict([EmbeddingInput(picture(number)) for number in (0, 2, 4, 1)])
    vectors = np.array([one.vector for one in outputs])
    assert vectors.shape == (4, DIMENSIONS)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    alike = vectors @ vectors.T
    assert alike[0, 1] > alike[0, 3]  # a disc is like a disc, not like a bar


def test_a_picture_that_is_asked_about_twice_is_decoded_once(fitted: object, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = picture(7)
    decoded: list[Image] = []
    plainly = lite0_network.pixels_of
    monkeypatch.setattr(lite0_network, "pixels_of", lambda image: decoded.append(image) or plainly(image))
    fitted("image").predict([ImageInput(shown)])
    [after] = fitted("image_embedding").predict([EmbeddingInput(shown)])
    assert decoded == [shown]
    [alone] = fitted("image_embedding").predict([EmbeddingInput(Image(bytes(shown.data)))])
    assert len(decoded) == 2
    assert alone == after


def test_what_is_made_of_one_trunk_holds_it_once(fitted: object) -> None:
    assert fitted("image").network.trunk is fitted("image_embedding").network.trunk


def test_a_trunk_keeps_nothing_of_a_picture_alive(fitted: object) -> None:
    shown = Image(picture(8).data)
    fitted("image").predict([ImageInput(shown)])
    gone = weakref.ref(shown)
    del shown
    gc.collect()
    assert gone() is None
