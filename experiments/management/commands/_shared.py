"""What the model commands share: a progress bar, and domain errors as one line with exit code 1."""

import functools
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError
from django.db import ProgrammingError
from psycopg2.errors import UndefinedColumn, UndefinedTable
from tqdm import tqdm

from experiments.errors import DomainError
from experiments.mltask import MLTask


class Bar:
    """The `Progress` of training as a bar on the terminal."""

    def __init__(self, enabled: bool) -> None:
        self.bar = tqdm(disable=not enabled, unit="step", leave=False)

    def __call__(self, done: int, total: int, what: str) -> None:
        self.bar.total = total
        self.bar.set_description(what, refresh=False)
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        self.bar.close()


def plain_errors(handle: Callable[..., None]) -> Callable[..., None]:
    """What the person who typed the command can mend is said in one line, without a traceback."""

    @functools.wraps(handle)
    def wrapped(*args: Any, **options: Any) -> None:
        try:
            handle(*args, **options)
        except DomainError as error:
            raise CommandError(error.detail) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped by the keyboard; nothing was stored.") from None
        except ProgrammingError as error:
            missing = isinstance(error.__cause__, UndefinedTable | UndefinedColumn)
            words = "A table is missing: run `manage.py migrate` first." if missing else f"Postgres says: {error}"
            raise CommandError(words.strip()) from error

    return wrapped


def figures(task: MLTask[Any, Any], metrics: dict[str, float]) -> str:
    """`macro_f1 0.8784, auc 0.9538`: the metric that the gate compares first."""
    names = sorted(metrics, key=lambda name: (name != task.metric, name))
    return ", ".join(f"{name} {metrics[name]:.4f}" for name in names)
