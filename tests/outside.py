"""What some algorithms need from outside, such as a file of weights: made here, small, once a run."""

from typing import Any

from experiments.mltask import MLTask

RUN_ON_A_HEAVY_LIBRARY = {("image", "mobilenet_v2"), ("image", "resnet50")}  # Keras networks, by TensorFlow


def made(task: MLTask[Any, Any], algorithm: str) -> Any:
    """An unfitted predictor of the task, with what it needs."""
    return task.algorithms[algorithm](**parameters(task.name, algorithm))


def parameters(task: str, algorithm: str) -> dict[str, Any]:
    return {}
