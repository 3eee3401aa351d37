"""The contract of every task and every algorithm that discovery finds. A new model is tested by being there; what it
needs from outside, such as a file of weights, tests/outside.py makes.

`pytest tests/contract.py -k sentiment` runs it for one task. It needs no database.
"""

import dataclasses
import inspect
import json
import math
import re
import shutil
import subprocess
import sys
import time
import typing
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import Resolver404, resolve
from rest_framework import serializers

from experiments.discovery import tasks
from experiments.errors import DomainError
from experiments.fields import serializer_of
from experiments.mltask import (
    Examples,
    Image,
    Items,
    MLTask,
    Number,
    Text,
    bounds,
    from_json,
    logged_whole,
    no_progress,
    to_json,
)
from tests import hostile, outside
from vision.ml.sample import picture

Task = MLTask[Any, Any]
Fitted = Callable[..., Any]
FITS_WITHIN_S = 5.0
OF_THE_API = {"model", "version", "prediction_id"}  # stand beside the output's fields in an answer
PAIRS = [(task, name) for task in tasks().values() for name in task.algorithms]
SLOW = {("image", "resnet50")}  # made and loaded in 10 s each time
each_task = pytest.mark.parametrize("task", tasks().values(), ids=lambda task: task.name)
each_model = pytest.mark.parametrize(
    ("task", "algorithm"),
    [
        pytest.param(
            task, name, id=f"{task.name}-{name}", marks=[pytest.mark.slow] if (task.name, name) in SLOW else []
        )
        for task, name in PAIRS
    ],
)


def inputs_of(task: Task) -> list[Any]:
    """The example and valid neighbours of it: texts and sequences cut and turned, numbers at their bounds, other
    pictures.
    """
    found = [task.example]
    for name, kind in typing.get_type_hints(task.input).items():
        if kind is Image:
            found += [dataclasses.replace(task.example, **{name: picture(number)}) for number in range(1, 6)]
    for name, bound in bounds(task.input).items():
        value = getattr(task.example, name)
        values: list[Any] = []
        if isinstance(bound, Text) and value:
            values = [value.split()[0], value[::-1], f"{value} ☃", (value * bound.max_length)[: bound.max_length]]
        if isinstance(bound, Items) and value:
            values = [value[:1], value[::-1]]
        if isinstance(bound, Number):
            values = [type(value)(bound.ge), type(value)(bound.le)]
        found += [dataclasses.replace(task.example, **{name: one}) for one in values]
    return found


def sent(given: Any) -> dict[str, Any]:
    """An input as a client sends it: pictures are files of a form."""
    body = dataclasses.asdict(given)
    for name in body:
        value = getattr(given, name)
        if isinstance(value, Image):
            body[name] = SimpleUploadedFile(f"{name}.png", value.data)
    return body


def measured(model: Any, examples: Examples) -> dict[str, float]:
    """The measures that these examples define."""
    return {name: value for name, value in model.evaluate(examples).items() if math.isfinite(value)}


def plain(outputs: Any) -> str:
    return json.dumps([to_json(one) for one in outputs], allow_nan=False)


# The task


@each_task
def test_names_fit_a_route_a_column_and_a_function(task: Task) -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9_-]{0,63}", name) for name in [task.name, *task.algorithms])


@each_task
def test_a_task_has_an_algorithm(task: Task) -> None:
    assert task.algorithms


@each_task
def test_a_public_task_has_a_route_and_another_has_none(task: Task) -> None:
    path = f"/api/v1/predict/{task.name}/"
    if task.public:
        assert resolve(path).func.cls.task is task
    else:
        with pytest.raises(Resolver404):
            resolve(path)


@each_task
def test_input_and_output_are_frozen_and_leave_the_api_its_own_names(task: Task) -> None:
    for kind in (task.input, task.output):
        assert kind.__dataclass_params__.frozen
    assert "instances" not in {field.name for field in dataclasses.fields(task.input)}
    assert not OF_THE_API & {field.name for field in dataclasses.fields(task.output)}


@each_task
def test_every_text_and_every_sequence_of_the_input_is_bounded(task: Task) -> None:
    def unbounded(field: Any, path: str) -> Iterator[str]:
        if isinstance(field, serializers.Serializer):
            for name, inner in field.fields.items():
                yield from unbounded(inner, f"{path}.{name}")
        elif isinstance(field, serializers.ListField | serializers.ListSerializer):
            yield from [] if field.max_length else [path]
            yield from unbounded(field.child, f"{path}[]")
        elif isinstance(field, serializers.CharField):
            yield from [] if field.max_length else [path]
        elif isinstance(field, serializers.DictField):
            yield path

    assert list(unbounded(serializer_of(task.input)(), task.name)) == []


@each_task
def test_valid_input_comes_through_the_serializer_and_through_the_log_unchanged(task: Task) -> None:
    for given in inputs_of(task):
        logged = json.loads(json.dumps(to_json(given), allow_nan=False))
        assert serializer_of(task.input)().run_validation(sent(given)) == given
        if logged_whole(task.input):
            assert from_json(task.input, logged) == given


@each_task
def test_hostile_input_is_refused_and_its_place_named(task: Task) -> None:
    assert hostile.accepted(serializer_of(task.input)(), sent(task.example)) == []


# The algorithm


@each_model
def test_the_constructor_stores_its_parameters_under_their_names_and_does_nothing_else(
    task: Task, algorithm: str
) -> None:
    make = task.algorithms[algorithm]
    defaults = {name: one.default for name, one in inspect.signature(make).parameters.items()}
    assert inspect.Parameter.empty not in defaults.values(), "train needs no --param"
    assert vars(make()) == defaults
    numbers = {name: value for name, value in defaults.items() if type(value) in (int, float)}
    changed = {name: value * 2 + 1 for name, value in numbers.items()}
    assert vars(make(**changed)) == {**defaults, **changed}


@each_model
def test_it_fits_the_tiny_examples_in_seconds_and_leaves_them_alone(task: Task, algorithm: str, fitted: Fitted) -> None:
    fitted(task.name, algorithm)  # what it imports and makes once a process does not count
    examples, untouched, steps = task.tiny(), task.tiny(), []
    made = outside.made(task, algorithm)
    parameters = dict(vars(made))
    start = time.process_time()  # others may be at work on this machine
    assert made.fit(examples, progress=lambda done, total, what: steps.append((done, total, what))) is made
    assert time.process_time() - start < FITS_WITHIN_S
    assert examples.rows.equals(untouched.rows)
    assert parameters.items() <= vars(made).items()
    assert steps
    assert all(0 <= done <= total and what for done, total, what in steps)
    assert steps[-1][0] == steps[-1][1]


@each_model
@pytest.mark.parametrize("count", [0, 1])
def test_too_few_examples_are_fitted_or_refused_in_words(task: Task, algorithm: str, count: int) -> None:
    few = Examples(task.tiny().rows[:count])
    with suppress(DomainError):
        fitted = outside.made(task, algorithm).fit(few, progress=no_progress)
        assert len(fitted.predict([task.example])) == 1


@each_model
def test_a_batch_equals_its_singles_in_order(task: Task, algorithm: str, fitted: Fitted) -> None:
    model, inputs = fitted(task.name, algorithm), inputs_of(task)
    singles = [model.predict([one]) for one in inputs]
    assert all(len(one) == 1 for one in singles)
    together = list(model.predict(inputs))
    assert together == [one for [one] in singles]
    assert list(model.predict(inputs[::-1])) == together[::-1]
    assert len({plain([one]) for one in together}) > 1, "the inputs are too much alike to show an order"


@each_model
def test_an_empty_batch_has_an_empty_answer(task: Task, algorithm: str, fitted: Fitted) -> None:
    assert list(fitted(task.name, algorithm).predict([])) == []


@each_model
def test_several_threads_at_once_get_what_one_gets(task: Task, algorithm: str, fitted: Fitted) -> None:
    model, inputs = fitted(task.name, algorithm), inputs_of(task)
    alone = plain(model.predict(inputs))
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: plain(model.predict(inputs)), range(8))) == {alone}


@each_model
def test_an_output_is_one_of_the_task_in_plain_finite_values(task: Task, algorithm: str, fitted: Fitted) -> None:
    for output in fitted(task.name, algorithm).predict(inputs_of(task)):
        assert type(output) is task.output
        logged = json.loads(plain([output]))[0]
        if logged_whole(task.output):
            assert from_json(task.output, logged) == output
        assert 0 <= logged.get("confidence", 0) <= 1


@each_model
def test_evaluation_gives_the_metric_of_the_task_each_time_the_same(task: Task, algorithm: str, fitted: Fitted) -> None:
    model = fitted(task.name, algorithm)
    figures = model.evaluate(task.tiny())
    assert math.isfinite(figures[task.metric]) or not len(task.tiny()), "NaN is for no rows"
    assert all(isinstance(figure, float) for figure in figures.values())
    assert measured(model, task.tiny()) == measured(model, task.tiny())


# The artifact


@pytest.fixture
def artifact(task: Task, algorithm: str, fitted: Fitted, tmp_path: Path) -> Path:
    """A saved model that was moved to another folder."""
    saved, moved = tmp_path / "saved", tmp_path / "moved"
    saved.mkdir()
    fitted(task.name, algorithm).save(saved)
    return shutil.move(saved, moved)


@each_model
def test_a_saved_model_gives_the_same_answers_when_loaded(
    task: Task, algorithm: str, fitted: Fitted, artifact: Path
) -> None:
    loaded = task.algorithms[algorithm].load(artifact)
    inputs = inputs_of(task)
    assert plain(loaded.predict(inputs)) == plain(fitted(task.name, algorithm).predict(inputs))
    assert measured(loaded, task.tiny()) == measured(fitted(task.name, algorithm), task.tiny())


@each_model
def test_a_loaded_model_can_be_saved_again(task: Task, algorithm: str, artifact: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    task.algorithms[algorithm].load(artifact).save(again)
    assert _files(again) == _files(artifact)


def _files(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@each_model
def test_no_file_of_the_artifact_is_a_pickle(task: Task, algorithm: str, artifact: Path) -> None:
    for path in artifact.rglob("*"):
        if path.is_dir():
            continue
        head = path.read_bytes()[:2]
        assert path.suffix not in {".pkl", ".pickle", ".joblib", ".pt", ".pth"}
        assert not (head[:1] == b"\x80" and head[1] < 6), f"{path.name} starts like a pickle"
        if path.suffix == ".npy":
            np.load(path, allow_pickle=False)
        if zipfile.is_zipfile(path):
            assert not [name for name in zipfile.ZipFile(path).namelist() if name.endswith((".pkl", ".pickle"))]


pickle_allowed = True


@sys.addaudithook
def _refuse_pickles(event: str, _: tuple[Any, ...]) -> None:
    if event == "pickle.find_class" and not pickle_allowed:
        raise AssertionError("something was unpickled")


@each_model
def test_loading_unpickles_nothing(task: Task, algorithm: str, artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "pickle_allowed", False)
    task.algorithms[algorithm].load(artifact).predict([task.example])


# The process

WALK = """
import json, sys, pathlib, django
django.setup()
from django.urls import resolve
from experiments.discovery import tasks
HEAVY = {"torch", "tensorflow", "transformers", "keras"}
assert not HEAVY & set(sys.modules), f"django.setup() imports {HEAVY & set(sys.modules)}"
resolve("/api/v1/models/")
assert not HEAVY & set(sys.modules), f"the routes import {HEAVY & set(sys.modules)}"
for task, name, folder in json.loads(sys.argv[1]):
    tasks()[task].algorithms[name].load(pathlib.Path(folder)).predict([tasks()[task].example])
    assert not HEAVY & set(sys.modules), f"{task} {name} imports {HEAVY & set(sys.modules)}"
"""


def test_neither_the_start_nor_a_model_imports_a_heavy_library(fitted: Fitted, tmp_path: Path) -> None:
    """Fitting may; what a web worker does, loading and answering, may not, but where it runs on such a library."""
    served = []
    for task, name in PAIRS:
        if (task.name, name) not in outside.RUN_ON_A_HEAVY_LIBRARY:
            folder = tmp_path / f"{task.name}-{name}"
            folder.mkdir()
            fitted(task.name, name).save(folder)
            served.append((task.name, name, str(folder)))
    command = [sys.executable, "-c", WALK, json.dumps(served)]
    done = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
