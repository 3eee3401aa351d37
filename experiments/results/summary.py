"""What a test says so far, from sums over users to one word.

Effects are shown for one look at the planned size and for any number of looks. The page is read daily, so adjusted
p-values and the verdict rest on the latter (statistics/verdict.py says why): Holm's over the variants for the primary
metric, Benjamini and Hochberg's over variants and metrics for the secondary ones.
"""

from datetime import datetime

from django.utils import timezone

from experiments.errors import Conflict
from experiments.models import ABTest, Promotion
from experiments.results.compared import Adjusted, Compared, Read, adjusted, compare_metric
from experiments.results.figures import variant_figures
from experiments.results.judging import cumulative, figure
from experiments.results.measured import measured
from experiments.results.metrics import METRICS
from experiments.results.report import Day, Group, Latency, MetricResult, MultipleExposures, Results, Said, SampleRatio
from experiments.results.scope import Scope, scope_of, snapshot
from experiments.statistics.effects import benjamini_hochberg, holm, sample_ratio_p
from experiments.statistics.verdict import (
    MULTIPLE_EXPOSURES_ALARM,
    SAMPLE_RATIO_ALARM,
    Evidence,
    Guardrail,
    verdict,
)

NOBODY = "Nobody was served a variant yet."
NO_PREDICTIONS = "The log has no predictions of the variants."
NO_PLAN = "No plan says how many users this takes."
NO_DAYS = "The primary metric is of predictions, which have no day of exposure."


def results_of(*, test: ABTest, now: datetime | None = None) -> Results:
    """Raises Conflict where there is nothing to compare, and where a metric of the test is none any more."""
    names = [test.primary_metric, *test.secondary_metrics, *(one["metric"] for one in test.guardrails)]
    if gone := [name for name in names if name not in METRICS]:
        raise Conflict(f"{test} is judged by {gone[0]}, which is no metric any more.")
    with snapshot():
        scope = scope_of(test, now or timezone.now())
        if test.started_at is None or len(scope.variants) < 2:
            raise Conflict(f"{test} is {test.state} and served nobody two variants: there is nothing to compare.")
        found = measured(scope, {METRICS[name] for name in names})
        swapped = _swapped(scope)
    variants = list(scope.names.values())
    read = Read(scope, found, {name: compare_metric(METRICS[name], variants, found) for name in names})
    primary = adjusted([read.compared[test.primary_metric]], holm)
    sample_ratio, several = _sample_ratio(read), _multiple_exposures(read)
    return Results(
        test=test.pk, name=test.name, task=test.task, state=test.state, control=variants[0],
        started_at=test.started_at, as_of=scope.until, planned_users=test.planned_users,
        verdict=_said(read, primary, sample_ratio, several), sample_ratio=sample_ratio, multiple_exposures=several,
        metrics=_metrics(read, primary), latency=_latency(read), days=_days(read), missing=[*_missing(read), *swapped],
    )  # fmt: skip


def _sample_ratio(read: Read) -> SampleRatio:
    groups = [Group(*one) for one in zip(read.users, read.users.values(), read.found.expected, strict=True)]
    p = sample_ratio_p(list(read.users.values()), read.found.expected) if any(read.users.values()) else 1.0
    return SampleRatio(p, p < SAMPLE_RATIO_ALARM, groups)


def _multiple_exposures(read: Read) -> MultipleExposures:
    share = read.found.several / max(sum(read.users.values()), 1)
    return MultipleExposures(read.found.several, share, share > MULTIPLE_EXPOSURES_ALARM)


def _said(read: Read, primary: Adjusted, sample_ratio: SampleRatio, several: MultipleExposures) -> Said:
    control, *others = read.users
    if read.test.planned_users is None:
        return Said("keep going", NO_PLAN, others[0])
    main = read.compared[read.test.primary_metric]
    name = main.metric.name
    said = verdict(
        [
            Evidence(
                variant=other,
                primary=figure(main.metric, main.arms, other, main.with_control[other], primary[name, other]),
                guardrails=[
                    _guardrail(read.compared[one["metric"]], other, one["bound"]) for one in read.test.guardrails
                ],
                smallest_effect=read.test.smallest_effect,
                users=min(read.users[control], read.users[other]),
                planned=read.test.planned_users,
                sample_ratio_p=sample_ratio.p,
                multiple_exposures=several.share,
            )
            for other in others
        ]
    )
    return Said(said.word, said.reason, said.variant)


def _guardrail(one: Compared, variant: str, bound: float) -> Guardrail:
    return Guardrail(figure(one.metric, one.arms, variant, one.with_control[variant]), bound)


def _metrics(read: Read, primary: Adjusted) -> list[MetricResult]:
    test = read.test
    secondary = adjusted([read.compared[name] for name in test.secondary_metrics], benjamini_hochberg)
    return [
        _result(read.compared[test.primary_metric], "primary", None, primary),
        *(_result(read.compared[name], "secondary", None, secondary) for name in test.secondary_metrics),
        *(_result(read.compared[one["metric"]], "guardrail", one["bound"], {}) for one in test.guardrails),
    ]


def _result(one: Compared, role: str, bound: float | None, corrected: Adjusted) -> MetricResult:
    metric = one.metric
    p = {variant: corrected.get((metric.name, variant)) for variant in one.arms}
    return MetricResult(
        name=metric.name, role=role, kind=metric.kind, description=metric.description, bound=bound, cuped=one.cuped,
        higher_is_better=metric.higher_is_better, in_points=metric.in_points,
        variants=variant_figures(metric, one.arms, one.with_control, p),
    )  # fmt: skip


def _latency(read: Read) -> list[Latency]:
    return [
        Latency(name, one.count, one.quantiles[0.5].value, one.quantiles[0.95].value)
        for name in read.users
        if (one := read.found.answered.get(name))
    ]


def _days(read: Read) -> list[Day]:
    cells = read.found.outcomes.get(read.test.primary_metric, {})
    lifts = cumulative(METRICS[read.test.primary_metric], list(read.users), cells)
    days = sorted({day for _, day in read.found.users})
    return [
        Day(day, {name: read.found.users.get((name, day), 0) for name in read.users}, lifts.get(day, []))
        for day in days
    ]


def _swapped(scope: Scope) -> list[str]:
    """What went live while the test ran, where a variant is whichever version is live."""
    following = [one.name for one in scope.variants if one.version_id is None]
    if not following:
        return []
    first, last = scope.spans[0][0], scope.spans[-1][1]
    rows = Promotion.objects.filter(task=scope.test.task, at__gt=first, at__lt=last).order_by("at", "id")
    return [
        f"Version {version} of {scope.test.task} went live on {at:%Y-%m-%d %H:%M} (UTC):"
        f" {', '.join(following)} is what was live before it and after it, added up."
        for version, at in rows.values_list("to_version__version", "at")
        if any(start < at < end for start, end in scope.spans)
    ]


def _missing(read: Read) -> list[str]:
    said = {
        NOBODY: not read.found.users,
        NO_PREDICTIONS: not read.found.answered,
        NO_DAYS: METRICS[read.test.primary_metric].source == "predictions",
    }
    return [words for words, missing in said.items() if missing]
