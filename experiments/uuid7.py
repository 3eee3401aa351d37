"""UUIDs of version 7 (RFC 9562): the first 48 bits are the time in milliseconds, so ids sort and partition by time."""

import secrets
import time
import uuid
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def uuid7() -> uuid.UUID:
    return _build(time.time_ns() // 1_000_000, secrets.randbits(74))


def uuid7_floor(at: datetime) -> uuid.UUID:
    """The smallest id of that millisecond: `id >= uuid7_floor(t)` means made at or after t. No id is before 1970."""
    return _build(max((at - EPOCH) // timedelta(milliseconds=1), 0), 0)


def uuid7_time(value: uuid.UUID) -> datetime:
    return EPOCH + timedelta(milliseconds=value.int >> 80)


def _build(milliseconds: int, rest: int) -> uuid.UUID:
    high, low = rest >> 62, rest & (2**62 - 1)
    return uuid.UUID(int=milliseconds << 80 | 7 << 76 | high << 64 | 0b10 << 62 | low)
