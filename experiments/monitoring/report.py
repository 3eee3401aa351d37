"""What `summary.py` says, as it is laid out for callers. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Counts:
    """Predictions that were logged; a batch of fifty is fifty. `error_rate` is the share of what versions were asked on
    which they failed, `fallback_rate` that of the answers which something else gave; a failure and what stood in for it
    are two predictions, and each rate leaves the other's out. null: there is nothing of it.
    """

    predictions: int
    ok: int
    fallbacks: int
    errors: int
    per_minute: float | None
    error_rate: float | None
    fallback_rate: float | None


@dataclass(frozen=True)
class LatencyFigures:
    """Of the answers with status `ok`, in ms; a quantile is at most 1.2 % off. null: there are none."""

    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True)
class OverTime:
    """One entry a bucket."""

    predictions: list[int]
    fallbacks: list[int]
    errors: list[int]
    p50: list[float | None]
    p95: list[float | None]
    p99: list[float | None]


@dataclass(frozen=True)
class VersionSummary:
    """`version` is null where no version answered, as when what is trending was shown: `algorithm` says what did.
    `confidence` counts the `ok` answers that have one, in 20 equal parts of 0 to 1.
    """

    version: int | None
    algorithm: str
    live: bool
    counts: Counts
    latency: LatencyFigures
    confidence: list[int]
    over_time: OverTime


@dataclass(frozen=True)
class LiveVersion:
    version: int
    algorithm: str
    since: datetime | None


@dataclass(frozen=True)
class Promoted:
    at: datetime
    kind: str
    from_version: int | None
    to_version: int


@dataclass(frozen=True)
class Measured:
    """The newest of its name and of as long a time; `low` and `high` are an estimate's interval at 95 %."""

    version: int
    name: str
    value: float
    n: int
    estimated: bool
    low: float | None
    high: float | None
    window_start: datetime
    window_end: datetime
    made_at: datetime


@dataclass(frozen=True)
class TaskSummary:
    task: str
    live: LiveVersion | None
    counts: Counts
    versions: list[VersionSummary]
    promotions: list[Promoted]
    quality: list[Measured]


@dataclass(frozen=True)
class Summary:
    """From `start` on, up to and without `end`. Predictions are counted until `as_of` (null: none yet); `buckets` are
    the starts of those that lie before it, each of `bucket_seconds`; the last one may not be over.
    """

    window: str
    start: datetime
    end: datetime
    as_of: datetime | None
    bucket_seconds: int
    buckets: list[datetime]
    tasks: list[TaskSummary]
