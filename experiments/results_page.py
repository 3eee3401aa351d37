"""What the results page of an A/B test shows: its figures in words, and its charts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from experiments.charts import Forest, forest
from experiments.day_charts import Daily, Traffic, daily, traffic
from experiments.results.figures import Lift, VariantFigures
from experiments.results.judging import DailyLift
from experiments.results.report import MetricResult, Results
from experiments.wording import (
    UNKNOWN,
    Write,
    interval,
    judged,
    maybe,
    milliseconds,
    number,
    of_metric,
    probability,
    relative,
    share,
)

LABELS = {"ship": "success", "rollback": "danger", "broken": "danger", "keep going": "info", "no difference": "warning"}


@dataclass(frozen=True, kw_only=True)
class Line:
    """A variant in the table of a metric. `once` and `often` are the intervals for one look and for any number."""

    variant: str
    users: int
    mean: str
    difference: str
    lift: str
    once: str
    often: str
    adjusted_p: str
    chance_to_win: str
    expected_loss: str


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A metric. `compared` says what the intervals are of."""

    name: str
    role: str
    description: str
    compared: str
    cuped: str
    forest: Forest | None
    lines: Sequence[Line]
    missing: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Speed:
    """How fast a variant answers, beside what it does to the primary metric."""

    variant: str
    mean: str
    lift: str
    answers: int
    p50: str
    p95: str
    slower: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """`days` are the rows of the table beside the charts of `daily` lifts: day, variant, lift and interval."""

    results: Results
    label: str
    metrics: Sequence[Shown]
    speeds: Sequence[Speed]
    daily: Sequence[Daily]
    days: Sequence[tuple[date, str, str, str]]
    traffic: Sequence[Traffic]
    split_p: str
    several: str


def page_of(results: Results) -> Page:
    metrics = [_shown(one) for one in results.metrics]
    write = judged(results.metrics[0])
    lifts = _by_variant(results)
    drawn = [daily(name, found, write) for name, found in lifts.items()]
    rows = [(day, name, one) for name, found in lifts.items() for day, one in found.items()]
    return Page(
        results=results, label=LABELS[results.verdict.word], metrics=metrics, speeds=_speeds(results, metrics[0]),
        daily=[one for one in drawn if one], traffic=traffic({one.day: one.users for one in results.days}),
        days=[(day, name, write(one.estimate), interval(one.low, one.high, write)) for day, name, one in rows],
        split_p=probability(results.sample_ratio.p), several=share(results.multiple_exposures.share),
    )  # fmt: skip


def _by_variant(results: Results) -> dict[str, dict[date, DailyLift]]:
    found: dict[str, dict[date, DailyLift]] = {}
    for day in results.days:
        for lift in day.lifts:
            found.setdefault(lift.variant, {})[day.day] = lift
    return found


def _shown(metric: MetricResult) -> Shown:
    """By the effect that the verdict reads, or by differences where that is not known of a variant."""
    others = metric.variants[1:]
    in_relation = not metric.in_points and all(one.relative for one in others if one.absolute)
    lifts = {one.variant: lift for one in others if (lift := one.relative if in_relation else one.absolute)}
    write = relative if in_relation else of_metric(metric)[1]
    bound = _bound(metric) if in_relation or metric.in_points else None
    return Shown(
        name=metric.name, role=_role(metric), description=metric.description, cuped=_cuped(metric),
        compared="relative lift" if in_relation else "difference", forest=forest(lifts, write, bound),
        lines=[_line(metric, one, lifts.get(one.variant), write) for one in metric.variants],
        missing=[f"{one.variant}: {one.missing}" for one in others if one.missing],
    )  # fmt: skip


def _line(metric: MetricResult, one: VariantFigures, lift: Lift | None, write: Write) -> Line:
    mean, difference = of_metric(metric)
    return Line(
        variant=one.variant, users=one.n, mean=maybe(one.mean, mean),
        difference=difference(one.absolute.estimate) if one.absolute else UNKNOWN,
        lift=relative(one.relative.estimate) if one.relative else UNKNOWN,
        once=interval(lift.low, lift.high, write) if lift else UNKNOWN,
        often=interval(lift.sequential_low, lift.sequential_high, write) if lift else UNKNOWN,
        adjusted_p=probability(one.adjusted_p),
        chance_to_win=maybe(one.chance_to_win, lambda value: f"{100 * value:.1f} %"),
        expected_loss=maybe(one.expected_loss, difference).lstrip("+"),
    )  # fmt: skip


def _role(metric: MetricResult) -> str:
    if metric.bound is None:
        return f"{metric.role} metric"
    return f"guardrail, of which {judged(metric)(metric.bound).lstrip('+')} may be lost"


def _bound(metric: MetricResult) -> float | None:
    return -metric.bound if metric.bound is not None and metric.higher_is_better else metric.bound


def _cuped(metric: MetricResult) -> str:
    if not metric.cuped:
        return "CUPED does not adjust it: nothing of it is known from before the exposure."
    return f"CUPED takes {share(metric.cuped.variance_cut)} of the variance (theta {number(metric.cuped.theta)})."


def _speeds(results: Results, primary: Shown) -> list[Speed]:
    latency = {one.variant: one for one in results.latency}
    control = latency.get(results.control)
    found = []
    for line in primary.lines:
        one = latency.get(line.variant)
        slower = one.p95 / control.p95 - 1 if one and control and control.p95 and one is not control else None
        found.append(
            Speed(
                variant=line.variant, mean=line.mean, answers=one.answers if one else 0,
                lift=line.lift if line.lift != UNKNOWN else line.difference,
                p50=milliseconds(one.p50) if one else UNKNOWN, p95=milliseconds(one.p95) if one else UNKNOWN,
                slower=maybe(slower, relative),
            )
        )  # fmt: skip
    return found
