"""What some algorithms need to be tested, such as a file of weights from outside: made here, small, once a run."""

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from experiments.mltask import MLTask

RUN_ON_A_HEAVY_LIBRARY = {("image", "mobilenet_v2"), ("image", "resnet50")}  # Keras networks, by TensorFlow


def made(task: MLTask[Any, Any], algorithm: str) -> Any:
    """An unfitted predictor of the task, with what it needs."""
    return task.algorithms[algorithm](**parameters(task.name, algorithm))


def parameters(task: str, algorithm: str) -> dict[str, Any]:
    needed: dict[tuple[str, str], Callable[[], dict[str, Any]]] = {
        ("image", "onnx"): _classifier,
        ("image", "mobilenet_v2"): lambda: _keras("MobileNetV2", alpha=0.35),
        ("image", "resnet50"): lambda: _keras("ResNet50"),
        ("detect", "onnx"): _detector,
        ("image_embedding", "efficientnet_lite0_tuned"): lambda: {"epochs": 1},  # time
    }
    return needed.get((task, algorithm), dict)()


@cache
def _folder() -> Path:
    """Gone when the run ends."""
    made = tempfile.TemporaryDirectory()
    _kept.append(made)
    return Path(made.name)


_kept: list[Any] = []


@cache
def _classifier() -> dict[str, Any]:
    from tests import networks

    names = networks.labels(_folder() / "classes.txt", "disc", "bar", "ring", "star")
    return {"onnx": str(networks.classifier(_folder() / "classifier.onnx")), "labels": str(names)}


@cache
def _detector() -> dict[str, Any]:
    from tests import networks

    boxes = np.array([[32, 32, 40, 20, 0.1, 0.7], [20, 20, 8, 8, 0.6, 0.1], [22, 20, 8, 8, 0.5, 0.1]])
    colours = np.zeros((3, 6))
    colours[:, 4:] = 0.2
    path = networks.detector(_folder() / "detector.onnx", boxes, colours=colours)
    return {"onnx": str(path), "labels": str(networks.labels(_folder() / "objects.txt", "disc", "bar"))}


@cache
def _keras(architecture: str, **options: Any) -> dict[str, Any]:
    """Weights of the real architecture, at random; the last layer is set so that it tells pictures apart."""
    import keras

    keras.utils.set_random_seed(0)
    path = _folder() / f"{architecture}.weights.h5"
    network = getattr(keras.applications, architecture)(weights=None, **options)
    last = network.layers[-1]
    pictures = np.random.default_rng(0).uniform(0, 255, (4, 1, 1, 3)) * np.ones((4, 224, 224, 3))
    prepared = getattr(keras.applications, architecture.lower().replace("v2", "_v2")).preprocess_input(pictures)
    seen = keras.Model(network.inputs[0], network.layers[-2].output)(prepared)
    scores = np.asarray(seen) @ np.asarray(last.kernel)
    last.kernel.assign(last.kernel / scores.std(axis=0).mean())
    last.bias.assign(-scores.mean(axis=0) / scores.std(axis=0).mean())
    network.save_weights(path)
    return {"weights": str(path), **options}
