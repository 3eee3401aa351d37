"""The metrics of a test, each variant against the control, and p-values adjusted for all that is compared."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from experiments.models import ABTest
from experiments.results.figures import Arms, Cuped, arms_of, comparisons
from experiments.results.measured import Measured
from experiments.results.metrics import Metric
from experiments.results.scope import Scope
from experiments.statistics.arms import Arm, quantile
from experiments.statistics.effects import Comparison, always_valid

Adjusted = Mapping[tuple[str, str], float | None]  # p-values by metric and variant


@dataclass(frozen=True)
class Compared:
    """A metric of each variant, and each variant's comparison with the control."""

    metric: Metric
    arms: Arms
    cuped: Cuped | None
    with_control: Mapping[str, Comparison]


@dataclass(frozen=True)
class Read:
    """A test, what was measured of it, and each of its metrics compared, by name."""

    scope: Scope
    found: Measured
    compared: Mapping[str, Compared]

    @property
    def test(self) -> ABTest:
        return self.scope.test

    @property
    def users(self) -> dict[str, int]:
        return {name: self.found.users_of(name) for name in self.scope.names.values()}


def compare_metric(metric: Metric, variants: Sequence[str], found: Measured) -> Compared:
    """The first of the variants is the control."""
    if metric.kind == "quantile":
        arms: Arms = {name: _quantile(metric, name, found) for name in variants}
        return Compared(metric, arms, None, comparisons(arms))
    arms, cuped = arms_of(metric, {name: found.sums_of(metric, name) for name in variants})
    return Compared(metric, arms, cuped, comparisons(arms))


def adjusted(family: Iterable[Compared], correct: Callable[[list[float]], list[float]]) -> Adjusted:
    """The sequential p-values of a family, corrected. One that is not known yet is of the family all the same."""
    found = {
        (one.metric.name, variant): always_valid(comparison.absolute).p if comparison.absolute else None
        for one in family
        for variant, comparison in one.with_control.items()
    }
    corrected = correct([1.0 if p is None else p for p in found.values()])
    return {key: None if p is None else one for (key, p), one in zip(found.items(), corrected, strict=True)}


def _quantile(metric: Metric, variant: str, found: Measured) -> Arm | None:
    answered = found.answered.get(variant)
    if not answered or metric.level is None:
        return None
    one = answered.quantiles[metric.level]
    if one.low is None or one.high is None:
        return None
    users = found.sums_of(metric, variant)
    return quantile(metric.level, value=one.value, low=one.low, high=one.high, users=users)
