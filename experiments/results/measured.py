"""What is measured of a test: how many users each variant has, and the sums of each metric."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from experiments.results.aggregates import Cell, outcome_sums, users_between, users_by_day
from experiments.results.answers import Answered, answer_sums, answered
from experiments.results.figures import added
from experiments.results.metrics import Metric
from experiments.results.scope import Scope
from experiments.statistics.arms import Sums


@dataclass(frozen=True)
class Measured:
    """`outcomes` and `answers` have the sums of the metrics of either source by name. `answered` are the answers of
    each variant that gave any, `several` the users whom more than one variant answered, and `expected` as how many
    users each variant was to have.
    """

    users: Mapping[Cell, int]
    outcomes: Mapping[str, Mapping[Cell, Sums]]
    answers: Mapping[str, Mapping[str, Sums]]
    answered: Mapping[str, Answered]
    several: int
    expected: list[float]

    def users_of(self, variant: str) -> int:
        return sum(count for (name, _), count in self.users.items() if name == variant)

    def sums_of(self, metric: Metric, variant: str) -> Sums:
        """Over all days."""
        if metric.source == "predictions":
            return self.answers[metric.name].get(variant, added([]))
        return added(sums for (name, _), sums in self.outcomes[metric.name].items() if name == variant)


def measured(scope: Scope, metrics: Iterable[Metric]) -> Measured:
    """In the caller's snapshot. One query for metrics of the same outcomes, and two for all that are of predictions."""
    users = users_by_day(scope)
    outcomes: dict[str, Mapping[Cell, Sums]] = {}
    of_predictions: list[Metric] = []
    for (source, _), group in groupby(sorted(metrics, key=_rows_of), key=_rows_of):
        if source == "predictions":
            of_predictions = list(group)
        else:
            outcomes |= outcome_sums(scope, list(group), users)
    found = answered(scope)
    answers, several = answer_sums(scope, of_predictions, found)
    return Measured(users, outcomes, answers, found, several, _expected(scope, sum(users.values())))


def _rows_of(metric: Metric) -> tuple[str, tuple[str, ...]]:
    return metric.source, metric.outcomes


def _expected(scope: Scope, users: int) -> list[float]:
    """By the weights as they were when the users came."""
    changes = scope.weights or [(scope.until, {one.name: one.weight for one in scope.variants})]
    counts = users_between(scope, [at for at, _ in changes[1:]]) if len(changes) > 1 else {0: users}
    return [
        sum(counts.get(at, 0) * weights[name] / sum(weights.values()) for at, (_, weights) in enumerate(changes))
        for name in scope.names.values()
    ]
