"""Finds what the rooms bring, by name and never by import: tasks in `<app>/ml/`, examples in `<app>/datasets.py`, what
tells whether answers were right in `<app>/quality.py`.

So the lowest room serves the higher ones without knowing them, and a new model is one new file.
"""

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from django.apps import apps

from experiments.errors import NotFound
from experiments.estimates.quality import ESTIMATED, Quality
from experiments.mltask import Examples, MLTask, Split


def modules(name: str) -> list[ModuleType]:
    """The module `name` of every installed app that has one."""
    found = [f"{app.name}.{name}" for app in apps.get_app_configs() if find_spec(f"{app.name}.{name}")]
    return [importlib.import_module(module) for module in found]


@cache
def tasks() -> dict[str, MLTask[Any, Any]]:
    """All tasks by name."""
    found: dict[str, MLTask[Any, Any]] = {}
    for package in modules("ml"):
        for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for value in vars(importlib.import_module(info.name)).values():
                if not isinstance(value, MLTask):
                    continue
                if found.setdefault(value.name, value) is not value:
                    raise ValueError(f"two tasks are named {value.name}")
    return found


def task_named(name: str) -> MLTask[Any, Any]:
    if name not in tasks():
        raise NotFound(f"There is no task {name[:64]}. Known are: {', '.join(sorted(tasks()))}.")
    return tasks()[name]


def dataset(task: MLTask[Any, Any]) -> Split:
    """The task's examples from the shop's rows: the function of the task's name in some app's `datasets.py`."""
    for module in modules("datasets"):
        function: Callable[[], Split] | None = getattr(module, task.name.replace("-", "_"), None)
        if function:
            return function()
    if task.pretrained:
        nothing = Examples(task.tiny().rows[:0])
        return Split(fit=nothing, validation=nothing, test=nothing)
    raise NotFound(
        f"No datasets.py has a function {task.name.replace('-', '_')}, so {task.name} cannot be trained on rows."
    )


def quality_of(task: str) -> Quality | None:
    """What some app's `quality.py` has under the task's name; None where nobody can tell if its answers are right."""
    found = [getattr(module, task.replace("-", "_"), None) for module in modules("quality")]
    return next((one for one in found if isinstance(one, Quality)), None)


def figures_of(task: str) -> set[str]:
    """The names of what is measured of the task's answers: by its Quality, and by what `measures` of some quality.py
    finds, which says so in `FIGURES`.
    """
    quality = quality_of(task)
    found = [getattr(module, "FIGURES", {}).get(task, ()) for module in modules("quality")]
    return set(quality.names if quality else ()).union(*found)


def estimates_of(task: str) -> set[str]:
    """The names of what is estimated of the task's answers: `estimated_` and that of what is measured later."""
    quality = quality_of(task)
    return {f"{ESTIMATED}{name}" for name in quality.names} if quality else set()
