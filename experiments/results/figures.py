"""One metric of a test, each variant against the control: from sums over users to what is read. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from experiments.results.metrics import Metric
from experiments.statistics.arms import Arm, Sums, mean, pooled_theta, proportion, ratio
from experiments.statistics.effects import Comparison, Effect, always_valid, bayesian, compare, fixed_horizon

UNKNOWN = {
    "ratio": "Of a variant there is nothing to divide by.",
    "quantile": "Of a variant there are too few predictions.",
}


@dataclass(frozen=True)
class Lift:
    """An effect, with interval and p-value for one look at the planned size and, `sequential_…`, for any number of
    looks.
    """

    estimate: float
    low: float
    high: float
    p: float
    sequential_low: float
    sequential_high: float
    sequential_p: float


@dataclass(frozen=True, kw_only=True)
class VariantFigures:
    """`n` users have the plain `mean`. Lifts are against the control, without what CUPED explains. The absolute one
    lies between `credible_low` and `credible_high` with a chance of 95 % where all were equally likely beforehand;
    `expected_loss` is in its unit. `adjusted_p` is the sequential one for all comparisons that are made. What is not
    known is null, and `missing` says why.
    """

    variant: str
    n: int
    mean: float | None
    absolute: Lift | None = None
    relative: Lift | None = None
    chance_to_win: float | None = None
    credible_low: float | None = None
    credible_high: float | None = None
    expected_loss: float | None = None
    adjusted_p: float | None = None
    missing: str = ""


@dataclass(frozen=True)
class Cuped:
    """How much of the metric goes with what it was before the exposure, and which share of the variance that takes."""

    theta: float
    variance_cut: float


Arms = Mapping[str, Arm | None]  # by variant, the control first


def added(sums: Iterable[Sums]) -> Sums:
    """Those of all the users."""
    return sum(sums, Sums(0, 0.0, 0.0))


def arms_of(metric: Metric, sums: Mapping[str, Sums]) -> tuple[Arms, Cuped | None]:
    """The arms of anything but a quantile. With CUPED where the users had the metric before: a share is then judged
    like a mean.
    """
    if metric.kind == "ratio":
        return {name: ratio(one) for name, one in sums.items()}, None
    plain = {name: proportion(one) if metric.kind == "proportion" else mean(one) for name, one in sums.items()}
    theta = pooled_theta(list(sums.values())) if metric.has_covariate else 0.0
    if not theta:
        return plain, None
    adjusted = {name: mean(one, theta) for name, one in sums.items()}
    left, before = (sum(arm.squared_error() for arm in arms.values() if arm) for arms in (adjusted, plain))
    return adjusted, Cuped(theta, 1 - left / before if before else 0.0)


def comparisons(arms: Arms) -> dict[str, Comparison]:
    """Of each variant with the control."""
    control, *others = arms
    return {name: compare(arms[control], arms[name]) for name in others}


def lift(effect: Effect | None) -> Lift | None:
    if not effect:
        return None
    once, often = fixed_horizon(effect), always_valid(effect)
    return Lift(effect.estimate, once.low, once.high, once.p, often.low, often.high, often.p)


def variant_figures(
    metric: Metric, arms: Arms, compared: Mapping[str, Comparison], adjusted: Mapping[str, float | None]
) -> list[VariantFigures]:
    """The control first. `adjusted` are p-values by variant, where the metric has any."""
    control = next(iter(arms.values()))
    found = []
    for name, arm in arms.items():
        comparison = compared.get(name, Comparison())
        effect = comparison.absolute
        chance = bayesian(effect, higher_is_better=metric.higher_is_better) if effect else None
        unknown = UNKNOWN.get(metric.kind) if name in compared and not (arm and control) else None
        found.append(
            VariantFigures(
                variant=name, n=arm.n if arm else 0, mean=arm.mean if arm else None,
                absolute=lift(effect), relative=lift(comparison.relative),
                chance_to_win=chance.chance_to_win if chance else None,
                credible_low=chance.low if chance else None, credible_high=chance.high if chance else None,
                expected_loss=chance.expected_loss if chance else None,
                adjusted_p=adjusted.get(name), missing=unknown or comparison.missing,
            )
        )  # fmt: skip
    return found
