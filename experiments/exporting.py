"""A torch network as an ONNX file, and the check that what is stored answers as what was fitted. Pure."""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from experiments.errors import DomainError

TOLERANCE = 1e-4  # the largest difference of an output between torch and ONNX Runtime


def exported(network: Any, *samples: np.ndarray, free: int = 1) -> bytes:
    """The file of a torch module in evaluation mode that takes arrays like these. Their first `free` axes, and those of
    what comes out, may be of any length.
    """
    import torch

    given = [f"given{number}" for number in range(len(samples))]
    axes = {name: {axis: f"axis{axis}" for axis in range(free)} for name in given}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing; whoever calls checks what came out
        path = Path(folder) / "network.onnx"
        torch.onnx.export(
            network, tuple(torch.from_numpy(one) for one in samples), path, input_names=given, output_names=["found"],
            dynamic_axes=axes | {"found": {0: "axis0"}}, opset_version=17, dynamo=False,
        )  # fmt: skip
        return path.read_bytes()


def assert_same(
    found: np.ndarray, wanted: np.ndarray, what: str = "The ONNX export differs from torch", within: float | None = None
) -> None:
    """Raises DomainError, which begins with `what`, where the two differ by more than `within` (TOLERANCE when it is
    left out), or by NaN.
    """
    difference, most = float(np.abs(found - wanted).max()), TOLERANCE if within is None else within
    if not difference <= most:
        raise DomainError(f"{what} by {difference:.1e}; at most {most:.0e} is allowed.")
