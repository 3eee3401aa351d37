"""`manage.py register image|detect --onnx FILE`: a network of one's own is served like the rest."""

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from experiments import serving
from experiments.mltask import Image
from experiments.models import ModelVersion, Promotion
from tests import networks
from tests.vision.conftest import RED, picture
from vision.ml.detection import DETECT
from vision.ml.image import IMAGE, ImageInput

pytestmark = pytest.mark.django_db


@pytest.fixture
def classifier(tmp_path: Path) -> list[str]:
    labels = networks.labels(tmp_path / "labels.txt", "disc", "bar", "ring", "star")
    return ["--onnx", str(networks.classifier(tmp_path / "own.onnx")), "--labels", str(labels)]


@pytest.fixture
def detector(tmp_path: Path) -> list[str]:
    path = networks.detector(tmp_path / "yolo.onnx", np.array([[32, 20, 20, 10, 0.1, 0.8]]))
    return ["--onnx", str(path), "--labels", str(networks.labels(tmp_path / "labels.txt", "disc", "bar"))]


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("register", *arguments, stdout=out, no_color=True, verbosity=0)
    return out.getvalue()


def test_a_classifier_is_stored_and_it_is_said_how_to_put_it_live(classifier: list[str]) -> None:
    out = said("image", *classifier, "--preprocess", "zero_to_one")
    assert out.startswith("image 1 (onnx): made in ")
    assert out.endswith("without rows\nPut it live with: manage.py promote image 1\n")
    row = ModelVersion.objects.get()
    assert row.params == {"onnx": classifier[1], "labels": classifier[3], "preprocess": "zero_to_one"}
    assert row.created_by == "manage.py register"
    assert not row.live


def test_a_classifier_is_served_when_it_is_put_live(classifier: list[str]) -> None:
    assert said("image", *classifier, "--promote").endswith("image 1 (onnx) is live.\n")
    assert Promotion.objects.get().reason == "registered with --promote"
    Path(classifier[1]).unlink()  # the version has a copy
    [answer] = serving.predict(IMAGE, [ImageInput(Image(picture(RED)))], user_id=None)
    assert answer.model == "onnx"
    assert len(answer.output.predictions) == 4


def test_a_detector_is_served_when_it_is_put_live(detector: list[str]) -> None:
    said("detect", *detector, "--threshold", "0.5", "--promote")
    [answer] = serving.predict(DETECT, [ImageInput(Image(picture(RED, size=(128, 64))))], user_id=None)
    [found] = answer.output.objects
    assert found.label == "bar"
    assert ModelVersion.objects.get().params["threshold"] == 0.5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["image"], "the following arguments are required: --onnx"),
        (["price", "--onnx", "n.onnx"], "invalid choice: 'price'"),
        (["image", "--onnx", "none.onnx"], "none.onnx cannot be read: no such file or directory."),
        (["image", "--onnx", "manage.py"], "This is no ONNX file that ONNX Runtime can run"),
        (["image", "--onnx", "n.onnx", "--preprocess", "caffe"], "invalid choice: 'caffe'"),
        (["image", "--onnx", "n.onnx", "--threshold", "0.5"], "--threshold is for detect, not for image."),
        (["detect", "--onnx", "manage.py", "--threshold", "2"], "threshold and overlap must be over 0"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError) as caught:
        said(*arguments)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not ModelVersion.objects.exists()


def test_labels_that_do_not_fit_are_said_and_nothing_is_stored(classifier: list[str], detector: list[str]) -> None:
    with pytest.raises(CommandError, match=r"gives 4 numbers for a picture, and .* has 2 labels"):
        said("image", *classifier[:2], *detector[2:])
    with pytest.raises(CommandError, match="for 2 labels a detector gives"):
        said("detect", *classifier[:2], *detector[2:])
    assert not ModelVersion.objects.exists()
