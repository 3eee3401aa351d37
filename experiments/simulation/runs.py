"""Simulated A/B tests, one after another: made and started by the services, their users assigned, exposed and judged by
the code that does so in the shop. Only what the users do is drawn, and no model is asked: the answers are empty.

A test starts now and its days are still to come. Users come evenly over them, each does all they do within WINDOW
days of the exposure, and the last reading is when that is over for all.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import numpy as np
from django.db import transaction

from experiments import ab_tests
from experiments.assignment import Person
from experiments.discovery import tasks
from experiments.mltask import Progress
from experiments.models import ABTest, ModelVersion, Prediction
from experiments.outcomes import outcome_record
from experiments.prediction_log import exposure_record
from experiments.results.metrics import METRICS
from experiments.results.summary import results_of
from experiments.running import Arm, running
from experiments.simulation.database import own_database
from experiments.simulation.rates import Look, Run
from experiments.simulation.users import draw, rows_of
from experiments.uuid7 import uuid7_floor

WINDOW = 1
LATENCY_MS = 10.0
SMALLEST_EFFECT = 0.05  # that a test without an effect looks for
Event = tuple[datetime, Callable[[datetime], None]]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A metric with a relative `effect`, for `users` who come in `days`; read `daily`, or only at the end."""

    metric: str
    effect: float
    users: int
    days: int
    daily: bool
    correlation: float

    @property
    def readings(self) -> Sequence[int]:
        """Days after the start."""
        end = self.days + WINDOW
        return range(1, end + 1) if self.daily else [end]


def simulate(scenario: Scenario, *, runs: int, seed: int, progress: Progress) -> list[Run]:
    """So many tests, in a database of their own. The same seed draws the same ones."""
    found: list[Run] = []
    with own_database() as forget:
        task = min(tasks())
        ModelVersion.objects.create(task=task, version=1, live=True, manifest={})  # without one no test starts
        for number in range(runs):
            progress(number, runs, "tests")
            found.append(list(_looks(scenario, task, np.random.default_rng([seed, number]))))
            forget()
    return found


def _looks(scenario: Scenario, task: str, random: np.random.Generator) -> Iterator[Look]:
    """Each reading of a test, once all that happens until then is written."""
    test = _started(scenario, task, salt=random.bytes(8).hex())
    start: datetime = test.started_at  # type: ignore[assignment]  # it is started
    events = sorted(_events(scenario, test, start, random), key=_moment)
    written = 0
    for day in scenario.readings:
        now = start + timedelta(days=day)
        until = bisect_right(events, now, key=_moment)
        with transaction.atomic():
            for at, happens in events[written:until]:
                happens(at)
        written = until
        yield _look(test, now)


def _started(scenario: Scenario, task: str, salt: str) -> ABTest:
    """The verdict waits for three standard deviations less than half of the users in each group: chance makes one
    smaller than the other.
    """
    planned = max(2, math.floor(scenario.users / 2 - 3 * math.sqrt(scenario.users) / 2))
    test = ab_tests.ab_test_create(
        by=None, variants=[{"name": "control"}, {"name": "new"}], name="simulated", task=task, salt=salt,
        primary_metric=scenario.metric, smallest_effect=scenario.effect or SMALLEST_EFFECT, window_days=WINDOW,
        planned_users=planned,
    )  # fmt: skip
    return ab_tests.ab_test_start(test_id=test.pk, by=None)


def _events(scenario: Scenario, test: ABTest, start: datetime, random: np.random.Generator) -> Iterator[Event]:
    """All exposures and outcomes."""
    control, *_ = variants = list(test.variants.order_by("pk"))
    served, users = running(test, variants, {}), scenario.users
    arms = [served.arm_of(Person(user, False, start), None) for user in range(users)]
    comes = [start + timedelta(days=scenario.days) * (user + 0.5) / users for user in range(users)]
    for user, (at, arm) in enumerate(zip(comes, arms, strict=True)):
        yield at, partial(_expose, test, arm, user)
    metric = METRICS[scenario.metric]
    effects = np.array([0.0 if arm.id == control.pk else scenario.effect for arm in arms])
    done = draw(metric, effects, scenario.correlation, random)
    for numbers, direction in ((done.before, -1), (done.after, 1)):
        places, values = rows_of(metric, numbers)
        days = direction * WINDOW * random.uniform(0.01, 0.99, len(places))  # well inside of the window
        for user, value, day in zip(places.tolist(), values.tolist(), days.tolist(), strict=True):
            yield comes[user] + timedelta(days=day), partial(_act, metric.outcomes[0], user, value)


def _expose(test: ABTest, arm: Arm, user: int, at: datetime) -> None:
    row = Prediction(
        id=uuid7_floor(at), task=test.task, version=1, variant=arm.name, user_id=user, input={}, output={},
        latency_ms=LATENCY_MS, created_at=at,
    )  # fmt: skip
    if arm.id is not None:
        exposure_record(row, test_id=arm.test_id, variant_id=arm.id)


def _act(kind: str, user: int, value: float, at: datetime) -> None:
    outcome_record(kind=kind, subject="", value=value, user_id=user, at=at)


def _look(test: ABTest, now: datetime) -> Look:
    results = results_of(test=test, now=now)
    primary = results.metrics[0]
    new = primary.variants[1]
    cut = primary.cuped.variance_cut if primary.cuped else None
    return Look(new.absolute, new.relative, results.verdict.word, results.sample_ratio.alarm, cut)


def _moment(event: Event) -> datetime:
    return event[0]
