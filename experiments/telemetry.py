"""What is counted about models for Prometheus (docs/monitoring.md lists it), and the span of a call, where traces are
on.

A request only notes what happened; a thread of the process adds it up a second later. So counting takes a request next
to no time, and fails none where the disk is full. The counts lie in this process or, under PROMETHEUS_MULTIPROC_DIR, in
files that are added up over all processes. Labels come from rows and declarations, never from what a caller sends:
their number is bounded.
"""

import errno
import logging
import os
import threading
import time
from collections import Counter as Sums
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from experiments.loading import Loaded
from experiments.models import Prediction

logger = logging.getLogger(__name__)
ADD_UP_EVERY_S = 1.0
LEAST_FREE = 16 * 2**20  # bytes of the disk: a file of counts begins with one million and doubles
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # bounds of the histograms' bins
PREDICTIONS = Counter("mlbackend_predictions", "Answers in the prediction log.", ["task", "version", "status"])
LATENCY = Histogram("mlbackend_prediction_latency_seconds", "Time to one answer or batch.", ["task"], buckets=SECONDS)
REFUSED = Counter("mlbackend_refused", "Calls refused because too much waited for the model.", ["task"])
QUEUE = Gauge("mlbackend_queue_depth", "Inputs that wait for the model.", ["task"], multiprocess_mode="livesum")
LIVE = Gauge(
    "mlbackend_live_version", "The version that answers, the lowest of all processes; 0: none.", ["task"],
    multiprocess_mode="livemin",
)  # fmt: skip
NOTHING = nullcontext()
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
Kind = tuple[Callable[..., None], tuple[Hashable, ...]]  # what is to be called, and its labels

_noted: deque[tuple[Kind, Any]] = deque(maxlen=50_000)  # a command has nobody to add them up
_adding_up = threading.Lock()


def no_span(task: str, version: int) -> AbstractContextManager[object]:
    return NOTHING


model_span: Callable[[str, int], AbstractContextManager[object]] = no_span  # mlbackend/traces.py sets it


def note(count: Callable[..., None], *labels: Hashable, value: Any = None) -> None:
    """Have `count(values, *labels)` called when the process adds up, with the values of all such notes."""
    _noted.append(((count, labels), value))


def add_up() -> None:
    """What cannot be counted is said in the log and left out. One at a time, or an older state could come last."""
    with _adding_up:
        try:
            _assert_room()
        except OSError:
            logger.exception("what happened is not counted for now")
            return
        for (count, labels), values in _taken().items():
            try:
                count(values, *labels)
            except Exception:
                logger.exception("what happened could not be counted")


def _assert_room() -> None:
    """The files are written as memory: where the disk is full, that ends the process without an exception."""
    folder = os.environ.get(FOLDER)
    disk = os.statvfs(folder) if folder else None
    if disk and disk.f_bavail * disk.f_frsize < LEAST_FREE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), folder)


def counts_in(folder: Path, pattern: str) -> Iterable[Metric]:
    """The sums over the files of all processes, without those that cannot be read."""
    files = [str(file) for file in folder.glob(pattern) if _readable(file)]
    found: Iterable[Metric] = MultiProcessCollector.merge(files)
    return found


def _readable(file: Path) -> bool:
    """A process makes its file first and its head after. One that was cut off by a power failure stays damaged."""
    try:
        if not file.stat().st_size:
            return False
        MultiProcessCollector.merge([str(file)])
    except FileNotFoundError:
        return False
    except Exception:
        logger.exception("%s is left out: it cannot be read", file)
        return False
    return True


def _taken() -> Mapping[Kind, list[Any]]:
    """The values of each kind: the notes of a second are of few."""
    found = defaultdict(list)
    with suppress(IndexError):
        while True:
            kind, value = _noted.popleft()
            found[kind].append(value)
    return found


def start() -> None:
    """Add up every second, in each process that serves."""

    def keep_adding_up() -> None:
        while True:
            time.sleep(ADD_UP_EVERY_S)
            add_up()

    threading.Thread(target=keep_adding_up, name="telemetry", daemon=True).start()


def answered(rows: Sequence[Prediction]) -> None:
    """A call of a model is in the log, all of its rows with the same facts and the same time."""
    if rows:
        first = rows[0]
        note(_count_answers, first.task, first.version, first.status, value=(len(rows), first.latency_ms / 1000))


def answered_without_model(row: Prediction) -> None:
    """An answer is in the log for which no model was asked, so that it took no time."""
    note(_count_stand_ins, row.task, row.version, row.status)


def _count_answers(calls: Sequence[tuple[int, float]], task: str, version: int | None, status: str) -> None:
    """`calls` are how many answers of each, and its seconds."""
    PREDICTIONS.labels(task, version or "", status).inc(sum(answers for answers, _ in calls))
    took = LATENCY.labels(task)
    for _, seconds in calls:
        took.observe(seconds)


def _count_stand_ins(answers: Sequence[None], task: str, version: int | None, status: str) -> None:
    PREDICTIONS.labels(task, version or "", status).inc(len(answers))


def refused(task: str) -> None:
    note(_count_refusals, task)


def _count_refusals(refusals: Sequence[None], task: str) -> None:
    REFUSED.labels(task).inc(len(refusals))


def serving_now(tasks: Iterable[str], loaded: Mapping[str, Loaded]) -> None:
    """What this process has in memory: live versions by task, those of variants by other names."""
    waiting: Sums[str] = Sums()
    for model in loaded.values():
        waiting[model.task] += model.batcher.size if model.batcher else 0
    for name in tasks:
        note(_set, LIVE, name, value=loaded[name].version if name in loaded else 0)
        note(_set, QUEUE, name, value=waiting[name])


def _set(values: Sequence[float], gauge: Gauge, task: str) -> None:
    gauge.labels(task).set(values[-1])
