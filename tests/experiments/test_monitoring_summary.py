"""The summary of a window: requests, rates, latency, confidence and promotions of each task and version."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from experiments.errors import Invalid
from experiments.models import ModelVersion, Promotion, QualityMeasure
from experiments.monitoring.report import Summary, TaskSummary
from experiments.monitoring.summary import summary_of
from experiments.monitoring.views import SummarySerializer
from experiments.prediction_log import prediction_record
from experiments.registry import version_rollback
from tests.experiments.rolled import NOON, after, log, prediction, up_to
from tests.problems import assert_problem
from tests.queries import pinned_queries

pytestmark = pytest.mark.django_db
SUMMARY = "/api/v1/monitoring/summary/"
OFF = 0.012  # of a quantile


def task(summary: Summary, name: str = "sentiment") -> TaskSummary:
    return next(one for one in summary.tasks if one.task == name)


def summarised(window: str, now: datetime = NOON) -> Summary:
    up_to(now)
    return summary_of(window, now)


@pytest.mark.parametrize(
    ("window", "buckets", "seconds"), [("1h", 60, 60), ("24h", 24, 3600), ("7d", 84, 7200), ("30d", 30, 86_400)]
)
def test_a_window_is_of_whole_buckets_of_which_the_current_one_is_the_last(
    window: str, buckets: int, seconds: int
) -> None:
    now = after(minutes=17, seconds=30)
    found = summarised(window, now)
    assert found.end - found.start == buckets * timedelta(seconds=seconds)
    assert found.end - timedelta(seconds=seconds) <= now < found.end
    assert found.as_of == now
    assert len(found.buckets) == buckets
    assert found.buckets[0] == found.start
    assert found.bucket_seconds == seconds


@pytest.mark.parametrize("window", ["1h", "24h", "7d", "30d"])
def test_predictions_are_counted_in_their_buckets_up_to_now(window: str) -> None:
    log(after(minutes=-2), after(minutes=-1), after(minutes=-1))
    log(after(minutes=-1), status="error")
    log(after(minutes=-1), status="fallback")
    one = task(summarised(window)).versions[0]
    assert (one.version, one.algorithm, one.counts.predictions) == (1, "tfidf", 5)
    assert (one.counts.ok, one.counts.errors, one.counts.fallbacks) == (3, 1, 1)
    last = {"1h": (4, 1, 1)}.get(window, (5, 1, 1))
    over = one.over_time
    assert (sum(over.predictions), sum(over.errors), sum(over.fallbacks)) == (5, 1, 1)
    filled = [at for at, count in enumerate(over.predictions) if count]
    assert (over.predictions[filled[-1]], over.errors[filled[-1]], over.fallbacks[filled[-1]]) == last


def test_what_lies_before_the_window_is_in_none_of_it() -> None:
    log(after(minutes=-30), after(minutes=-90), after(hours=-30), after(days=-20), after(days=-40))
    counts = {one: task(summarised(one)).counts.predictions for one in ("1h", "24h", "7d", "30d")}
    assert counts == {"1h": 1, "24h": 2, "7d": 3, "30d": 4}


def test_quantiles_are_those_of_all_answers_over_the_window_and_in_each_bucket() -> None:
    draw = np.random.default_rng(0).lognormal(2, 1, (24, 50))
    prediction_record([
        prediction(after(hours=hour - 24, minutes=minute), latency_ms=float(draw[hour, minute]))
        for hour in range(24) for minute in range(50)
    ])  # fmt: skip
    one = task(summarised("24h", after(seconds=-1))).versions[0]
    exact = np.quantile(draw, [0.5, 0.95, 0.99], method="lower")
    assert [one.latency.p50, one.latency.p95, one.latency.p99] == pytest.approx(exact.tolist(), rel=OFF)
    assert one.latency.mean == pytest.approx(draw.mean())
    by_hour = np.quantile(draw, 0.95, axis=1, method="lower")
    assert one.over_time.p95 == pytest.approx(by_hour.tolist(), rel=OFF)


@pytest.mark.parametrize("window", ["7d", "30d"])
def test_quantiles_over_weeks_are_exact_to_the_bin(window: str) -> None:
    draw = np.random.default_rng(1).lognormal(2, 1, 600)
    prediction_record([
        prediction(after(hours=-1 - 7 * (number % 20)), latency_ms=float(draw[number])) for number in range(600)
    ])  # fmt: skip
    up_to(NOON)
    one = task(summary_of(window, NOON)).versions[0]
    exact = np.quantile(draw, [0.5, 0.95, 0.99], method="lower")
    assert [one.latency.p50, one.latency.p95, one.latency.p99] == pytest.approx(exact.tolist(), rel=OFF)


def test_latency_is_that_of_answers_and_not_of_failures_or_what_stood_in_for_them() -> None:
    log(after(minutes=-1), latency_ms=10.0)
    log(after(minutes=-1), latency_ms=5_000.0, status="error")
    log(after(minutes=-1), latency_ms=0.001, status="fallback")
    one = task(summarised("1h")).versions[0]
    assert [one.latency.mean, one.latency.p50, one.latency.p99] == pytest.approx([10.0] * 3, rel=OFF)


def test_rates_leave_each_others_predictions_out_and_are_empty_where_there_is_nothing() -> None:
    log(*[after(minutes=-1)] * 6)
    log(*[after(minutes=-1)] * 2, status="error")
    log(after(minutes=-1), status="fallback")
    log(after(minutes=-1), task="price", status="fallback", version=None, algorithm="none")
    found = summarised("1h")
    sentiment, price = task(found), task(found, "price")
    assert (sentiment.counts.error_rate, sentiment.counts.fallback_rate) == (2 / 8, 1 / 7)
    assert (price.counts.error_rate, price.counts.fallback_rate) == (None, 1.0)
    assert price.versions[0].latency.p50 is None
    assert set(price.versions[0].over_time.p50) == {None}


def test_the_rate_is_over_the_minutes_that_are_counted() -> None:
    log(*(after(minutes=-minute) for minute in range(1, 31)))
    found = summarised("1h")
    assert task(found).counts.per_minute == pytest.approx(30 / 59)  # the minute that is on now is not


def test_each_version_stands_for_itself_and_the_task_for_all_of_them() -> None:
    log(*[after(minutes=-1)] * 3)
    log(*[after(minutes=-1)] * 2, version=2, algorithm="other")
    log(after(minutes=-1), version=None, algorithm="trending")
    found = task(summarised("1h"))
    assert [(one.version, one.algorithm, one.counts.predictions) for one in found.versions] == [
        (None, "trending", 1), (1, "tfidf", 3), (2, "other", 2),
    ]  # fmt: skip
    assert found.counts.predictions == 6


def test_confidence_is_counted_in_twenty_parts_and_only_where_there_is_some() -> None:
    for confidence in (0.0, 0.04, 0.5, 0.99, 1.0, None):
        log(after(minutes=-1), confidence=confidence)
    log(after(minutes=-1), confidence=0.5, status="error")
    one = task(summarised("1h")).versions[0]
    assert len(one.confidence) == 20
    assert {at: count for at, count in enumerate(one.confidence) if count} == {0: 2, 10: 1, 19: 2}


def test_the_live_version_is_named_with_the_moment_since_when(
    promoted: Callable[..., ModelVersion], candidate: Callable[..., ModelVersion]
) -> None:
    promoted()
    second = promoted()
    version_rollback(task="sentiment")
    log(timezone.now() - timedelta(minutes=2), algorithm="scripted")
    log(timezone.now() - timedelta(minutes=2), algorithm="scripted", version=second.version)
    found = task(summarised("24h", timezone.now()))
    last = Promotion.objects.first()
    assert last and found.live
    assert (found.live.version, found.live.algorithm, found.live.since) == (1, "scripted", last.at)
    assert [one.live for one in found.versions] == [True, False]


def test_promotions_in_the_window_are_marked_the_oldest_first(promoted: Callable[..., ModelVersion]) -> None:
    for _ in range(3):
        promoted()
    version_rollback(task="sentiment")
    Promotion.objects.filter(to_version__version=1).update(at=timezone.now() - timedelta(days=2))
    found = task(summarised("24h", timezone.now())).promotions
    assert [(one.kind, one.from_version, one.to_version) for one in found] == [
        ("promote", 1, 2), ("promote", 2, 3), ("rollback", 3, 2)
    ]  # fmt: skip
    assert len(task(summary_of("7d", timezone.now())).promotions) == 4


def test_a_live_version_that_nobody_asked_is_there_with_nothing(promoted: Callable[..., ModelVersion]) -> None:
    promoted()
    found = task(summarised("24h", timezone.now()))
    assert (found.versions, found.counts.predictions, found.counts.error_rate) == ([], 0, None)


def test_before_anything_is_counted_there_is_no_figure_and_no_failure() -> None:
    log(after(minutes=-1))
    found = summary_of("24h", NOON)
    assert (found.as_of, found.buckets, found.tasks) == (None, [], [])


def test_a_worker_that_stopped_shows_by_as_of_and_no_bucket_is_said_to_be_empty() -> None:
    log(after(minutes=-1))
    up_to(NOON)
    found = summary_of("24h", after(hours=6))
    assert found.as_of == NOON
    assert found.buckets[-1] == after(hours=-1)
    assert len(found.buckets) == 17
    assert len(task(found).versions[0].over_time.p95) == 17
    assert summary_of("1h", after(hours=6)).buckets == []
    assert summary_of("1h", after(hours=6)).tasks == []


def measured(name: str = "hit_rate", hours: float = 24, ago: float = 0, **facts: Any) -> None:
    now = after(hours=-ago)
    given = {"task": "sentiment", "version": 1, "value": 0.5, "n": 10, "made_at": now, "window_end": now,
             "window_start": now - timedelta(hours=hours), **facts}  # fmt: skip
    QualityMeasure.objects.create(name=name, **given)


def test_the_newest_measure_of_each_name_and_length_of_time_is_shown() -> None:
    log(after(minutes=-1))
    measured(value=0.1, ago=2)
    measured(value=0.2, ago=1)
    measured(value=0.3, ago=1, hours=168)
    measured(value=0.4, ago=1, version=2)
    measured("accuracy", value=0.5, ago=1)
    measured("accuracy", value=0.6, ago=1, estimated=True, low=0.5, high=0.7)
    measured("old", ago=30)
    found = task(summarised("24h")).quality
    assert {(one.version, one.name, one.estimated, one.value) for one in found} == {
        (1, "hit_rate", False, 0.2), (1, "hit_rate", False, 0.3), (2, "hit_rate", False, 0.4),
        (1, "accuracy", False, 0.5), (1, "accuracy", True, 0.6),
    }  # fmt: skip
    [estimated] = [one for one in found if one.estimated]
    assert (estimated.low, estimated.high, estimated.n) == (0.5, 0.7, 10)


def test_the_summary_is_read_by_staff_alone(alice: APIClient, visitor: APIClient, staff: APIClient) -> None:
    assert_problem(visitor.get(SUMMARY), 401, "not_authenticated")
    assert_problem(alice.get(SUMMARY), 403, "permission_denied")
    assert staff.get(SUMMARY).status_code == 200
    assert_problem(staff.post(SUMMARY, {}), 405, "method_not_allowed")


def test_the_answer_is_the_summary_as_the_contract_lays_it_out(staff: APIClient) -> None:
    now = timezone.now()
    log(now - timedelta(minutes=2), confidence=0.7)
    up_to(now)
    for window in ("1h", "24h", "7d", "30d"):
        answer = staff.get(SUMMARY, {"window": window}).json()
        assert answer["window"] == window
        assert set(answer) == set(SummarySerializer().fields)
        [one] = answer["tasks"]
        [version] = one["versions"]
        assert version["counts"]["predictions"] == 1
        assert len(version["over_time"]["p50"]) == len(answer["buckets"])
        assert sum(version["confidence"]) == 1
    assert staff.get(SUMMARY).json()["window"] == "24h"


@pytest.mark.parametrize("window", ["2h", "", "24H", "x" * 500, "\0", "1h,24h"])
def test_a_window_that_is_none_is_refused_by_name(staff: APIClient, window: str) -> None:
    assert_problem(staff.get(SUMMARY, {"window": window}), 400, "invalid", "window")
    with pytest.raises(Invalid, match="Expected one of 1h, 24h, 7d, 30d"):
        summary_of(window, NOON)


def test_it_takes_as_few_queries_however_much_there_is(staff: APIClient, promoted: Callable[..., ModelVersion]) -> None:
    promoted()
    now = timezone.now()
    for number in range(5):
        log(*(now - timedelta(minutes=2 + 50 * at) for at in range(40)), version=number)
    up_to(now)
    for window in ("1h", "24h", "7d", "30d"):
        with pinned_queries("monitoring summary"):
            assert staff.get(SUMMARY, {"window": window}).status_code == 200
