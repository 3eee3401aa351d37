"""How a version of a model comes into memory: verified, loaded, warmed up."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from experiments.artifacts import fetch
from experiments.batching import Batcher
from experiments.discovery import task_named
from experiments.errors import DomainError, ModelUnavailable
from experiments.mltask import Predictor
from experiments.models import ModelVersion


@dataclass(frozen=True)
class Loaded:
    """A version in memory, ready to answer."""

    task: str
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
    return Loaded(row.task, row.algorithm, row.version, row.digest, predictor, batcher)
