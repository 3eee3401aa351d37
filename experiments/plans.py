"""How many users a test of this shop needs: planned from what its metric was for the users of the last weeks, as if
they had been in a test since they were first answered.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from experiments.discovery import tasks
from experiments.errors import Invalid
from experiments.models import ABTest, Variant
from experiments.results.aggregates import outcome_sums, users_by_day
from experiments.results.answers import answer_sums, answered
from experiments.results.figures import added, arms_of
from experiments.results.metrics import METRICS, Metric
from experiments.results.scope import PREDICTIONS, Scope, snapshot
from experiments.statistics.arms import Arm, quantile
from experiments.statistics.planning import POWER, Baseline, daily_new, days_until, plan

DAYS = 28
MOST_USERS = 2**31 - 1
NOBODYS = Variant(pk=0, name="")  # as the log names the live version where no test has a say


class Past(Scope):
    """The users whom a task answered lately, as if each had met a variant by the first answer. The last ones came a
    window ago, so that the outcomes of all are in.
    """

    exposed = f"""
SELECT p.user_id, {NOBODYS.pk}::bigint AS variant_id, min(p.created_at) AS at FROM {PREDICTIONS} AS p
WHERE p.user_id {{half}} AND p.status <> 'error' AND {{tested}}
GROUP BY p.user_id HAVING min(p.created_at) <= %(until)s - %(window)s::interval
"""
    tested = "p.task = %(task)s"


class Answers(Scope):
    """What the live version answered to users who were in no test."""

    tested = "p.task = %(task)s AND p.variant = ''"


@dataclass(frozen=True)
class ShopPlan:
    """`users_each` in each group and `users` in all, who come in so many `days`, unless nobody new does. `baseline` is
    the metric without the test, `users_a_day` are new ones, once those who come regularly have come.
    """

    users_each: int
    users: int
    days: int | None
    baseline: float
    users_a_day: float


def plan_of(
    *, task: str, metric: str, smallest_effect: float, variants: int, traffic: float, power: float, window_days: int
) -> ShopPlan:
    """For variants that get as many users each. Raises Invalid where this shop's rows do not say."""
    _assert_known("task", task, tasks())
    _assert_known("metric", metric, METRICS)
    judged = METRICS[metric]
    with snapshot():
        came, arm = _before(judged, task, window_days)
    if arm is None or not arm.mean:
        raise Invalid("metric", f"{task} has answered no users lately of whom {metric} can be told.")
    try:
        baseline = Baseline(arm.mean, None if judged.kind == "proportion" else arm.variance)
    except Invalid:
        raise Invalid("metric", f"{metric} was {arm.mean:g} for every user lately: there is no variance.") from None
    effect = smallest_effect / arm.mean if judged.in_points else smallest_effect
    found = plan(baseline, effect, weights=(1.0,) * variants, power=power)
    days = days_until(found.users / traffic, came) if traffic else None
    return ShopPlan(found.users_each, found.users, days, arm.mean, daily_new(came))


def users_planned(test: ABTest) -> int:
    """A group, for the test as it is. Raises Invalid, which names `planned_users`, where it has to be given."""
    try:
        found = plan_of(
            task=test.task, metric=test.primary_metric, smallest_effect=test.smallest_effect,
            variants=test.variants.count(), traffic=test.traffic, power=POWER, window_days=test.window_days,
        )  # fmt: skip
    except Invalid as error:
        raise Invalid("planned_users", f"It cannot be planned, so give it. {error.detail}", "required") from None
    if found.users_each > MOST_USERS:
        raise Invalid("planned_users", f"{found.users_each:,} users a group are never reached: look for more.")
    return max(2, found.users_each)


def _assert_known(field: str, name: str, known: Iterable[str]) -> None:
    if name not in known:
        raise Invalid(field, f"There is no {field} {name}. Known are: {', '.join(known)}.")


def _before(metric: Metric, task: str, window_days: int) -> tuple[list[int], Arm | None]:
    """How many users came for the first time on each day of the past weeks, and the metric over them."""
    now = timezone.now()
    start = now - timedelta(days=DAYS + window_days)
    facts = (ABTest(task=task, window_days=window_days), [NOBODYS], [(start, now)], now)
    past = Past(*facts)
    users = users_by_day(past)
    came = [users.get((NOBODYS.name, start.date() + timedelta(days=day)), 0) for day in range(DAYS + 1)]
    if not users:
        return came, None
    if metric.source == "predictions":
        return came, _answers(metric, Answers(*facts))
    sums = added(outcome_sums(past, [metric], users)[metric.name].values())
    return came, arms_of(metric, {"": sums})[0][""]


def _answers(metric: Metric, scope: Answers) -> Arm | None:
    found = answered(scope)
    sums = answer_sums(scope, [metric], found)[0][metric.name].get(NOBODYS.name)
    if sums is None:
        return None
    if metric.level is None:
        return arms_of(metric, {"": sums})[0][""]
    if NOBODYS.name not in found:
        return None
    one = found[NOBODYS.name].quantiles[metric.level]
    if one.low is None or one.high is None:
        return None
    return quantile(metric.level, value=one.value, low=one.low, high=one.high, users=sums)
