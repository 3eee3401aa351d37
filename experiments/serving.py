"""Answers from the live models, inside this process.

Each process keeps, per task, the live version loaded and warm. A watcher asks the database every second which version
is live; when that changed it loads the new one, warms it up and swaps it in, while calls that run go on with the old
one. A request therefore pays no query for it and never waits for a load, but for the first in a process that has no
watcher (a command, a test).
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import close_old_connections, connections

from experiments.artifacts import fetch
from experiments.batching import Batcher, Closed
from experiments.discovery import task_named, tasks
from experiments.errors import DomainError, ModelFailed, ModelUnavailable
from experiments.mltask import MLTask, Predictor, to_json
from experiments.models import ModelVersion, Prediction
from experiments.prediction_log import prediction_record
from experiments.request_id import request_id
from experiments.uuid7 import uuid7

logger = logging.getLogger(__name__)
WATCH_EVERY_S = 1.0
In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)
class Loaded:
    """A version in memory, ready to answer."""

    algorithm: str
    version: int
    digest: str
    predictor: Predictor[Any, Any]
    batcher: Batcher[Any, Any] | None

    def predict(self, batch: Sequence[Any]) -> Sequence[Any]:
        return self.batcher.submit(batch) if self.batcher else one_each(self.predictor, batch)

    def close(self) -> None:
        """Take no more calls; those that wait are still answered."""
        if self.batcher:
            self.batcher.close()


@dataclass(frozen=True)
class Answer(Generic[Out]):
    """One output and where it came from."""

    output: Out
    model: str
    version: int | None
    prediction_id: UUID


_loaded: dict[str, Loaded] = {}
_failed: dict[str, str] = {}  # task to the digest of its live version, which could not be loaded
_lock = threading.Lock()
_watched = threading.Event()  # this process has a watcher


def one_each(predictor: Predictor[Any, Any], batch: Sequence[Any]) -> Sequence[Any]:
    """The predictor's outputs, one an input: a wrong number must never be dealt out among the callers."""
    outputs = predictor.predict(batch)
    if len(outputs) != len(batch):
        raise ValueError(f"{len(outputs)} outputs for {len(batch)} inputs")
    return outputs


def load(row: ModelVersion) -> Loaded:
    """Verify, load and warm up one version. Raises ModelUnavailable, whatever it was that failed."""
    task = task_named(row.task)
    if row.algorithm not in task.algorithms:
        raise ModelUnavailable(f"{row} was made by an algorithm that this code does not have.")
    try:
        predictor = task.algorithms[row.algorithm].load(fetch(row.artifact, row.manifest))
        one_each(predictor, [task.example])
    except DomainError:
        raise
    except Exception as error:
        raise ModelUnavailable(f"{row} cannot be loaded ({type(error).__name__}).") from error
    batcher = Batcher(partial(one_each, predictor), task.batching) if task.batching else None
    return Loaded(row.algorithm, row.version, row.digest, predictor, batcher)


def refresh() -> None:
    """Bring what is in memory to what is live in the database. A version that cannot be loaded leaves the old one in
    place.
    """
    with _lock:
        rows = {row.task: row for row in ModelVersion.objects.filter(live=True, task__in=tasks())}
        for name in set(_loaded) - set(rows):
            _loaded.pop(name).close()
        for name in set(_failed) - set(rows):
            _failed.pop(name)
        for name, row in rows.items():
            old = _loaded.get(name)
            if old and (old.version, old.digest) == (row.version, row.digest):
                _failed.pop(name, None)
                continue
            try:
                _loaded[name] = load(row)
            except Exception:
                if _failed.get(name) != row.digest:
                    logger.exception("%s cannot be loaded", row)
                _failed[name] = row.digest
                continue
            _failed.pop(name, None)
            logger.info("serving %s", row)
            if old:
                old.close()


def start() -> None:
    """Load what is live and keep it so: called once in each web or worker process, after it was started."""

    def watch() -> None:
        while True:
            time.sleep(WATCH_EVERY_S)
            _try_refresh()

    _watched.set()
    _try_refresh()
    threading.Thread(target=watch, name="model-watcher", daemon=True).start()


def _try_refresh() -> None:
    close_old_connections()
    try:
        refresh()
    except Exception:
        logger.exception("the live versions could not be read")
        connections.close_all()


BROKEN = "the live version cannot be loaded"


def status() -> dict[str, str]:
    """`ok`, `no live version`, or what is wrong, for each task; only BROKEN means that it cannot be answered."""
    if not _watched.is_set():
        refresh()
    return {name: _state(name) for name in tasks()}


def _state(name: str) -> str:
    if name in _failed:
        return f"{BROKEN}; the one before answers" if name in _loaded else BROKEN
    return "ok" if name in _loaded else "no live version"


def live(name: str) -> Loaded:
    """The live version of a task, in memory. Raises ModelUnavailable where there is none that works."""
    if name not in _loaded and not _watched.is_set():
        refresh()
    found = _loaded.get(name)
    if not found:
        raise ModelUnavailable(f"There is no live model for {name} now.")
    return found


def predict(
    task: MLTask[In, Out],
    inputs: Sequence[In],
    *,
    user_id: int | Sequence[int | None] | None,
    method: str = "",
    finish: Callable[[Out], Out] | None = None,
) -> list[Answer[Out]]:
    """Ask the live version and log each answer; they are in the database (or in the caller's transaction) when this
    returns.

    `user_id` is whose the inputs are: one for all, or one for each. `finish` makes of an output what is answered and
    logged, where the caller adds to it. Raises ModelUnavailable where there is no live version, ModelFailed (logged as
    a prediction with status `error`) and QueueFull.
    """
    start = time.perf_counter()
    model, outputs = live(task.name), None
    while outputs is None:
        try:
            outputs = model.predict(inputs)
            answers = [to_json(output) for output in outputs]
        except Closed:  # swapped between the look and the call: the new one answers
            model = live(task.name)
        except DomainError:
            raise
        except Exception as error:
            logger.exception("%s %d failed", task.name, model.version)
            failed = [{"error": type(error).__name__}] * len(inputs)
            _log(task, inputs, failed, start, user_id=user_id, method=method, algorithm=model.algorithm,
                 version=model.version, status=Prediction.Status.ERROR)  # fmt: skip
            raise ModelFailed(f"The model for {task.name} failed on this input.") from error
    if finish:
        outputs = [finish(output) for output in outputs]
        answers = [to_json(output) for output in outputs]
    rows = _log(task, inputs, answers, start, user_id=user_id, method=method, algorithm=model.algorithm,
                version=model.version)  # fmt: skip
    return [Answer(output, row.algorithm, row.version, row.pk) for output, row in zip(outputs, rows, strict=True)]


def record(
    task: MLTask[In, Out], given: In, output: Out, *, user_id: int | None, algorithm: str, degraded: bool
) -> Answer[Out]:
    """Log an answer that no model version gave, such as what is trending; `degraded` when a model should have and
    could not.
    """
    status = Prediction.Status.FALLBACK if degraded else Prediction.Status.OK
    [row] = _log(task, [given], [to_json(output)], time.perf_counter(), user_id=user_id, method=algorithm,
                 algorithm=algorithm, status=status)  # fmt: skip
    return Answer(output, algorithm, None, row.pk)


def _log(
    task: MLTask[In, Out],
    inputs: Sequence[In],
    answers: Sequence[dict[str, Any]],
    start: float,
    *,
    user_id: int | Sequence[int | None] | None,
    **facts: Any,
) -> list[Prediction]:
    took = (time.perf_counter() - start) * 1000
    users = user_id if isinstance(user_id, Sequence) else [user_id] * len(inputs)
    rows = [
        Prediction(
            id=uuid7(),
            task=task.name,
            user_id=user,
            request_id=request_id.get(),
            input=to_json(given),
            output=answer,
            confidence=answer.get("confidence"),
            latency_ms=took,
            **facts,
        )
        for given, answer, user in zip(inputs, answers, users, strict=True)
    ]
    prediction_record(rows)
    return rows
