"""What a reading says of a rule, and what becomes of an alarm by it. Pure.

Nothing, pending while the rule is broken but not for long enough, firing, resolved.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from experiments.alarms.metrics import ABOVE
from experiments.statistics.guardrail import LOOKED_AWAY

PENDING, FIRING, RESOLVED = "pending", "firing", "resolved"


@dataclass(frozen=True)
class Bound:
    """`threshold` is a multiple of what was before, where the rule is relative."""

    comparison: str
    threshold: float
    relative: bool

    def against(self, before: float | None) -> float | None:
        """The value that may not be passed; None where the rule is relative and nothing was before."""
        if not self.relative:
            return self.threshold
        return None if before is None else self.threshold * before

    def broken(self, value: float, bound: float) -> bool:
        return value > bound if self.comparison == ABOVE else value < bound


@dataclass(frozen=True)
class Episode:
    """An alarm: the first look at which the rule was broken, and the last."""

    state: str
    since: datetime
    seen: datetime


def forgotten(was: Episode, now: datetime) -> bool:
    """Whether it was pending and too long ago: what was in between is not known."""
    return was.state == PENDING and now - was.seen > LOOKED_AWAY


def after(was: Episode | None, broken: bool, now: datetime, lasting: timedelta) -> Episode | None:
    """What there is after a look; None where there is no alarm. One fires when the rule is broken for `lasting`."""
    firing = was is not None and was.state == FIRING
    if not broken:
        return Episode(RESOLVED, was.since, was.seen) if was and firing else None
    since = was.since if was and not forgotten(was, now) else now
    return Episode(FIRING if firing or now - since >= lasting else PENDING, since, now)
