"""Versions of models: made by training, put live by promotion behind a gate, taken back by rollback.

There is one live version a task, which the database holds to. A promotion is a compare-and-set: of two at once one
wins and the other is told so. Every process notices within two seconds (serving.py).
"""

import secrets
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from django.db import IntegrityError, connection, transaction
from django.db.models import Max

from experiments import serving
from experiments.artifacts import digest_of, store
from experiments.discovery import dataset, task_named
from experiments.errors import Conflict, DomainError, Invalid, ModelUnavailable, NotFound
from experiments.mltask import Examples, MLTask, Predictor, Progress, Split, from_json, logged_whole, no_progress
from experiments.models import ModelVersion, Prediction, Promotion
from experiments.monitoring.texts import texts_are_there

PARTS = 20  # of the test part; each version is scored on each
RESAMPLES = 2_000


@dataclass(frozen=True)
class Comparison:
    """A candidate against the live version on the same test parts; `low` and `high` bound the mean difference at 95
    %.
    """

    metric: str
    live: float
    candidate: float
    difference: float
    low: float
    high: float

    @property
    def worse(self) -> bool:
        return self.high < 0


def version_get(*, task: str, version: int) -> ModelVersion:
    found = ModelVersion.objects.filter(task=task_named(task).name, version=version).first()
    if not found:
        raise NotFound(f"{task} has no version {version}.")
    return found


def live_version(task: str) -> ModelVersion | None:
    return ModelVersion.objects.filter(task=task, live=True).first()


def version_train(
    *,
    task: str,
    algorithm: str = "",
    params: Mapping[str, Any] | None = None,
    created_by: str = "",
    split: Split | None = None,
    progress: Progress = no_progress,
) -> ModelVersion:
    """Fit an algorithm on the task's rows (or on `split`), measure it on the test part, store it as a candidate."""
    definition = task_named(task)
    split = split or dataset(definition)
    name = algorithm or next(iter(definition.algorithms))
    if name not in definition.algorithms:
        raise Invalid("algorithm", f"{task} has no algorithm {name}. Known are: {', '.join(definition.algorithms)}.")
    for part in () if definition.pretrained else ("fit", "test"):
        if not len(getattr(split, part)):
            raise DomainError(f"There are no rows to {part} {task} on: import some, or run `manage.py demo`.")
    try:
        predictor = definition.algorithms[name](**(params or {}))
    except (TypeError, ValueError) as error:
        raise Invalid("param", f"{name} does not take these parameters: {error}") from None
    start = time.perf_counter()
    try:
        predictor.fit(split.fit, progress=progress)
    except ValueError as error:
        raise DomainError(f"{name} cannot be fitted on these rows with these parameters: {error}") from error
    seconds = time.perf_counter() - start
    metrics: dict[str, Any] = {"test": {}, "seconds_to_fit": round(seconds, 2)}
    for part in ("test", "validation"):
        if len(getattr(split, part)):
            metrics[part] = scores(predictor, getattr(split, part))
    return version_create(
        task=definition, algorithm=name, predictor=predictor, params=dict(params or {}), metrics=metrics,
        split=split, created_by=created_by,
    )  # fmt: skip


def scores(predictor: Predictor[Any, Any], examples: Examples) -> dict[str, float]:
    """The predictor's measures as plain floats; one that these examples do not define (NaN) is left out."""
    measured = predictor.evaluate(examples)
    return {name: float(value) for name, value in measured.items() if np.isfinite(value)}


def cross_validate(*, row: ModelVersion, folds: int, progress: Progress = no_progress) -> list[dict[str, float]]:
    """The version's algorithm and parameters fitted `folds` times, each time measured on another part of all rows.

    One held-out part can be an easy or a hard one; the mean over all parts says more. Units stay whole. Needs a task
    whose examples are not split by time (those carry a column `held_out`).
    """
    import pandas as pd

    if not 2 <= folds <= 20:
        raise Invalid("folds", f"Expected 2 to 20 folds, got {folds}.")
    task = task_named(row.task)
    split = dataset(task)
    rows = pd.concat([split.fit.rows, split.validation.rows, split.test.rows])
    if "held_out" in rows:
        raise DomainError(f"{task.name} is split by time, so it has no folds.")
    parts = list(Examples(rows, split.fit.side).parts(folds))
    if len(parts) < folds:
        raise DomainError(f"There are no rows for {folds} folds of {task.name}.")
    found = []
    for number, part in enumerate(parts):
        progress(number, folds, f"part {number + 1} of {folds}")
        others = pd.concat([other.rows for other in parts if other is not part])
        predictor = task.algorithms[row.algorithm](**row.params).fit(Examples(others, part.side), progress=no_progress)
        found.append(predictor.evaluate(part))
    return found


def version_create(
    *,
    task: MLTask[Any, Any],
    algorithm: str,
    predictor: Predictor[Any, Any],
    params: dict[str, Any],
    metrics: dict[str, Any],
    split: Split,
    created_by: str,
) -> ModelVersion:
    """Store a fitted predictor. Its files are on disk before its row exists; two at once get two numbers."""
    data = {
        "fit": len(split.fit),
        "validation": len(split.validation),
        "test": _held_out(split.test),
        "sources": split.sources,
    }
    with tempfile.TemporaryDirectory() as folder, transaction.atomic(), connection.cursor() as cursor:
        predictor.save(Path(folder))
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"version of {task.name}"])
        last = ModelVersion.objects.filter(task=task.name).aggregate(last=Max("version"))["last"]
        number = (last or 0) + 1
        artifact = f"{task.name}/{number}-{secrets.token_hex(4)}"  # a number whose files outlived a crash comes again
        manifest = store(Path(folder), artifact)
        return ModelVersion.objects.create(
            task=task.name, version=number, algorithm=algorithm, params=params, metrics=metrics, data=data,
            artifact=artifact, manifest=manifest, digest=digest_of(manifest), created_by=created_by,
        )  # fmt: skip


def _held_out(examples: Examples) -> int:
    """Rows that are measured on; where a column says which, the others are history."""
    return int(examples.rows["held_out"].sum()) if "held_out" in examples.rows else len(examples)


def compare(*, task: MLTask[Any, Any], live: ModelVersion, candidate: ModelVersion, test: Examples) -> Comparison:
    """Score both on the same parts of `test` and bootstrap the mean of the paired differences (Efron, 1979).

    Each part keeps its units (users, products) whole; one on which the metric is not defined (NaN) does not count. A
    positive difference means that the candidate is better. Raises DomainError where no part is left.
    """
    sign = 1 if task.higher_is_better else -1
    with closing(serving.load(live)) as old, closing(serving.load(candidate)) as new:
        parts = [[model.predictor.evaluate(part)[task.metric] for model in (old, new)] for part in test.parts(PARTS)]
    scores = np.array([part for part in parts if np.isfinite(part).all()], float)
    if not len(scores):
        raise DomainError(f"There are no rows on which {task.metric} can be measured.")
    differences = sign * (scores[:, 1] - scores[:, 0])
    picks = np.random.default_rng(0).integers(0, len(differences), (RESAMPLES, len(differences)))
    low, high = np.quantile(differences[picks].mean(axis=1), [0.025, 0.975])
    figures = (*scores.mean(axis=0), differences.mean(), low, high)
    return Comparison(task.metric, *(float(figure) for figure in figures))


def version_promote(*, task: str, version: int, by: Any = None, reason: str = "", force: bool = False) -> Promotion:
    """Put a version live. Refused (Conflict) when it is worse than the live one on the test part beyond the interval.

    `force` overrides the refusal and needs a reason.
    """
    if force and not reason.strip():
        raise Invalid("reason", "A forced promotion needs a reason.", "required")
    target = version_get(task=task, version=version)
    current = live_version(task)
    if current and current.pk == target.pk:
        raise Conflict(f"{task} {version} is live already.")
    prove(target, logged=0)
    comparison = _gate(target, current, force)
    return _switch(
        target, current, kind=Promotion.Kind.PROMOTE, by=by, reason=reason, forced=force, comparison=comparison
    )


def _gate(target: ModelVersion, current: ModelVersion | None, force: bool) -> dict[str, Any]:
    if not current:
        return {}
    definition = task_named(target.task)
    names = f"{target.task} {target.version}", f"the live version {current.version}"
    all_the_same = "Force it with a reason if it is to be live all the same."
    try:
        result = compare(task=definition, live=current, candidate=target, test=dataset(definition).test)
    except DomainError as error:
        if force:
            return {"error": error.detail}
        raise Conflict(f"{names[0]} cannot be compared with {names[1]}. {error.detail} {all_the_same}") from error
    if result.worse and not force:
        raise Conflict(
            f"{names[0]} is worse than {names[1]}: {result.metric} {result.candidate:.4f} against {result.live:.4f}, "
            f"difference {result.difference:+.4f} ({result.low:+.4f} to {result.high:+.4f}). {all_the_same}"
        )
    return asdict(result)


def version_rollback(*, task: str, by: Any = None, reason: str = "", only: int | None = None) -> Promotion:
    """Put the version that was live before back, after it proved itself on the example and the last ten logged
    inputs. Raises Conflict where there is none, it does not, or another version than `only` is live.
    """
    current = live_version(task_named(task).name)
    if only is not None and (not current or current.version != only):
        raise Conflict(f"{task} {only} is no longer live.")
    before = _before(task)
    if not current or not before:
        raise Conflict(f"{task} has no version before the live one to go back to.")
    prove(before, logged=10)
    return _switch(before, current, kind=Promotion.Kind.ROLLBACK, by=by, reason=reason, forced=False, comparison={})


def _before(task: str) -> ModelVersion | None:
    """The version before the live one: each promotion puts one on the stack, each rollback takes one off."""
    stack: list[int] = []
    for kind, version in Promotion.objects.filter(task=task).order_by("id").values_list("kind", "to_version_id"):
        if kind == Promotion.Kind.PROMOTE:
            stack.append(version)
        else:
            stack.pop()
    return ModelVersion.objects.get(pk=stack[-2]) if len(stack) > 1 else None


def prove(row: ModelVersion, *, logged: int) -> None:
    """The canary: the version loads and answers the task's example and the last `logged` inputs, but those whose texts
    are no longer kept, each as one of its kind. Raises Conflict.
    """
    definition = task_named(row.task)
    again = logged if logged_whole(definition.input) else 0
    rows = Prediction.objects.filter(task=row.task, status=Prediction.Status.OK)[:again]
    kept = [one.input for one in rows if texts_are_there(definition.input, one.input)]
    try:
        model = serving.load(row)
    except ModelUnavailable as error:
        raise Conflict(f"{row} was not put live. {error.detail}") from error
    try:
        outputs = model.predict([definition.example, *(from_json(definition.input, one) for one in kept)])
    except Exception as error:
        raise Conflict(f"{row} failed on logged inputs ({type(error).__name__}), so it was not put live.") from error
    finally:
        model.close()
    if not all(isinstance(output, definition.output) for output in outputs):
        raise Conflict(f"{row} answered with something else than a {definition.output.__name__}.")


def _switch(target: ModelVersion, current: ModelVersion | None, *, kind: str, **facts: Any) -> Promotion:
    lost = Conflict(f"Another version of {target.task} was put live meanwhile.")
    try:
        with transaction.atomic():
            if current and not ModelVersion.objects.filter(pk=current.pk, live=True).update(live=False):
                raise lost
            ModelVersion.objects.filter(pk=target.pk).update(live=True)
            return Promotion.objects.create(
                task=target.task, from_version=current, to_version=target, kind=kind, **facts
            )
    except IntegrityError:
        raise lost from None


def live_at(*, task: str, at: datetime) -> ModelVersion | None:
    """The version that was live at that moment."""
    last = Promotion.objects.filter(task=task_named(task).name, at__lte=at).select_related("to_version").first()
    return last.to_version if last else None
