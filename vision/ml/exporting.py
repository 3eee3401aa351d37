"""A torch network as an ONNX file, and the check that the file answers as the network does."""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from experiments.errors import DomainError

TOLERANCE = 1e-4  # the largest difference of an output between torch and ONNX Runtime


def exported(network: Any, shape: tuple[int, ...]) -> bytes:
    """The file of a torch module in evaluation mode. `shape` is that of one input; the file takes any number."""
    import torch

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing; whoever calls checks what came out
        path = Path(folder) / "network.onnx"
        torch.onnx.export(
            network, (torch.zeros(2, *shape),), path, input_names=["given"], output_names=["found"],
            dynamic_axes={"given": {0: "batch"}, "found": {0: "batch"}}, opset_version=17, dynamo=False,
        )  # fmt: skip
        return path.read_bytes()


def assert_same(found: np.ndarray, wanted: np.ndarray) -> None:
    """Raises DomainError where the file answered `found` and torch `wanted`, and these differ."""
    difference = float(np.abs(found - wanted).max())
    if not difference <= TOLERANCE:
        raise DomainError(
            f"The ONNX export differs from torch by {difference:.1e}; at most {TOLERANCE:.0e} is allowed."
        )
