"""Answers from the live models, inside this process.

Each process keeps, per task, the live version loaded and warm. A watcher asks the database every second which version
is live; when that changed it loads the new one, warms it up and swaps it in, while calls that run go on with the old
one. A request therefore pays no query for it and never waits for a load, but for the first in a process that has no
watcher (a command, a test). The same goes for the running A/B tests and the versions that their variants bring, and for
the versions that a higher room keeps beside the live ones (`keep`).
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import close_old_connections, connections

from experiments import telemetry
from experiments.assignment import Person
from experiments.batching import Closed
from experiments.discovery import tasks
from experiments.errors import DomainError, ModelFailed, ModelUnavailable, QueueFull
from experiments.loading import Loaded, load
from experiments.mltask import MLTask, to_json
from experiments.models import ABTest, ModelVersion, Prediction, Variant
from experiments.prediction_log import exposure_record, prediction_record, variant_met
from experiments.request_id import request_id
from experiments.running import NO_TEST, Arm, Running, own, running
from experiments.uuid7 import uuid7

logger = logging.getLogger(__name__)
WATCH_EVERY_S = 1.0
In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)
class Again(Generic[In, Out]):
    """Asks `model` (as the variant) a further question, which is not logged."""

    task: MLTask[In, Out]
    model: Loaded
    arm: Arm

    def __call__(self, given: In) -> Out:
        return _ask(self.task, self.model, [self.arm.asked(given)])[0][0]


@dataclass(frozen=True)
class Answer(Generic[Out]):
    """One output and where it came from."""

    output: Out
    model: str
    version: int | None
    prediction_id: UUID


_loaded: dict[str, Loaded] = {}  # live versions by task; those of variants by `own`, kept ones by their names
_failed: dict[str, str] = {}  # what could not be loaded, by the same names, to its digest
_running: dict[str, Running] = {}  # by task
_chooses: dict[str, Callable[[], ModelVersion | None]] = {}  # what higher rooms want kept, by names of their own
_kept: dict[str, Loaded] = {}  # by the same names
_left_out: set[str] = set()  # tasks that nobody asks in this process
_lock = threading.Lock()
_watched = threading.Event()  # this process has a watcher


def refresh() -> None:
    """Bring what is in memory to what is live and under test in the database. A version that cannot be loaded leaves
    the old one in place.
    """
    with _lock:
        rows = {row.task: row for row in ModelVersion.objects.filter(live=True, task__in=_mine())}
        chosen = {name: row for name, choose in _chooses.items() if (row := choose())}
        rows |= {name: row for name, row in chosen.items() if row != rows.get(row.task)}  # else the live one is it
        under_test = Variant.objects.filter(test__state=ABTest.State.RUNNING, test__task__in=_mine())
        tests: dict[ABTest, list[Variant]] = {}
        for variant in under_test.select_related("test", "version").order_by("id"):
            tests.setdefault(variant.test, []).append(variant)
            if variant.version:
                rows[own(variant)] = variant.version
        retired = _load_all(rows)
        found = {test.task: running(test, variants, _loaded) for test, variants in tests.items()}
        for name in set(_running) - set(found):
            _running.pop(name)
        _running.update(found)
        _keep(chosen)
        telemetry.serving_now(_mine(), _loaded)
        for old in retired:  # at the end: who finds one closed finds another one at the next look
            old.close()


def _load_all(rows: Mapping[str, ModelVersion]) -> list[Loaded]:
    """Have these versions, and only these, in memory under these names; gives those that were taken out."""
    retired = [_loaded.pop(name) for name in set(_loaded) - set(rows)]
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
            retired.append(old)
    return retired


def keep(name: str, choose: Callable[[], ModelVersion | None]) -> None:
    """Have the version that `choose` says in memory, live or not, for who asks for it by `name`: no task is named so.
    Where it says none, the live one answers. Called once, when the apps are ready.
    """
    _chooses[name] = choose


def _keep(chosen: Mapping[str, ModelVersion]) -> None:
    found = {name: _loaded.get(name) or _loaded.get(row.task) for name, row in chosen.items()}
    for name in _chooses:
        if model := found.get(name):
            _kept[name] = model
        else:
            _kept.pop(name, None)


def start(*, jobs: bool = True) -> None:
    """Load what is live and keep it so: called once in each web process (`jobs` are not asked there) or worker."""
    _left_out.update(name for name, task in tasks().items() if task.jobs_only and not jobs)

    def watch() -> None:
        while True:
            time.sleep(WATCH_EVERY_S)
            _try_refresh()

    _watched.set()
    _try_refresh()
    telemetry.start()
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
    return {name: _state(name) for name in _mine()}


def _mine() -> list[str]:
    """The tasks that are asked in this process."""
    return [name for name in tasks() if name not in _left_out]


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


def kept(name: str, task: str) -> Loaded:
    """The version that is kept under this name, else the live one. Raises ModelUnavailable where there is none."""
    stand_in = live(task)  # first: where nobody watches, this reads what is kept too
    return _kept.get(name, stand_in)


def predict(
    task: MLTask[In, Out],
    inputs: Sequence[In],
    *,
    user_id: int | Sequence[int | None] | None,
    method: str = "",
    finish: Callable[[Out, Again[In, Out]], Out] | None = None,
    tested: Person | None = None,
    degraded: bool = False,
    of: str = "",
) -> list[Answer[Out]]:
    """Ask the live version and log each answer; they are in the database (or in the caller's transaction) when this
    returns.

    `user_id` is whose the inputs are: one for all, or one for each. `finish(output, again)` makes of an output what is
    answered and logged, where the caller adds to it; `again` is the version that answered, for a further question. A
    single input of `tested`, who is the user, is answered by the variant of the running test that is theirs, and the
    exposure is noted. `degraded` says in the log that the live version stands in for a better answer, and for which
    variant's. `of` names a version that is kept (see `keep`), which is asked instead of the live one. Raises
    ModelUnavailable where there is no live version, ModelFailed (logged as a prediction with status `error`) and
    QueueFull.
    """
    status = Prediction.Status.FALLBACK if degraded else Prediction.Status.OK
    person = tested if len(inputs) == 1 and not degraded else None
    instead_of = _arm_of(task.name, tested).name if degraded else ""
    met: int | None = None
    while True:
        start = time.perf_counter()  # an answer that was for nobody is no part of the time of theirs
        model, arm = (kept(of, task.name), NO_TEST) if of else _chosen(task.name, person, met)
        asked = [arm.asked(given) for given in inputs]
        facts = {"algorithm": model.algorithm, "version": model.version, "variant": arm.name or instead_of}
        try:
            outputs, answers = _ask(task, model, asked)
            if finish:
                again = Again(task, model, arm)
                outputs = [finish(output, again) for output in outputs]
                answers = [to_json(output) for output in outputs]
        except Closed:  # swapped between the look and the call: the new one answers
            continue
        except QueueFull:
            telemetry.refused(task.name)
            raise
        except ModelFailed as error:
            if person and arm.id and met is None:  # is it theirs at all?
                met = variant_met(test_id=arm.test_id, user_id=person.id)
                if met not in (None, arm.id):
                    continue
            logger.exception("%s %d failed", task.name, model.version)
            failed = [{"error": type(error.__cause__).__name__}] * len(inputs)
            status = Prediction.Status.ERROR
            rows = _rows(task, asked, failed, start, user_id=user_id, method=method, status=status, **facts)
            prediction_record(rows)
            telemetry.answered(rows)
            raise
        rows = _rows(task, asked, answers, start, user_id=user_id, method=method, status=status, **facts)
        met = _write(rows, arm)
        if met == arm.id:  # else they met another variant before the weights were changed: that one answers
            telemetry.answered(rows)
            return [
                Answer(output, row.algorithm, row.version, row.pk) for output, row in zip(outputs, rows, strict=True)
            ]


def _chosen(name: str, person: Person | None, met: int | None = None) -> tuple[Loaded, Arm]:
    """Which version of a task answers, and the variant it answers as: the live one as no variant where no test runs,
    where `person` takes no part in it, and where their variant cannot be served.
    """
    model, arm = live(name), _arm_of(name, person, met)
    return arm.model or model, arm


def _arm_of(name: str, person: Person | None, met: int | None = None) -> Arm:
    test = _running.get(name)
    return test.arm_of(person, met) if test and person else NO_TEST


def _write(rows: Sequence[Prediction], arm: Arm) -> int | None:
    """Log the answers. Gives the variant whose they are to be: if that is another one than `arm`, nothing is logged."""
    if arm.id is not None:
        return exposure_record(rows[0], test_id=arm.test_id, variant_id=arm.id)
    prediction_record(rows)
    return None


def _ask(task: MLTask[In, Out], model: Loaded, batch: Sequence[In]) -> tuple[Sequence[Out], list[dict[str, Any]]]:
    """The outputs, and as JSON. Raises ModelFailed where the model raised or answered what is no JSON."""
    try:
        with telemetry.model_span(task.name, model.version):
            outputs = model.predict(batch)
        return outputs, [to_json(output) for output in outputs]
    except (Closed, DomainError):
        raise
    except Exception as error:
        raise ModelFailed(f"The model for {task.name} failed on this input.") from error


def record(
    task: MLTask[In, Out], given: In, output: Out, *, user_id: int | None, algorithm: str, degraded: bool,
    tested: Person | None = None,
) -> Answer[Out]:  # fmt: skip
    """Log an answer for which no model was asked, such as what is trending; `degraded` when one should have been and
    could not: the variant of `tested`, where they have one. It is nobody's of the task's versions.
    """
    status = Prediction.Status.FALLBACK if degraded else Prediction.Status.OK
    [row] = _rows(task, [given], [to_json(output)], time.perf_counter(), user_id=user_id, method=algorithm,
                  algorithm=algorithm, version=None, status=status,
                  variant=_arm_of(task.name, tested).name)  # fmt: skip
    prediction_record([row])
    telemetry.answered_without_model(row)
    return Answer(output, algorithm, None, row.pk)


def _rows(
    task: MLTask[In, Out],
    inputs: Sequence[In],
    answers: Sequence[dict[str, Any]],
    start: float,
    *,
    user_id: int | Sequence[int | None] | None,
    method: str,
    **facts: Any,
) -> list[Prediction]:
    took = (time.perf_counter() - start) * 1000
    users = user_id if isinstance(user_id, Sequence) else [user_id] * len(inputs)
    return [
        Prediction(
            id=uuid7(),
            task=task.name,
            user_id=user,
            request_id=request_id.get(),
            input=given,
            output=answer,
            method=answer.get("method") or method,
            confidence=answer.get("confidence"),
            latency_ms=took,
            **facts,
        )
        for given, answer, user in zip(inputs, answers, users, strict=True)
    ]
