"""Small networks as ONNX files: what people bring of their own, made by the tests."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


def saved(
    path: Path, nodes: list[Any], shape: list[Any], out: list[Any], weights: dict[str, np.ndarray], kind: int
) -> Path:
    """A network from `pixels` of this `shape` to `out`."""
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("pixels", kind, shape)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, out)],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def classifier(
    path: Path,
    classes: int = 4,
    *,
    shape: list[Any] | None = None,
    softmax: bool = False,
    kind: int = TensorProto.FLOAT,
    scale: float = 1.0,
) -> Path:
    """A linear layer on the mean colour."""
    shape = shape or ["batch", 3, 32, 32]
    axes = [1, 2] if shape[3] == 3 else [2, 3]
    draw = np.random.default_rng(0)
    weights = {"weights": scale * draw.normal(size=(shape[1] if 1 in shape[1:] else 3, classes)).astype(np.float32)}
    mean = helper.make_node("ReduceMean", ["pixels"], ["mean"], axes=axes, keepdims=0)
    last = "logits" if softmax else "out"
    nodes = [mean, helper.make_node("MatMul", ["mean", "weights"], [last])]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["logits"], ["out"], axis=-1))
    return saved(path, nodes, shape, [shape[0], classes], weights, kind)


def detector(
    path: Path, boxes: np.ndarray, *, side: int = 64, five: bool = False, colours: np.ndarray | None = None
) -> Path:
    """Finds the same `boxes` on each picture: rows of x, y, width, height (centre and size in pixels of the network),
    and what follows in a YOLO. `colours` says how much the mean red, green and blue add, shape (3, columns).
    """
    columns = boxes.shape[1]
    colours = np.zeros((3, columns)) if colours is None else colours
    weights = {
        "weights": np.tile(colours, (1, len(boxes))).astype(np.float32),
        "table": boxes.reshape(1, -1).astype(np.float32),
        "form": np.array([1, len(boxes), columns], np.int64),
    }
    nodes = [
        helper.make_node("ReduceMean", ["pixels"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["more"]),
        helper.make_node("Add", ["more", "table"], ["flat"]),
        helper.make_node("Reshape", ["flat", "form"], ["out" if five else "rows"]),
    ]
    if not five:
        nodes.append(helper.make_node("Transpose", ["rows"], ["out"], perm=[0, 2, 1]))
    out: list[Any] = [1, len(boxes), columns] if five else [1, columns, len(boxes)]
    return saved(path, nodes, [1, 3, side, side], out, weights, TensorProto.FLOAT)


def labels(path: Path, *names: str) -> Path:
    path.write_text("\n".join(names), "utf-8")
    return path
