"""A torch network that looks at pictures, as an ONNX file that answers as it does."""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from experiments.errors import DomainError
from vision.ml.network import Network

TOLERANCE = 1e-4  # the largest difference of an output between torch and ONNX Runtime


def onnx_of(network: Any, side: int, *outputs: str) -> bytes:
    """The file of a torch module in evaluation mode; its input is `pixels` (any number, 3, side, side). Raises
    DomainError where it answers differently.
    """
    import torch

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing; what comes out is checked below
        path = Path(folder) / "network.onnx"
        torch.onnx.export(
            network, (torch.zeros(2, 3, side, side),), path, input_names=["pixels"], output_names=list(outputs),
            dynamic_axes={name: {0: "batch"} for name in ("pixels", *outputs)}, opset_version=17, dynamo=False,
        )  # fmt: skip
        content = path.read_bytes()
    pixels = np.random.default_rng(0).uniform(-1, 1, (3, 3, side, side)).astype(np.float32)
    with torch.no_grad():
        answers = network(torch.from_numpy(pixels))
    wanted = [one.numpy() for one in (answers if isinstance(answers, tuple) else (answers,))]
    found = Network(content).run(pixels, *outputs)
    difference = max(float(np.abs(one - other).max()) for one, other in zip(found, wanted, strict=True))
    if not difference <= TOLERANCE:
        raise DomainError(
            f"The ONNX export differs from torch by {difference:.1e}; at most {TOLERANCE:.0e} is allowed."
        )
    return content
