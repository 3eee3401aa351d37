"""A network as an ONNX file: run in this process by ONNX Runtime, on as many threads as is said here. Pure."""

import ctypes
import hashlib
import inspect
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import numpy as np

from experiments.errors import DomainError

T = TypeVar("T")
THREADS = 1  # of one call: requests come on several threads, and those would fight for the cores
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # else it reports to Microsoft what runs where, since 1.29


class Network:
    """`source` is the file or its content. Several threads may run it at once. Raises DomainError for what is no ONNX
    file that can be run here.
    """

    def __init__(self, source: Path | bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = THREADS
        options.log_severity_level = 3  # errors
        given = str(source) if isinstance(source, Path) else source
        try:
            self.session: Any = onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no base of their own
            name = source.name if isinstance(source, Path) else "This"
            raise DomainError(f"{name} is no ONNX file that ONNX Runtime can run: {first_line(error)}") from error
        self.source = source
        _give_back()

    def run(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """All outputs for its inputs, in their order."""
        names = (one.name for one in self.session.get_inputs())
        found: list[np.ndarray] = self.session.run(None, dict(zip(names, arrays, strict=True)))
        return found

    def save(self, path: Path) -> None:
        path.write_bytes(self.source if isinstance(self.source, bytes) else self.source.read_bytes())


def _give_back() -> None:
    """To the system, what reading a file took and does not need any more: several times the file, which glibc keeps."""
    with suppress(OSError, AttributeError):  # of another C library
        ctypes.CDLL(None).malloc_trim(0)


_held: "WeakValueDictionary[tuple[Any, bytes], Any]" = WeakValueDictionary()  # by kind and digest
_lock = threading.Lock()


def shared(kind: Callable[[bytes], T], content: bytes) -> T:
    """What `kind` makes of this file: the one that is in memory already, where several versions are made of it."""
    key = kind, hashlib.sha256(content).digest()
    with _lock:
        found: T = _held.get(key) or kind(content)
        _held[key] = found
    return found


def first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]


def params_of(predictor: Any) -> dict[str, Any]:
    """What its constructor was given."""
    return {name: getattr(predictor, name) for name in inspect.signature(type(predictor)).parameters}
