"""What the monitoring page says beside predictions: drift, alarms, running A/B tests, the worker's jobs, refusals."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from prometheus_client import values
from rest_framework.test import APIClient

from experiments import tasks, telemetry
from experiments.ab_test_counts import MOST_COUNTED
from experiments.models import Alarm, DriftReport, Exposure
from experiments.monitoring.selectors import refused
from experiments.uuid7 import uuid7
from tests.experiments.admin_forms import at
from tests.experiments.conftest import Tested, Version, may
from tests.experiments.reading import row, words
from tests.experiments.test_monitoring_page import HOSTILE, ago, logged_in, shown

pytestmark = pytest.mark.django_db


def reported(*names: str, version: int = 1, **facts: Any) -> DriftReport:
    """Where features of these names drifted, of two more that did not."""
    features = [{"name": name, "drifted": name in names} for name in (*names, "input.text.words", "output.label")]
    window = {
        "reference_from": ago(days=9),
        "reference_to": ago(days=2),
        "current_from": ago(days=1),
        "current_to": ago(),
    }
    return DriftReport.objects.create(
        **{"task": "sentiment", "version": version, "features": features, "drifted": len(names), **window, **facts}
    )


def test_drift_is_that_of_the_newest_report_of_the_live_version(office: Client, promoted: Version) -> None:
    promoted()
    promoted()
    reported("old", version=1)
    reported("older", version=2, made_at=ago(hours=5))
    newest = reported("input.text.language", HOSTILE, version=2, made_at=ago(hours=2))
    page = shown(office)
    found = row(page, "Drift of the live versions", "sentiment")
    assert found[:4] == ["sentiment", "2", f"{newest.made_at:%Y-%m-%d %H:%M}", "2 of 4"]
    assert f'href="/admin/experiments/driftreport/{newest.pk}/change/"' in page
    raw = office.get("/admin/monitoring/").content.decode()
    assert "input.text.language, &lt;script&gt;" in raw and "<script>alert" not in raw


def test_a_report_that_compared_nothing_says_why(office: Client, promoted: Version) -> None:
    promoted()
    reported(features=[], note="Too few predictions: 3 in the reference, 2 now.")
    found = row(shown(office), "Drift of the live versions", "sentiment")
    assert found[3:] == ["-", "Too few predictions: 3 in the reference, 2 now."]


def test_links_lead_only_where_one_may_go(staff: APIClient, promoted: Version, tested: Tested) -> None:
    promoted()
    report, test = reported(), tested({"name": "a"}, {"name": "b"})
    page = shown(logged_in(may(staff, "view_prediction")))
    assert "/driftreport/" not in page and "/abtest/" not in page
    assert test.name in words(page)
    page = shown(logged_in(may(staff, "view_driftreport", "view_abtest")))
    assert f"/driftreport/{report.pk}/" in page and at(test, "results") in page


def test_alarms_that_fire_are_there_and_no_others(office: Client) -> None:
    facts = {"task": "sentiment", "version": 3, "metric": "error_rate", "value": 0.034, "bound": 0.02, "n": 100,
             "since": ago(hours=2), "seen_at": ago()}  # fmt: skip
    fired = Alarm.objects.create(name=HOSTILE, state="firing", fired_at=ago(hours=1), **facts)
    Alarm.objects.create(name="was", state="resolved", fired_at=ago(hours=3), resolved_at=ago(), **facts)
    Alarm.objects.create(name="may be", state="pending", **facts)
    page = shown(office)
    found = row(page, "Alarms that fire", f"{fired.fired_at:%Y-%m-%d %H:%M}")
    assert (found[1], found[3]) == ("sentiment 3", fired.figures)
    assert f'href="/admin/experiments/alarm/{fired.pk}/change/"' in page
    assert "may be" not in page and ">was<" not in page
    assert "<script>alert" not in office.get("/admin/monitoring/").content.decode()


def test_running_tests_are_there_with_their_users(office: Client, tested: Tested) -> None:
    test = tested({"name": "a"}, {"name": "b"}, started_at=ago(days=2))
    tested({"name": "a"}, {"name": "b"}, name="over", state="stopped")
    variant = test.variants.get(name="a")
    Exposure.objects.bulk_create(
        Exposure(test=test, variant=variant, user_id=user, prediction_id=uuid7()) for user in range(1, 6)
    )
    page = shown(office)
    found = row(page, "Running A/B tests", "sentiment")
    assert found == ["sentiment", f"{test.started_at:%Y-%m-%d %H:%M}", "5", test.name]
    assert "over" not in found and f'href="{at(test, "results")}"' in page


def test_users_of_a_test_are_counted_up_to_a_bound(office: Client, tested: Tested) -> None:
    test = tested({"name": "a"}, {"name": "b"})
    variant = test.variants.get(name="a")
    Exposure.objects.bulk_create(
        Exposure(test=test, variant=variant, user_id=user, prediction_id=uuid7()) for user in range(MOST_COUNTED + 5)
    )
    assert row(shown(office), "Running A/B tests", "sentiment")[1:3] == ["-", "over 10,000"]


def test_jobs_of_the_worker_are_counted_by_their_state(office: Client) -> None:
    for _ in range(5):
        tasks.measure_outcomes.enqueue()
    made = list(DBTaskResult.objects.values_list("pk", flat=True))
    DBTaskResult.objects.filter(pk__in=made[:2]).update(status=TaskResultStatus.FAILED, finished_at=timezone.now())
    DBTaskResult.objects.filter(pk=made[2]).update(status=TaskResultStatus.RUNNING)
    oldest = ago(hours=2)
    DBTaskResult.objects.filter(pk=made[3]).update(enqueued_at=oldest)
    page = shown(office)
    table = "Jobs of the worker"
    assert row(page, table, "waiting")[1] == f"2, since {oldest:%Y-%m-%d %H:%M}"
    assert (row(page, table, "running")[1], row(page, table, "failed")[1]) == ("1", "2")


def test_refused_requests_are_counted_by_task(office: Client) -> None:
    before = refused().get("sentiment", 0)
    telemetry.refused("sentiment")
    telemetry.refused("sentiment")
    page = shown(office)
    assert row(page, "Requests refused because the model was busy", "sentiment")[1] == f"{before + 2:,}"


def test_refusals_of_several_processes_are_added_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, multiprocess: Callable[..., None]
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    assert refused() == {}
    for process in (1, 2):
        multiprocess(process, "sentiment", 3)
    (tmp_path / "counter_3.db").touch()  # a process that has only begun
    assert refused() == {"sentiment": 6}


@pytest.fixture
def multiprocess(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`multiprocess(7, "price", 3)`: process 7 refused three requests of price."""

    def count(process: int, task: str, number: int) -> None:
        value = values.MultiProcessValue(lambda: process)
        one = value("counter", "mlbackend_refused", "mlbackend_refused_total", ["task"], [task], "help")
        one.inc(number)

    return count
