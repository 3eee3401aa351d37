"""What decides of a metric: the effect that the verdict is told, and how it came about day by day. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from experiments.results.figures import Arms, added, arms_of, comparisons
from experiments.results.metrics import Metric
from experiments.statistics.arms import Sums
from experiments.statistics.effects import Comparison, Effect, always_valid
from experiments.statistics.verdict import Figure


@dataclass(frozen=True)
class DailyLift:
    """Of the primary metric, over all users who were exposed until that day, with the sequential interval."""

    variant: str
    estimate: float
    low: float
    high: float


def judged(metric: Metric, comparison: Comparison) -> Effect | None:
    """The effect that decides: the relative one, or for a share near 0 that in points."""
    return comparison.absolute if metric.in_points else comparison.relative


def figure(metric: Metric, arms: Arms, variant: str, comparison: Comparison, p: float | None = None) -> Figure:
    """What the verdict is to know: the relative effect, or that in points, with the interval for any number of looks.
    Without an error to judge by, the bare difference.
    """
    effect = judged(metric, comparison)
    facts = {"metric": metric.name, "p": p, "higher_is_better": metric.higher_is_better}
    if effect:
        interval = always_valid(effect)
        return Figure(effect=effect.estimate, low=interval.low, high=interval.high, **facts)  # type: ignore[arg-type]
    control, other = next(iter(arms.values())), arms[variant]
    if comparison.absolute or not control or not other or min(control.n, other.n) < 2:
        return Figure(effect=None, **facts)  # type: ignore[arg-type]
    unit = 1.0 if metric.in_points else abs(control.mean)
    return Figure(effect=(other.mean - control.mean) / unit if unit else None, **facts)  # type: ignore[arg-type]


def cumulative(
    metric: Metric, variants: Sequence[str], cells: Mapping[tuple[str, date], Sums]
) -> dict[date, list[DailyLift]]:
    """Day by day, over all users until then; nothing of a variant where it is not known."""
    found: dict[date, list[DailyLift]] = {}
    sums = dict.fromkeys(variants, Sums(0, 0.0, 0.0))
    for day in sorted({day for _, day in cells}):
        sums |= {name: added([one, cells[name, day]]) for name, one in sums.items() if (name, day) in cells}
        compared = comparisons(arms_of(metric, sums)[0])
        known = {name: judged(metric, comparison) for name, comparison in compared.items()}
        found[day] = [_daily(name, effect) for name, effect in known.items() if effect]
    return found


def _daily(variant: str, effect: Effect) -> DailyLift:
    interval = always_valid(effect)
    return DailyLift(variant, effect.estimate, interval.low, interval.high)
