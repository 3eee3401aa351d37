"""UUIDs of version 7 (RFC 9562): the first 48 bits are the time in milliseconds, so ids sort and partition by time.

The next 12 bits are the fraction of the millisecond (section 6.2, method 3), so ids of one process sort as they were
made.
"""

import secrets
import time
import uuid
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NS_PER_MS = 1_000_000


def uuid7() -> uuid.UUID:
    milliseconds, rest = divmod(time.time_ns(), NS_PER_MS)
    return _build(milliseconds, rest * 2**12 // NS_PER_MS, secrets.randbits(62))


def uuid7_floor(at: datetime) -> uuid.UUID:
    """The smallest id of that millisecond: `id >= uuid7_floor(t)` means made at or after t. No id is before 1970."""
    return _build(max((at - EPOCH) // timedelta(milliseconds=1), 0), 0, 0)


def uuid7_time(value: uuid.UUID) -> datetime:
    return EPOCH + timedelta(milliseconds=value.int >> 80)


def _build(milliseconds: int, fraction: int, rest: int) -> uuid.UUID:
    return uuid.UUID(int=milliseconds << 80 | 7 << 76 | fraction << 64 | 0b10 << 62 | rest)
