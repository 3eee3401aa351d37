"""What a web worker takes (memory, imports, the time until it is ready), and how fast a network is alone."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np
import psutil

from benchmarks.servers import MANAGE, call, free_port, server
from experiments.exporting import exported
from experiments.network import Network
from vision.ml.lite0_network import SIDE, weighted

STARTS = 3
NEVER = ("torch", "tensorflow")


def memory(pid: int) -> None:
    """Of each worker of the web server `pid` that has a network; fails where one has imported what it must not."""
    for worker in psutil.Process(pid).children(recursive=True):
        mapped = Path(f"/proc/{worker.pid}/maps").read_text()
        if "/onnxruntime/" in mapped:
            held = worker.memory_full_info()
            imported = [name for name in NEVER if f"/{name}/" in mapped]
            print(f"web worker: RSS {held.rss / 1e6:.0f} MB, PSS {held.pss / 1e6:.0f} MB;", end=" ")
            print(f"imported of {' and '.join(NEVER)}: {', '.join(imported) or 'none'}", flush=True)
            assert not imported


def starts(tasks: Iterable[str]) -> None:
    """From the start of the web server until /readyz says that these are loaded."""
    took = []
    for _ in range(STARTS):
        port, began = str(free_port()), time.monotonic()
        with server([*MANAGE, "web", "--port", port], f"http://127.0.0.1:{port}/readyz"):
            took.append(time.monotonic() - began)
            models = call(f"http://127.0.0.1:{port}/readyz")["models"]
            assert all(models[task] == "ok" for task in tasks), models
    print(f"start to ready: {median(took):.1f} s, median of {', '.join(f'{one:.1f}' for one in took)}")


def alone(network: Network, seconds: int) -> float:
    """Pictures a second that two threads get through, each with one at a time."""
    pixels = np.random.default_rng(0).uniform(-1, 1, (1, 3, SIDE, SIDE)).astype(np.float32)
    end = time.monotonic() + seconds

    def count() -> int:
        done = 0
        while time.monotonic() < end:
            network.run(pixels)
            done += 1
        return done

    with ThreadPoolExecutor(2) as threads:
        return sum(one.result() for one in [threads.submit(count), threads.submit(count)]) / seconds


def in_one() -> Network:
    """EfficientNet-Lite0 as one file."""
    return Network(exported(weighted(), np.zeros((2, 3, SIDE, SIDE), np.float32)))
