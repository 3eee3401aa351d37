"""A classifier of one's own as an ONNX file: what is read from it, and what is refused when it is registered."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from experiments.discovery import task_named
from experiments.errors import DomainError
from experiments.mltask import Image, no_progress
from tests import networks
from tests.vision.conftest import BLUE, GREEN, RED, picture
from vision.ml.image import ImageInput
from vision.ml.onnx_file import shares_of
from vision.ml.pixels import RECIPES

NAMES = ("disc", "bar", "ring", "star")


def fit(folder: Path, *, labels: tuple[str, ...] = NAMES, options: Any = None, **network: Any) -> Any:
    parameters = {"onnx": str(networks.classifier(folder / "n.onnx", **network))}
    if labels:
        parameters["labels"] = str(networks.labels(folder / "labels.txt", *labels))
    make = task_named("image").algorithms["onnx"]
    return make(**parameters, **(options or {})).fit(task_named("image").tiny(), progress=no_progress)


def asked(model: Any, *colours: tuple[int, int, int]) -> list[Any]:
    return model.predict([ImageInput(Image(picture(colour))) for colour in colours])


@pytest.mark.parametrize(
    "shape", [["batch", 3, 32, 32], [1, 3, 32, 32], ["n", 3, "h", "w"], ["n", 32, 32, 3], [1, "h", "w", 3]]
)
def test_its_layout_and_its_size_are_read_from_its_input(tmp_path: Path, shape: list[Any]) -> None:
    model = fit(tmp_path, shape=shape)
    side = 32 if 32 in shape else 224
    assert (model.entry.width, model.entry.height, model.entry.channels_first) == (side, side, shape[1] == 3)
    wanted = fit(tmp_path, shape=["batch", 3, 32, 32])
    for one, other in zip(asked(model, RED, GREEN, BLUE), asked(wanted, RED, GREEN, BLUE), strict=True):
        assert [label.label for label in one.predictions] == [label.label for label in other.predictions]
        assert one.confidence == pytest.approx(other.confidence, abs=1e-3)


def test_a_size_is_taken_where_the_file_leaves_it_open(tmp_path: Path) -> None:
    model = fit(tmp_path, shape=["n", 3, "h", "w"], options={"size": 48})
    assert (model.entry.width, model.entry.height) == (48, 48)
    with pytest.raises(DomainError, match="wants pictures of 32 x 32 pixels, not of 48 x 48"):
        fit(tmp_path, options={"size": 48})


@pytest.mark.parametrize(
    ("recipe", "values"),
    [("zero_to_one", (0, 1, 0.2)), ("minus_one_to_one", (-1, 1, -0.6)), ("imagenet", (-2.118, 2.429, -0.916))],
)
def test_values_are_what_the_recipe_says(recipe: str, values: tuple[float, ...]) -> None:
    from PIL import Image as Pillow

    found = RECIPES[recipe](Pillow.new("RGB", (4, 2), (0, 255, 51)))
    assert found.shape == (3, 2, 4)
    assert found.dtype == np.float32
    assert found[:, 0, 0] == pytest.approx(values, abs=1e-3)


def test_logits_and_probabilities_come_to_the_same_answer(tmp_path: Path) -> None:
    plain, soft = fit(tmp_path), fit(tmp_path, softmax=True)
    for one, other in zip(asked(plain, RED, GREEN), asked(soft, RED, GREEN), strict=True):
        assert [label.label for label in one.predictions] == [label.label for label in other.predictions]
        assert one.confidence == pytest.approx(other.confidence, abs=1e-5)
        assert sum(label.confidence for label in one.predictions) == pytest.approx(1)


def test_shares_sum_to_one_whatever_the_network_gives() -> None:
    for numbers in ([0.25, 0.75], [0.2501, 0.7501], [3.0, 1.0], [-1.0, 2.0], [0.0, 0.0]):
        assert shares_of(np.array(numbers)).sum() == pytest.approx(1)
    assert shares_of(np.array([0.25, 0.75])).tolist() == [0.25, 0.75]
    with pytest.raises(ValueError, match="finite"):
        shares_of(np.array([np.nan, 1]))


def test_a_thousand_classes_without_labels_are_those_of_imagenet(tmp_path: Path) -> None:
    [answer] = asked(fit(tmp_path, labels=(), classes=1_000), RED)
    assert answer.predictions[0].label.startswith("n")


@pytest.mark.parametrize(
    ("network", "labels", "options", "says"),
    [
        ({}, NAMES[:3], {}, "gives 4 numbers for a picture, and .*labels.txt has 3 labels"),
        ({}, (), {}, "Say which labels the network's 4 classes have"),
        ({"shape": ["n", 1, 32, 32]}, NAMES, {}, r"expected tensor\(float\) of the shape"),
        ({"shape": [8, 3, 32, 32]}, NAMES, {}, "takes 8 pictures at a time"),
        ({"shape": [1, 3, 4_000, 4_000]}, NAMES, {}, "2,048 a side is the most"),
        ({"kind": TensorProto.DOUBLE}, NAMES, {}, r"tensor\(float\)|no ONNX file that"),
        ({"scale": float("inf")}, NAMES, {}, "no finite numbers"),
        ({}, NAMES, {"preprocess": "caffe"}, "Known are: imagenet, minus_one_to_one, zero_to_one"),
        ({}, NAMES, {"size": -1}, "Expected a size of 1 to 2048"),
    ],
    ids=["labels", "no-labels", "grey", "batch", "large", "double", "infinite", "recipe", "size"],
)
def test_what_cannot_be_served_is_refused_in_words(
    tmp_path: Path, network: dict[str, Any], labels: tuple[str, ...], options: dict[str, Any], says: str
) -> None:
    with pytest.raises(DomainError, match=says):
        fit(tmp_path, labels=labels, options=options, **network)


@pytest.mark.parametrize("content", [b"", b"no network", b"\x08\x07"], ids=["empty", "text", "start"])
def test_a_file_that_is_no_network_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "n.onnx"
    path.write_bytes(content)
    with pytest.raises(DomainError, match="no ONNX file that ONNX Runtime can run"):
        task_named("image").algorithms["onnx"](onnx=str(path)).fit(task_named("image").tiny(), progress=no_progress)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.txt", None, "no such file"),
        ("l.txt", b"\xff\xfe\xff", "not in UTF-8"),
        ("l.txt", b"\n \n", "1 to 100,000"),
    ],
)
def test_labels_that_cannot_be_read_are_refused(tmp_path: Path, name: str, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    made = task_named("image").algorithms["onnx"](
        onnx=str(networks.classifier(tmp_path / "n.onnx")), labels=str(tmp_path / name)
    )
    with pytest.raises(DomainError, match=says):
        made.fit(task_named("image").tiny(), progress=no_progress)


def test_labels_of_any_language_are_kept_as_they_are_written(tmp_path: Path) -> None:
    names = ("кружка", "茶壶", "lámpa 💡", "a b")
    [answer] = asked(fit(tmp_path, labels=names), RED)
    assert {one.label for one in answer.predictions} == set(names)
