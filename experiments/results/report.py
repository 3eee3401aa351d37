"""What staff read of a test: the shape of its results, which the API shows as it stands here."""

from dataclasses import dataclass
from datetime import date, datetime

from experiments.results.figures import Cuped, VariantFigures
from experiments.results.judging import DailyLift


@dataclass(frozen=True, kw_only=True)
class MetricResult:
    """`role`: primary, secondary or guardrail, of which `bound` may be lost. The verdict reads the relative lift, or
    with `in_points` the absolute one. `cuped` is null where nothing of it is known from before the exposure.
    """

    name: str
    role: str
    kind: str
    description: str
    higher_is_better: bool
    in_points: bool
    bound: float | None
    cuped: Cuped | None
    variants: list[VariantFigures]


@dataclass(frozen=True)
class Group:
    """`users` were served the variant first, where by the weights `expected` were to be."""

    variant: str
    users: int
    expected: float


@dataclass(frozen=True)
class SampleRatio:
    """Whether the users are split as planned. On an alarm no figure can be trusted."""

    p: float
    alarm: bool
    groups: list[Group]


@dataclass(frozen=True)
class MultipleExposures:
    """Users whom several variants answered. On an alarm no figure can be trusted."""

    users: int
    share: float
    alarm: bool


@dataclass(frozen=True)
class Latency:
    """In ms, of all that the variant answered."""

    variant: str
    answers: int
    p50: float
    p95: float


@dataclass(frozen=True)
class Day:
    """How many `users` were exposed on that day (UTC), by variant. A lift that is not known is left out."""

    day: date
    users: dict[str, int]
    lifts: list[DailyLift]


@dataclass(frozen=True)
class Said:
    """`word`: ship, rollback, keep going, no difference or broken. `variant` is the one that it is about."""

    word: str
    reason: str
    variant: str


@dataclass(frozen=True, kw_only=True)
class Results:
    """Outcomes count until `as_of`. `planned_users` is for each group. What is missing is said in words."""

    test: int
    name: str
    task: str
    state: str
    control: str
    started_at: datetime
    as_of: datetime
    planned_users: int | None
    verdict: Said
    sample_ratio: SampleRatio
    multiple_exposures: MultipleExposures
    metrics: list[MetricResult]
    latency: list[Latency]
    days: list[Day]
    missing: list[str]
