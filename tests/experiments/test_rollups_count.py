"""Predictions added up by the minute, and minutes to hours and days: what is counted, and where."""

from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from experiments.models import PredictionRollup
from experiments.monitoring.histogram import LATENCY
from experiments.prediction_log import partitions_ensure, prediction_record
from tests.experiments.rolled import NOON, after, confidences, counts, latencies, log, prediction, total, up_to

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def test_each_prediction_counts_in_the_minute_that_its_id_was_made_in() -> None:
    log(NOON, after(seconds=59.999), after(seconds=60), after(minutes=4), after(minutes=4))
    up_to(after(minutes=5))
    assert counts() == {NOON: 2, after(minutes=1): 1, after(minutes=4): 2}


def test_the_minute_that_is_on_now_is_counted_as_far_as_it_is_and_anew_the_next_time() -> None:
    log(NOON, after(hours=1, seconds=1), after(hours=1, seconds=40))
    up_to(after(hours=1, seconds=30))
    assert counts() == counts("hour") == {NOON: 1, after(hours=1): 1}
    up_to(after(hours=1, seconds=40))
    assert total() == 2  # what is made in this millisecond is yet to come
    up_to(after(hours=1, seconds=40.001))
    assert counts() == counts("hour") == {NOON: 1, after(hours=1): 2}
    assert total("day") == 3
    up_to(after(hours=1, minutes=1))
    assert counts() == {NOON: 1, after(hours=1): 2}


def test_every_task_algorithm_and_version_has_a_row_of_its_own() -> None:
    kinds = [
        {}, {"task": "price"}, {"algorithm": "other"}, {"version": 2}, {"version": None},
        {"algorithm": "", "version": None},
    ]  # fmt: skip
    for kind in kinds:
        log(NOON, after(seconds=1), **kind)
    up_to(after(minutes=1))
    for grain in ("minute", "hour", "day"):
        rows = PredictionRollup.objects.filter(grain=grain)
        assert rows.count() == len(kinds)
        assert set(rows.values_list("ok", flat=True)) == {2}
        assert rows.filter(version=None, algorithm="tfidf").get().ok == 2


def test_each_status_is_counted_and_only_answers_have_latency_and_confidence() -> None:
    log(*[NOON] * 3, latency_ms=5.0, confidence=0.5)
    log(*[NOON] * 2, status="fallback", latency_ms=0.01, confidence=0.1)
    log(NOON, status="error", latency_ms=9_000.0, confidence=0.9)
    up_to(after(minutes=1))
    for grain in ("minute", "hour", "day"):
        row = PredictionRollup.objects.get(grain=grain)
        assert (row.ok, row.fallbacks, row.errors, row.latency_ms) == (3, 2, 1, 15.0)
        assert np.flatnonzero(latencies(grain)).tolist() == LATENCY.of([5.0]).tolist()
        assert confidences(grain)[10] == sum(confidences(grain)) == 3


def test_a_version_that_only_failed_has_a_row_without_histograms() -> None:
    log(NOON, status="error")
    up_to(after(minutes=1))
    for grain in ("minute", "hour", "day"):
        row = PredictionRollup.objects.get(grain=grain)
        assert (row.ok, row.errors, row.latency_ms) == (0, 1, 0.0)
        assert bytes(row.latency) == bytes(row.confidence) == b""


def test_variants_users_and_methods_make_no_rows_of_their_own() -> None:
    for facts in ({"variant": "a"}, {"user_id": 7}, {"method": "worker"}, {"request_id": "r"}):
        log(NOON, **facts)
    up_to(after(minutes=1))
    assert PredictionRollup.objects.filter(grain="minute").get().ok == 4


def test_an_hour_is_the_sum_of_its_minutes_and_a_day_of_its_hours() -> None:
    log(*(after(minutes=7 * number) for number in range(200)))  # 23 hours, over midnight and the end of the month
    up_to(after(days=1))
    assert total("minute") == total("hour") == total("day") == 200
    hours = counts("hour")
    assert hours[NOON] == sum(count for at, count in counts().items() if at < after(hours=1))
    midnight = after(hours=12)
    assert counts("day") == {
        midnight - DAY: sum(count for at, count in hours.items() if at < midnight),
        midnight: sum(count for at, count in hours.items() if at >= midnight),
    }


def test_latency_and_confidence_add_up_to_those_of_all_predictions_in_every_grain() -> None:
    draw = np.random.default_rng(0)
    latency, confidence = draw.lognormal(1, 2, 600), draw.random(600)
    prediction_record([
        prediction(after(seconds=11 * number), latency_ms=float(latency[number]),
                   confidence=float(confidence[number]) if number % 3 else None)
        for number in range(600)
    ])  # fmt: skip
    up_to(after(hours=2))
    known = confidence[np.arange(600) % 3 > 0]
    for grain in ("minute", "hour", "day"):
        assert latencies(grain).tolist() == np.bincount(LATENCY.of(latency), minlength=LATENCY.size).tolist()
        assert confidences(grain) == np.bincount((known * 20).astype(int), minlength=20).tolist()
        summed = sum(PredictionRollup.objects.filter(grain=grain).values_list("latency_ms", flat=True))
        assert summed == pytest.approx(latency.sum())


def test_the_end_of_a_month_lies_in_two_partitions_and_nothing_is_lost_there() -> None:
    partitions_ensure(now=NOON, ahead=1)
    midnight = after(hours=12)
    times = [midnight + timedelta(milliseconds=number) for number in (-60_000, -1, 0, 1, 59_999)]
    log(*times)
    up_to(midnight + 2 * MINUTE)
    assert counts() == {midnight - MINUTE: 2, midnight: 3}
    assert counts("day") == {midnight - DAY: 2, midnight: 3}


def test_predictions_of_no_months_partition_are_counted_too() -> None:
    log(NOON.replace(year=2051))
    up_to(NOON.replace(year=2051) + MINUTE)
    assert total() == total("hour") == total("day") == 1


def test_minutes_are_kept_for_two_days_and_hours_and_days_for_ever() -> None:
    log(*(after(hours=6 * number) for number in range(40)))
    for day in range(1, 12):
        up_to(after(days=day))
    assert total("hour") == total("day") == 40
    assert min(counts()) >= after(days=11) - 2 * DAY
    assert total() == len([number for number in range(40) if after(hours=6 * number) >= after(days=9)])


def test_an_hour_whose_minutes_are_gone_stays_as_it_was() -> None:
    log(*(after(minutes=number) for number in range(90)))
    up_to(after(minutes=90))
    before = counts("hour")
    log(after(days=5))
    up_to(after(days=5, minutes=1))
    assert total() == 1
    assert {at: count for at, count in counts("hour").items() if at < after(days=5)} == before


def test_a_shop_where_nothing_happens_has_no_rows() -> None:
    up_to(NOON)
    up_to(after(days=400))
    assert not PredictionRollup.objects.exists()


def test_a_minute_with_thousands_of_predictions_brings_none_of_them_to_python() -> None:
    up_to(NOON)
    log(*(after(seconds=number / 50) for number in range(3_000)))
    with CaptureQueriesContext(connection) as captured:
        up_to(after(minutes=1))
    assert total() == 3_000
    reads = [one["sql"] for one in captured if one["sql"].startswith("SELECT") and '_prediction"' in one["sql"]]
    assert len(reads) == 1 and reads[0].endswith("LIMIT 1")
