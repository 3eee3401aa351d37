"""The network of `price` as TensorFlow.js loads it: a layers model, and beside it all that makes a price of its answer.

Its loader (`tf.loadLayersModel`) reads the JSON of Keras 2, which Keras 3 writes no more, so it is written here. A
member of the network is a branch of the graph. What comes out is what the server answers from: centre and logarithm
of the scale, (rows, 2), in scales of the logarithm of the price. The inputs are `numbers`, (rows, columns) as
`preprocessing` reads them, and `place`, (rows, 1), 1 for the first of its locations and 0 for any other. A price is
exp(mean + scale * (centre + score * exp(log of the scale))) with mean and scale of the target; the score is 0 for the
price itself, and for an end of the interval what stands in `interval` under its coverage.

The weights are named by their own digest and the model names them, so the digest of the model covers all that is
downloaded.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from experiments.errors import DomainError
from pricing.ml.members import Members
from pricing.ml.price import PriceModel

FORMAT = "tfjs-layers"
BROWSER, MODEL, FACTS = "browser", "model.json", "facts.json"  # the folder of an artifact, and two of its files
NAMED = 16  # digits of the digest of the weights
Layer = dict[str, Any]


def browser_files(model: PriceModel) -> dict[str, bytes]:
    """The files by name: the topology, the weights in single precision, and the facts, which are `format`,
    `preprocessing` and `interval`. Raises DomainError for a model of which no such thing can be made.
    """
    members = _members(model)
    columns = model.regression.preprocessing.columns
    layers = list(_layers(members, len(columns)))
    named = dict(_weights(members))
    topology = {
        "keras_version": "2.15.0",
        "backend": "tensorflow",
        "model_config": {
            "class_name": "Functional",
            "config": {
                "name": "price",
                "layers": layers,
                "input_layers": [["numbers", 0, 0], ["place", 0, 0]],
                "output_layers": [["answer", 0, 0]],
            },
        },
    }
    weights = b"".join(np.ascontiguousarray(one, "<f4").tobytes() for one in named.values())
    stored = f"{hashlib.sha256(weights).hexdigest()[:NAMED]}.bin"
    listed = [{"name": name, "shape": list(one.shape), "dtype": "float32"} for name, one in named.items()]
    described = {
        "format": "layers-model",
        "generatedBy": "keras v2.15.0",
        "convertedBy": None,
        "modelTopology": topology,
        "weightsManifest": [{"paths": [stored], "weights": listed}],
    }
    return {MODEL: _json(described), stored: weights, FACTS: _json(_facts(model))}


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _facts(model: PriceModel) -> dict[str, Any]:
    read = model.regression.preprocessing.to_dict()
    return {
        "format": FORMAT,
        "preprocessing": {**read, "currency": model.currency, "area_unit": model.area},
        "interval": model.regression.intervals.to_dict(),
    }


def _members(model: PriceModel) -> Members:
    if not isinstance(model.regression.model, Members):
        raise DomainError("Only the algorithm network of price runs in a browser; this version is of another one.")
    return model.regression.model


def _layers(members: Members, columns: int) -> Iterator[Layer]:
    places, count, size = members.embedding.shape
    yield _input("numbers", columns, "float32")
    yield _input("place", 1, "int32")
    for member in range(count):
        of = {"input_dim": places, "output_dim": size, "input_length": 1, "mask_zero": False}
        yield _layer("Embedding", f"place{member}", of, ["place"])
        yield _layer("Flatten", f"flat{member}", {}, [f"place{member}"])
        yield _layer("Concatenate", f"row{member}", {"axis": -1}, ["numbers", f"flat{member}"])
        before = f"row{member}"
        for number, kernel in enumerate(members.kernels[:-1]):
            before, after = f"dense{member}_{number}", before
            yield _layer("Dense", before, _dense(kernel.shape[2], "relu"), [after])
    last = len(members.kernels) - 2
    yield _layer("Concatenate", "members", {"axis": -1}, [f"dense{member}_{last}" for member in range(count)])
    yield _layer("Dense", "answer", _dense(2, "linear"), ["members"])


def _layer(kind: str, name: str, config: Layer, inputs: Sequence[str]) -> Layer:
    nodes = [[[one, 0, 0, {}] for one in inputs]]
    return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": nodes}


def _input(name: str, width: int, dtype: str) -> Layer:
    return _layer("InputLayer", name, {"batch_input_shape": [None, width], "dtype": dtype}, []) | {"inbound_nodes": []}


def _dense(units: int, activation: str) -> Layer:
    return {"units": units, "activation": activation, "use_bias": True}


def _weights(members: Members) -> Iterator[tuple[str, np.ndarray]]:
    """In the order of the layers."""
    for member in range(members.embedding.shape[1]):
        yield f"place{member}/embeddings", members.embedding[:, member]
        for number, (kernels, biases) in enumerate(zip(members.kernels[:-1], members.biases[:-1], strict=True)):
            yield f"dense{member}_{number}/kernel", kernels[member]
            yield f"dense{member}_{number}/bias", biases[member]
    kernel, bias = members.head()
    yield from {"answer/kernel": kernel, "answer/bias": bias}.items()
