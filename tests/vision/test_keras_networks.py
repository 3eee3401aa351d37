"""The networks of Keras: from a file of weights where there is no hub, and with the names that Keras gives classes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.discovery import task_named
from experiments.errors import DomainError
from experiments.mltask import no_progress
from tests import outside
from vision.ml.image import ImageInput
from vision.ml.lite0 import imagenet
from vision.ml.sample import picture

GIVEN = outside.parameters


def fit(**parameters: Any) -> Any:
    made = task_named("image").algorithms["mobilenet_v2"](**parameters)
    return made.fit(task_named("image").tiny(), progress=no_progress)


def test_the_network_is_the_one_of_keras_with_these_weights(fitted: Any) -> None:
    import keras

    from vision.ml.pixels import centre

    model = fitted("image", "mobilenet_v2")
    network = keras.applications.MobileNetV2(weights=None, alpha=0.35)
    network.load_weights(GIVEN("image", "mobilenet_v2")["weights"])
    values = np.asarray(centre(picture(2), 224, 224), np.float32)[None]
    wanted = np.asarray(network(keras.applications.mobilenet_v2.preprocess_input(values.copy())))[0]
    [answer] = model.predict([ImageInput(picture(2))])
    assert answer.predictions[0].label == imagenet().labels[int(wanted.argmax())]
    assert answer.confidence == pytest.approx(float(wanted.max()), rel=1e-4)


def test_what_is_served_is_compiled_and_predict_is_never_called(fitted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("predict() was called")

    monkeypatch.setattr(keras.Model, "predict", never)
    model = fitted("image", "mobilenet_v2")
    model.predict([ImageInput(picture(0)), ImageInput(picture(1))])
    assert model.answer.experimental_get_tracing_count() == 1


def test_where_the_hub_is_away_it_is_said_how_to_bring_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    def away(*_: Any, **__: Any) -> None:
        raise Exception("URL fetch failure on https://example.com/mobilenet_v2.h5: None -- no network")  # noqa: TRY002

    monkeypatch.setattr(keras.applications, "MobileNetV2", away)
    with pytest.raises(DomainError) as caught:
        fit()
    assert "https://example.com/mobilenet_v2.h5" in caught.value.detail
    assert "manage.py train image --algorithm mobilenet_v2 --weights FILE" in caught.value.detail


def test_with_weights_of_the_hub_the_classes_are_named_by_decode_predictions(
    fitted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from keras.src.applications import imagenet_utils

    index = {str(number): (label, f"a_{number}") for number, label in enumerate(imagenet().labels)}
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX", index)
    make = task_named("image").algorithms["mobilenet_v2"]
    network = fitted("image", "mobilenet_v2").network
    monkeypatch.setattr(make, "_built", lambda *_: network)
    assert fit().names.descriptions[7] == "a 7"
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX", None)
    monkeypatch.setattr(imagenet_utils.file_utils, "get_file", lambda *_, **__: 1 / 0)
    assert fit().names == imagenet()


def test_a_file_may_say_the_names_of_other_classes(tmp_path: Path) -> None:
    import keras

    keras.utils.set_random_seed(0)
    weights, classes = tmp_path / "three.weights.h5", tmp_path / "classes.json"
    keras.applications.MobileNetV2(weights=None, alpha=0.35, classes=3).save_weights(weights)
    classes.write_text(json.dumps({"0": ["x1", "disc"], "1": ["x2", "bar"], "2": ["x3", "ring"]}))
    model = fit(weights=str(weights), classes=str(classes), alpha=0.35)
    [answer] = model.predict([ImageInput(picture(0))])
    assert {(one.label, one.description) for one in answer.predictions} == {
        ("x1", "disc"), ("x2", "bar"), ("x3", "ring"),
    }  # fmt: skip
    assert sum(one.confidence for one in answer.predictions) == pytest.approx(1)


@pytest.mark.parametrize("content", ["", "[]", '{"1": ["a", "b"]}', '{"0": "a"}', "{"])
def test_a_list_of_classes_of_another_form_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "classes.json"
    path.write_text(content)
    with pytest.raises(DomainError, match=r'Expected \{"0": \[label, description\]'):
        fit(**GIVEN("image", "mobilenet_v2"), classes=str(path))


@pytest.mark.parametrize(
    ("name", "content"), [("w.h5", b""), ("w.weights.h5", b"no weights"), ("w.txt", b"no weights"), ("w.keras", b"PK")]
)
def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DomainError, match=f"{name} has no weights of MobileNetV2 for 1,000 classes"):
        fit(weights=str(path))


def test_weights_of_another_architecture_are_refused() -> None:
    with pytest.raises(DomainError, match="no weights of MobileNetV2"):
        fit(weights=GIVEN("image", "mobilenet_v2")["weights"], alpha=0.5)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match=r"There is no file .*none\.h5"):
        fit(weights=str(tmp_path / "none.h5"))
