"""An alarm fires when a live version breaks a rule for long enough, and is resolved when it no longer does."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from experiments.alarms import selectors
from experiments.alarms.checking import alarms_check
from experiments.alarms.selectors import alarms_firing
from experiments.models import (
    Alarm,
    AlarmRule,
    DriftReport,
    ModelVersion,
    PredictionRollup,
    Promotion,
    WebhookDelivery,
)
from experiments.prediction_log import prediction_record
from experiments.schedule import jobs
from experiments.tasks import roll_up
from tests.experiments.alarmed import HALF, answers, live, look, minutes, rule, states
from tests.experiments.rolled import after, log, prediction, up_to

pytestmark = pytest.mark.django_db
Version = Callable[..., ModelVersion]


def test_a_version_that_fails_fires_the_alarm_and_says_so(
    promoted: Version, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.WEBHOOK_URL = "http://127.0.0.1:9/"
    live(promoted)
    errors = rule()
    minutes(-3, 0)
    assert states() == []
    caplog.clear()
    minutes(0, 1, **HALF)
    [alarm] = alarms_firing()
    assert (alarm.rule, alarm.name, alarm.task, alarm.version) == (errors, "mine: Errors", "sentiment", 1)
    assert (alarm.value, alarm.bound, alarm.n) == (0.5, 0.05, 50)
    assert alarm.since == alarm.fired_at == after(minutes=1)
    [record] = caplog.records
    assert (record.levelno, record.getMessage()) == (
        logging.WARNING, "the alarm mine: Errors of sentiment 1 fired: error_rate is 50.0%, over 5.0%"
    )  # fmt: skip
    told = WebhookDelivery.objects.get()
    assert told.event == "alarm.fired"
    assert told.data == {
        "id": alarm.pk, "name": "mine: Errors", "task": "sentiment", "version": 1, "state": "firing",
        "metric": "error_rate", "value": 0.5, "bound": 0.05, "n": 50, "since": "2026-03-31T12:01:00Z",
        "fired_at": "2026-03-31T12:01:00Z", "resolved_at": None, "ended": "", "action": "",
    }  # fmt: skip


def test_while_it_fires_it_is_told_once_and_its_figures_are_kept_up(promoted: Version, settings: Any) -> None:
    settings.WEBHOOK_URL = "http://127.0.0.1:9/"
    live(promoted)
    rule()
    minutes(0, 3, **HALF)
    minutes(3, 5, error=50)
    [alarm] = alarms_firing()
    assert (alarm.value, alarm.fired_at, alarm.seen_at) == (1.0, after(minutes=1), after(minutes=5))
    assert WebhookDelivery.objects.count() == 1


def test_it_is_resolved_when_the_rule_is_no_longer_broken_and_the_row_stays(promoted: Version, settings: Any) -> None:
    settings.WEBHOOK_URL = "http://127.0.0.1:9/"
    live(promoted)
    rule()
    minutes(0, 1, **HALF)
    minutes(1, 4)
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.resolved_at, alarm.value, alarm.ended) == ("resolved", after(minutes=2), 0.0, "")
    assert alarms_firing() == []
    assert [one.event for one in WebhookDelivery.objects.order_by("pk")] == ["alarm.fired", "alarm.resolved"]
    minutes(4, 5, **HALF)
    assert states() == ["resolved", "firing"]


def test_the_minute_that_is_on_is_looked_at_too(promoted: Version) -> None:
    live(promoted)
    rule()
    log(*[after(seconds=1)] * 30, algorithm="scripted", status="error")
    look(0.1)
    assert states() == ["firing"]


@pytest.mark.parametrize("lasting", [1, 3, 20])
def test_it_fires_after_the_minutes_that_the_rule_says(promoted: Version, lasting: int) -> None:
    live(promoted)
    rule(for_minutes=lasting)
    minutes(0, lasting, **HALF)
    assert states() == ["pending"]
    minutes(lasting, lasting + 1, **HALF)
    assert states() == ["firing"]


def test_what_is_well_again_before_that_leaves_nothing_behind_and_begins_anew(promoted: Version) -> None:
    live(promoted)
    rule(for_minutes=3)
    minutes(0, 2, **HALF)
    minutes(2, 5)
    assert states() == []
    minutes(5, 8, **HALF)
    assert states() == ["pending"]


def test_what_was_pending_is_forgotten_where_nothing_was_to_be_seen_for_long(promoted: Version) -> None:
    live(promoted)
    rule(for_minutes=3)
    minutes(0, 1, **HALF)
    look(5)
    assert states() == ["pending"]
    look(7)
    assert states() == []
    minutes(20, 21, **HALF)
    assert Alarm.objects.get().since == after(minutes=21)


def test_too_few_predictions_neither_fire_nor_resolve(promoted: Version) -> None:
    live(promoted)
    rule()
    minutes(0, 1, error=19)
    assert states() == []
    minutes(5, 6, error=20)
    assert states() == ["firing"]
    minutes(8, 9, ok=19)
    look(60)
    assert states() == ["firing"]
    minutes(60, 61, ok=20)
    assert states() == ["resolved"]


@pytest.mark.parametrize(
    ("facts", "well", "broken"),
    [
        ({"metric": "fallback_rate", "threshold": 0.2}, {"ok": 45, "fallback": 5}, {"ok": 20, "fallback": 30}),
        ({"metric": "latency_p50", "threshold": 10.0}, {"ms": 9.0}, {"ms": 11.0}),
        ({"metric": "latency_p95", "threshold": 10.0}, {"ms": 9.0}, {"ms": 11.0}),
        ({"metric": "latency_p99", "threshold": 10.0}, {"ms": 9.0}, {"ms": 11.0}),
        ({"metric": "requests_per_minute", "threshold": 60.0}, {}, {"ok": 200}),
        ({"metric": "requests_per_minute", "threshold": 20.0, "comparison": "below", "least": 0}, {}, {"ok": 15}),
    ],
    ids=str,
)
def test_each_figure_that_is_counted_fires_and_resolves(
    promoted: Version, facts: dict[str, Any], well: dict[str, Any], broken: dict[str, Any]
) -> None:
    live(promoted)
    rule(**facts)
    minutes(-5, 0, **well)
    assert states() == []
    minutes(0, 2, **broken)
    assert states() == ["firing"]
    minutes(2, 5, **well)
    assert states() == ["resolved"]


def test_silence_is_seen(promoted: Version) -> None:
    live(promoted)
    rule(metric="requests_per_minute", comparison="below", threshold=1.0, least=0, window_minutes=10)
    minutes(-15, 0)
    look(9)
    assert states() == []
    look(11)
    assert states() == ["firing"]
    minutes(11, 12)
    assert states() == ["resolved"]


def test_answers_without_a_model_count_as_fallbacks_and_other_versions_answers_do_not(promoted: Version) -> None:
    live(promoted)
    rule(metric="fallback_rate", threshold=0.2)
    answers(0, None, ok=500, fallback=25)
    answers(0, 7, ok=500)
    minutes(0, 1)
    assert Alarm.objects.get().value == 25 / 75


def test_a_relative_bound_is_a_multiple_of_the_day_before_whichever_version_answered(promoted: Version) -> None:
    live(promoted, after(hours=-30))
    live(promoted, after(minutes=-1))
    rule(metric="latency_p95", threshold=4.0, relative=True)
    for hour in range(1, 24):
        answers(-60 * hour, 1, ms=10.0)
    answers(-60 * 25, 1, ms=1_000.0)  # a day and an hour ago
    minutes(0, 1, version=2, ms=39.0)
    assert states() == []
    minutes(1, 3, version=2, ms=42.0)
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.version) == ("firing", 2)
    assert (alarm.before, alarm.bound) == (pytest.approx(10.0, rel=0.012), pytest.approx(40.0, rel=0.012))


def test_the_bound_of_an_alarm_stays_however_long_it_fires(promoted: Version) -> None:
    live(promoted)
    rule(metric="latency_p95", threshold=4.0, relative=True)
    minutes(-30, 0, ms=10.0)
    minutes(0, 240, ms=80.0)
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.bound) == ("firing", pytest.approx(40.0, rel=0.012))


def test_a_share_that_was_never_seen_before_may_be_as_large_as_chance_leaves_open(promoted: Version) -> None:
    live(promoted)
    rule(threshold=10.0, relative=True)
    minutes(-10, 0)
    minutes(0, 1, ok=999, error=1)
    assert states() == []
    minutes(1, 2, **HALF)
    assert Alarm.objects.get().bound == pytest.approx(10 * 3 / 500, rel=0.7)


def test_a_new_shop_is_not_silent_for_the_time_before_it_opened(promoted: Version) -> None:
    live(promoted, after(minutes=0))
    rule(metric="requests_per_minute", comparison="below", threshold=1.0, least=0, window_minutes=1_000)
    minutes(0, 1)
    assert states() == []


def test_an_alarm_of_what_the_code_measures_no_more_ends(promoted: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    live(promoted)
    rule()
    minutes(0, 1, **HALF)
    monkeypatch.setattr(selectors, "tasks", dict)
    look(2)
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.ended) == ("resolved", "Nothing measures error_rate of sentiment any more.")


def test_a_relative_rule_says_nothing_where_nothing_was_before(promoted: Version) -> None:
    live(promoted)
    rule(metric="latency_p95", threshold=4.0, relative=True)
    minutes(0, 1, ms=500.0)
    assert states() == []


def test_drift_is_that_of_the_newest_report_of_the_live_version(promoted: Version) -> None:
    live(promoted)
    rule(metric="drifted_features", threshold=0.0, window_minutes=120, least=0)
    times = {f"{name}_{end}": after() for name in ("reference", "current") for end in ("from", "to")}

    def report(minute: float, drifted: int, **facts: Any) -> None:
        given = {"task": "sentiment", "version": 1, "current_rows": 200, **times, **facts}
        DriftReport.objects.create(made_at=after(minutes=minute), drifted=drifted, **given)

    report(0, 3, version=2)
    report(0, 0, note="Too few predictions.")
    look(1)
    assert states() == []
    report(10, 3)
    look(11)
    assert states() == ["firing"]
    look(11 + 180)  # no report since
    assert states() == ["firing"]
    report(200, 0)
    look(201)
    assert states() == ["resolved"]


def test_a_version_is_not_to_blame_for_the_one_before_it(promoted: Version) -> None:
    live(promoted)
    rule(window_minutes=10)
    answers(0, 1, error=500)
    live(promoted, after(minutes=1))
    minutes(1, 3, version=2)
    assert states() == []


def test_a_version_is_not_saved_by_the_one_before_it(promoted: Version) -> None:
    live(promoted)
    rule(window_minutes=10)
    minutes(0, 5, ok=500)
    live(promoted, after(minutes=5))
    minutes(5, 6, version=2, ok=10, error=10)
    assert Alarm.objects.get().value == 0.5


def test_an_alarm_of_a_version_that_was_replaced_is_resolved_and_the_new_one_is_judged_by_itself(
    promoted: Version,
) -> None:
    live(promoted)
    rule()
    minutes(0, 1, **HALF)
    live(promoted, after(minutes=1))
    look(1.2)
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.ended) == ("resolved", "sentiment 1 is no longer live.")
    minutes(2, 3, version=2, **HALF)
    assert list(Alarm.objects.values_list("version", "state")) == [(2, "firing"), (1, "resolved")]


def test_a_version_that_is_put_live_again_begins_anew(promoted: Version) -> None:
    row = live(promoted)
    rule()
    minutes(0, 1, **HALF)
    Promotion.objects.create(task="sentiment", kind="promote", to_version=row, at=after(minutes=2))
    look(2.5)
    assert states() == ["resolved"]


def test_a_rule_that_is_switched_off_fires_nothing_and_ends_what_fires(promoted: Version) -> None:
    live(promoted)
    errors = rule()
    minutes(0, 1, **HALF)
    AlarmRule.objects.filter(pk=errors.pk).update(enabled=False)
    minutes(1, 3, **HALF)
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.ended) == ("resolved", "The rule was switched off.")


def test_a_rule_that_is_deleted_ends_what_fires_and_leaves_what_fired(promoted: Version, settings: Any) -> None:
    settings.WEBHOOK_URL = "http://127.0.0.1:9/"
    live(promoted)
    errors = rule()
    minutes(0, 1, **HALF)
    errors.delete()
    minutes(1, 3, **HALF)
    alarm = Alarm.objects.get()
    assert (alarm.rule, alarm.name, alarm.state, alarm.ended) == (
        None, "mine: Errors", "resolved", "The rule was deleted."
    )  # fmt: skip
    assert WebhookDelivery.objects.filter(event="alarm.resolved").get().data["ended"] == "The rule was deleted."


@pytest.mark.parametrize("change", [{"metric": "fallback_rate"}, {"task": "price"}], ids=str)
def test_a_rule_that_is_about_something_else_now_ends_what_fires(promoted: Version, change: dict[str, Any]) -> None:
    live(promoted)
    errors = rule()
    minutes(0, 1, **HALF)
    AlarmRule.objects.filter(pk=errors.pk).update(**change)
    look(1.5)
    assert Alarm.objects.get().ended == "The rule was changed."


def test_a_rule_of_one_task_is_about_no_other_and_one_of_none_is_about_all(
    promoted: Version, candidate: Version
) -> None:
    live(promoted)
    price = candidate("price")
    ModelVersion.objects.filter(pk=price.pk).update(live=True)
    rule("of all")
    rule("of price", task="price")
    log(*[after()] * 30, task="price", version=price.version, status="error")
    minutes(0, 1, **HALF)
    fired = set(Alarm.objects.values_list("name", "task"))
    assert fired == {("mine: of all", "sentiment"), ("mine: of all", "price"), ("mine: of price", "price")}


def test_rollups_that_are_behind_say_nothing_of_now(promoted: Version) -> None:
    live(promoted)
    rule()
    answers(0, **HALF)
    look(1)
    Alarm.objects.all().delete()
    alarms_check(now=after(minutes=4), counted=True)
    assert states() == []


def test_a_rule_that_cannot_be_looked_at_harms_no_other(promoted: Version, caplog: pytest.LogCaptureFixture) -> None:
    live(promoted)
    rule("slow", metric="latency_p95", threshold=1.0)
    rule("errors")
    answers(0, **HALF)
    up_to(after(minutes=1))
    PredictionRollup.objects.filter(grain="minute").update(latency=b"broken!")
    alarms_check(now=after(minutes=1), counted=True)
    assert [one.name for one in alarms_firing()] == ["mine: errors"]
    assert "mine: slow of sentiment could not be looked at" in caplog.text


def test_the_worker_looks_every_quarter_of_a_minute_right_after_it_counted(promoted: Version) -> None:
    assert jobs()["experiments.tasks.roll_up"].every == timedelta(seconds=15)
    assert jobs()["experiments.tasks.check_quality_alarms"].every == timedelta(seconds=30)
    promoted()
    rule()
    now = timezone.now()
    prediction_record([prediction(now, algorithm="scripted", status="error") for _ in range(30)])
    roll_up()
    assert states() == ["firing"]


def test_a_quiet_look_writes_nothing(promoted: Version) -> None:
    live(promoted)
    rule()
    minutes(0, 2)
    with CaptureQueriesContext(connection) as captured:
        alarms_check(now=after(minutes=2), counted=True)
    assert [one["sql"] for one in captured if not one["sql"].startswith("SELECT")] == []
    assert not [one["sql"] for one in captured if "FOR UPDATE" in one["sql"] or '_prediction"' in one["sql"]]
