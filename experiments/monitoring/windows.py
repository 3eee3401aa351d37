"""The windows of time that can be asked for, and where one lies now. Pure.

A window is of whole buckets, of which the current one is the last: `24h` are 24 hours, with the one that is on now.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from experiments.uuid7 import EPOCH

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def floor(at: datetime, length: timedelta) -> datetime:
    """The start of the minute, hour or day (UTC) that it lies in."""
    return at - (at - EPOCH) % length


def ceiling(at: datetime, length: timedelta) -> datetime:
    """The first start of one that does not lie before it."""
    return at + (EPOCH - at) % length


@dataclass(frozen=True)
class Window:
    """`count` buckets, each of one or more rollups of this grain."""

    grain: str
    bucket: timedelta
    count: int

    def span(self, now: datetime, as_of: datetime | None) -> "Span":
        end = floor(now, self.bucket) + self.bucket
        start = end - self.bucket * self.count
        return Span(self, start, end, max(min(as_of or start, end), start))


WINDOWS = {
    "1h": Window("minute", MINUTE, 60),
    "24h": Window("hour", HOUR, 24),
    "7d": Window("hour", 2 * HOUR, 84),
    "30d": Window("day", DAY, 30),
}


@dataclass(frozen=True)
class Span:
    """From `start` on, up to and without `end`; predictions are counted up to `until`."""

    window: Window
    start: datetime
    end: datetime
    until: datetime

    @cached_property
    def buckets(self) -> list[datetime]:
        """The starts of those before `until`."""
        count = -((self.start - self.until) // self.window.bucket)  # rounded up
        return [self.start + self.window.bucket * place for place in range(count)]

    @property
    def minutes(self) -> float:
        """That are counted."""
        return (self.until - self.start) / MINUTE

    def place(self, at: datetime) -> int:
        """Of the bucket that this lies in."""
        return (at - self.start) // self.window.bucket
