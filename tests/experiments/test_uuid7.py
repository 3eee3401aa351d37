"""Ids that carry their time."""

import time
import uuid
from datetime import UTC, datetime, timedelta

from experiments.uuid7 import uuid7, uuid7_floor, uuid7_time

MS = timedelta(milliseconds=1)


def test_an_id_is_a_uuid_of_version_7_and_of_the_rfc_variant() -> None:
    for one in [uuid7(), uuid7_floor(datetime(2026, 1, 1, tzinfo=UTC))]:
        assert (one.version, one.variant) == (7, uuid.RFC_4122)


def test_ids_are_all_different_and_sort_as_they_were_made() -> None:
    made = []
    for _ in range(2_000):
        made.append(uuid7())
        time.sleep(0)
    assert len(set(made)) == len(made)
    assert made == sorted(made)
    assert [str(one) for one in made] == sorted(str(one) for one in made)


def test_an_id_tells_the_time_it_was_made_to_the_millisecond() -> None:
    before = datetime.now(UTC)
    one = uuid7()
    after = datetime.now(UTC)
    assert before - MS < uuid7_time(one) <= after


def test_the_floor_of_a_moment_parts_the_ids_before_it_from_those_at_or_after_it() -> None:
    before, one = datetime.now(UTC), uuid7()
    assert uuid7_floor(before) <= one < uuid7_floor(datetime.now(UTC) + MS)
    assert uuid7_floor(uuid7_time(one)) <= one < uuid7_floor(uuid7_time(one) + MS)


def test_the_floor_keeps_each_millisecond_and_goes_up_with_time() -> None:
    start = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    moments = [start + number * MS for number in range(2_000)]
    floors = [uuid7_floor(moment) for moment in moments]
    assert [uuid7_time(floor) for floor in floors] == moments
    assert floors == sorted(floors)


def test_the_floor_of_any_datetime_is_an_id() -> None:
    zero = uuid7_floor(datetime(1970, 1, 1, tzinfo=UTC))
    assert uuid7_floor(datetime.min.replace(tzinfo=UTC)) == zero
    assert uuid7_floor(datetime(1969, 12, 31, tzinfo=UTC)) == zero
    last = datetime.max.replace(tzinfo=UTC)
    assert uuid7_time(uuid7_floor(last)) == last.replace(microsecond=999_000)
