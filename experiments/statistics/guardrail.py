"""Whether a variant is beyond a guardrail now, and since when, from the answers of the last minutes. Pure.

It is looked at every minute, and of few answers chance makes any share or quantile differ. So a variant is beyond only
where that is sure, with 95 % a look, and for long enough: a bare difference would pause nearly every test in which
nothing is wrong.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from experiments.statistics.arms import Z_95

LOOKED_AWAY = timedelta(minutes=5)


@dataclass(frozen=True)
class Known:
    """A share, or a quantile in ms, and between which two the true one lies with 95 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A guardrail's metric of a variant and of the control. `bound` is relative to the control's or, `in_points`, added
    to it.
    """

    variant: Known
    control: Known
    bound: float
    in_points: bool

    @property
    def rise(self) -> float:
        """In the unit of the bound. Infinite where the control has nothing to divide by."""
        difference = self.variant.value - self.control.value
        if self.in_points:
            return difference
        return difference / self.control.value if self.control.value else math.inf

    @property
    def beyond(self) -> bool:
        """Whether the variant is surely over what the control allows.

        The lower end of the interval of a difference, from the intervals of both: MOVER (Zou and Donner 2008,
        "Construction of confidence limits about effect measures: a general approach"). Of two shares it is Newcombe's
        hybrid score interval (1998, "Interval estimation for the difference between independent proportions", method
        10), which holds where nothing failed, too.
        """
        allowed = self._allowed(self.control.value)
        error = math.hypot(self.variant.value - self.variant.low, self._allowed(self.control.high) - allowed)
        return self.variant.value - allowed > error

    @property
    def within(self) -> bool:
        return self.variant.value <= self._allowed(self.control.value)

    def _allowed(self, of_control: float) -> float:
        return of_control + self.bound if self.in_points else of_control * (1 + self.bound)


@dataclass(frozen=True)
class Beyond:
    """The first and the last look at which a variant was beyond a guardrail."""

    since: datetime
    seen: datetime


def share(count: int, of: int) -> Known:
    """Of one or more, with Wilson's interval (Wilson 1927, "Probable Inference, the Law of Succession, and Statistical
    Inference").
    """
    value, shrink = count / of, 1 + Z_95**2 / of
    middle = value + Z_95**2 / of / 2
    half = Z_95 * math.sqrt(value * (1 - value) / of + (Z_95 / of / 2) ** 2)
    return Known(value, max(0.0, (middle - half) / shrink), min(1.0, (middle + half) / shrink))


def beyond_after(was: Beyond | None, reading: Reading | None, now: datetime) -> Beyond | None:
    """What is known after a look; a `reading` of None says that too few answers came.

    A variant within the bound is back. While it is not sure, all stays as it was, and where that goes on for longer
    than LOOKED_AWAY, or nobody looked for so long, the time begins anew: what was then is not known.
    """
    if reading is None:
        return was
    if reading.beyond:
        return Beyond(was.since if was and now - was.seen <= LOOKED_AWAY else now, now)
    return None if reading.within else was
