"""What SQL makes of the rows of a test, as numbers to compare."""

from dataclasses import astuple

from experiments.models import ABTest
from experiments.results.measured import Measured, measured
from experiments.results.metrics import METRICS
from experiments.results.scope import scope_of
from experiments.statistics.arms import Sums
from tests.experiments.experiment_rows import at


def measure(test: ABTest, *metrics: str, day: float = 30.0) -> Measured:
    """As of that day."""
    return measured(scope_of(test, at(day)), {METRICS[name] for name in metrics})


def sums_of(test: ABTest, metric: str, day: float = 30.0) -> dict[str, Sums]:
    found = measure(test, metric, day=day)
    return {one.name: found.sums_of(METRICS[metric], one.name) for one in test.variants.order_by("id")}


def total(test: ABTest, metric: str, day: float = 30.0) -> list[float]:
    """n and the sum of y of each variant."""
    return [number for one in sums_of(test, metric, day).values() for number in astuple(one)[:2]]
