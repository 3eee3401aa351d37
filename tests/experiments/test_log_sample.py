"""A sample of the log: all of it where that is little, a fair part where it is much."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from experiments import log_sample
from experiments.log_sample import Window, sampled
from experiments.models import Prediction
from experiments.uuid7 import uuid7_time
from tests.experiments.logged import predictions

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = Window(START, START + timedelta(days=1))


def hours(first: float, last: float) -> dict[str, datetime]:
    return {"start": START + timedelta(hours=first), "end": START + timedelta(hours=last)}


def many(count: int, first: float = 0, last: float = 24, **facts: object) -> list[Prediction]:
    return predictions([{}] * count, [{}] * count, **hours(first, last), **facts)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most 200 of 800 that are read, in 50 slices."""
    monkeypatch.setattr(log_sample, "MOST", 200)
    monkeypatch.setattr(log_sample, "READ", 800)
    monkeypatch.setattr(log_sample, "SLICES", 50)


@pytest.mark.django_db
def test_few_predictions_are_all_there_in_order_and_nothing_else_is() -> None:
    rows = many(700)
    many(20, task="price")
    many(20, -5, 0)
    many(20, 24, 29)
    assert sampled(task="sentiment", window=DAY) == [row.pk for row in rows]


@pytest.mark.django_db
def test_nothing_gives_nothing() -> None:
    assert sampled(task="sentiment", window=DAY) == []
    assert sampled(task="sentiment", window=Window(START, START)) == []


@pytest.mark.django_db
@pytest.mark.parametrize(("count", "wanted"), [(199, 199), (200, 200), (201, 200), (800, 200), (4_000, 200)])
def test_of_many_there_are_so_many_and_none_twice(small: None, count: int, wanted: int) -> None:
    many(count)
    found = sampled(task="sentiment", window=DAY)
    assert len(found) == len(set(found)) == wanted
    assert found == sorted(found)


@pytest.mark.django_db
@pytest.mark.parametrize("count", [300, 4_000])
def test_a_busy_hour_counts_for_more_than_a_quiet_one(small: None, count: int) -> None:
    many(count, 0, 12)
    many(count // 3, 12, 24)
    found = sampled(task="sentiment", window=DAY)
    times = [uuid7_time(one) - START for one in found]
    assert sum(time >= timedelta(hours=12) for time in times) / len(found) == pytest.approx(1 / 4, abs=0.07)
    assert len({time // timedelta(hours=1) for time in times}) == 24


@pytest.mark.django_db
def test_what_comes_by_the_clock_does_not_fall_through(small: None) -> None:
    for hour in range(24):
        many(100, hour, hour + 0.01)
    found = sampled(task="sentiment", window=DAY)
    assert len(found) > 100
    assert len({uuid7_time(one).hour for one in found}) > 3


@pytest.mark.django_db
def test_a_burst_is_thinned(small: None) -> None:
    many(700, 1, 1 + 1e-7)
    many(60)
    assert len(sampled(task="sentiment", window=DAY)) == 200


@pytest.mark.django_db
def test_a_large_log_takes_a_few_queries_none_of_which_reads_it_all(small: None) -> None:
    many(8_000)
    with CaptureQueriesContext(connection) as queries:
        sampled(task="sentiment", window=DAY)
    assert len(queries) == 5
    assert all("LIMIT 801" in query["sql"] for query in queries)
