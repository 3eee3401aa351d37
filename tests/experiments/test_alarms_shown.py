"""Alarms and their rules in the admin, and alarms over the API."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from rest_framework.test import APIClient

from experiments.alarms.selectors import alarms_firing
from experiments.models import Alarm, AlarmRule, ModelVersion
from tests.experiments.alarmed import HALF, live, minutes, rule
from tests.experiments.rolled import after
from tests.problems import assert_problem
from tests.queries import pinned_queries

pytestmark = pytest.mark.django_db
Version = Callable[..., ModelVersion]
RULES, ALARMS, API = "/admin/experiments/alarmrule/", "/admin/experiments/alarm/", "/api/v1/monitoring/alarms/"
FORM = {"name": "Failing", "task": "sentiment", "metric": "error_rate", "comparison": "above", "threshold": "0.1",
        "window_minutes": "5", "for_minutes": "2", "least": "30", "enabled": "on", "action": "rollback",
        "cooldown_minutes": "90"}  # fmt: skip


def alarm(state: str = "firing", **facts: Any) -> Alarm:
    at: dict[str, datetime] = {"since": after(), "seen_at": after(minutes=1)}
    given = {"name": "Errors", "task": "sentiment", "version": 2, "metric": "error_rate", "value": 0.5, "bound": 0.05,
             "n": 40, **at, **facts}  # fmt: skip
    return Alarm.objects.create(state=state, **given)


def test_a_rule_is_made_changed_and_deleted(office: Client) -> None:
    assert office.get(f"{RULES}add/").status_code == 200
    assert office.post(f"{RULES}add/", FORM).status_code == 302
    row = AlarmRule.objects.get(name="Failing")
    assert (row.task, row.metric, row.threshold, row.relative, row.window_minutes, row.for_minutes, row.least) == (
        "sentiment", "error_rate", 0.1, False, 5, 2, 30
    )  # fmt: skip
    assert (row.enabled, row.action, row.cooldown_minutes) == (True, "rollback", 90)
    assert office.post(f"{RULES}{row.pk}/change/", FORM | {"threshold": "0.2", "enabled": ""}).status_code == 302
    row.refresh_from_db()
    assert (row.threshold, row.enabled) == (0.2, False)
    assert office.post(f"{RULES}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not AlarmRule.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"threshold": "1.5"}, "threshold", "Expected 0 to 1."),
        ({"threshold": "nan"}, "threshold", "Enter a number."),
        ({"threshold": ""}, "threshold", "This field is required."),
        ({"window_minutes": "2000"}, "window_minutes", "Expected 1 to 1,440."),
        ({"window_minutes": "99999999999"}, "window_minutes", "less than or equal to 32767"),
        ({"metric": "hit_rate"}, "metric", "Expected one of"),
        ({"metric": "nothing"}, "metric", "Select a valid choice."),
        ({"task": "nothing"}, "task", "Select a valid choice."),
        ({"name": ""}, "name", "This field is required."),
    ],
    ids=str,
)
def test_what_is_refused_is_said_beside_its_field(
    office: Client, changes: dict[str, str], field: str, words: str
) -> None:
    page = office.post(f"{RULES}add/", FORM | changes)
    assert page.status_code == 200
    errors = page.context["adminform"].form.errors
    assert set(errors) == {field}
    assert words in errors[field][0]


def test_the_list_of_rules_says_what_is_watched_and_what_fires_now(office: Client, promoted: Version) -> None:
    live(promoted)
    rule("well", metric="latency_p95", threshold=100.0)
    rule("soon", for_minutes=10)
    rule("broken")
    minutes(0, 1, **HALF)
    page = office.get(RULES).content.decode()
    for words in ("error_rate above 5.0%, over 1 min", "latency_p95 above 100.0 ms, over 1 min", "every one",
                  "firing: sentiment", "pending: sentiment"):  # fmt: skip
        assert words in page
    with pinned_queries("alarm rules in the admin"):
        office.get(RULES)


def test_alarms_are_listed_by_state_and_cannot_be_touched(office: Client) -> None:
    firing, over = alarm(fired_at=after()), alarm("resolved", name="Slow", action="Rolled back from version 2 to 1.")
    page = office.get(ALARMS).content.decode()
    assert "Rolled back from version 2 to 1." in page and "error_rate 50.0%" in page
    shown = office.get(ALARMS, {"state__exact": "firing"}).context["cl"].queryset
    assert list(shown) == [firing]
    assert office.get(f"{ALARMS}{over.pk}/change/").status_code == 200
    assert office.get(f"{ALARMS}add/").status_code == 403
    assert office.post(f"{ALARMS}{over.pk}/delete/", {"post": "yes"}).status_code == 403


def test_who_may_not_roll_back_by_hand_makes_no_rule_that_does(django_user_model: Any) -> None:
    person = django_user_model.objects.create_user("rita", "rita@example.com", "correct horse battery", is_staff=True)
    names = ["view_alarmrule", "add_alarmrule", "change_alarmrule", "delete_alarmrule"]
    person.user_permissions.set(Permission.objects.filter(codename__in=names))
    desk = Client()
    desk.force_login(person)
    assert desk.post(f"{RULES}add/", FORM | {"action": "rollback"}).status_code == 302
    made = AlarmRule.objects.get(name="Failing")
    assert made.action == ""
    assert desk.post(f"{RULES}{made.pk}/change/", FORM | {"threshold": "0.3"}).status_code == 302
    acting = rule("acting", action="rollback")
    assert desk.post(f"{RULES}{acting.pk}/change/", FORM | {"threshold": "0.0001"}).status_code == 403
    assert desk.post(f"{RULES}{acting.pk}/delete/", {"post": "yes"}).status_code == 403
    for one in (acting, made):
        chosen = {"action": "delete_selected", "_selected_action": [one.pk], "post": "yes"}
        desk.post(RULES, chosen)
    assert [*AlarmRule.objects.filter(pk__in=[acting.pk, made.pk])] == [acting]


def test_the_api_lists_alarms_by_state_newest_first(staff: APIClient) -> None:
    over = alarm("resolved", fired_at=after(), resolved_at=after(minutes=3))
    firing = alarm(fired_at=after(minutes=5), name="Slow", metric="latency_p95", value=80.0, bound=40.0)
    answer = staff.get(API).json()
    assert (answer["count"], [one["id"] for one in answer["results"]]) == (2, [firing.pk, over.pk])
    [one] = staff.get(API, {"state": "firing"}).json()["results"]
    assert one == {
        "id": firing.pk, "rule": None, "name": "Slow", "task": "sentiment", "version": 2, "state": "firing",
        "metric": "latency_p95", "value": 80.0, "bound": 40.0, "n": 40, "since": "2026-03-31T12:00:00Z",
        "seen_at": "2026-03-31T12:01:00Z", "fired_at": "2026-03-31T12:05:00Z", "resolved_at": None, "ended": "",
        "action": "",
    }  # fmt: skip
    assert staff.get(API, {"task": "price"}).json()["results"] == []
    assert len(staff.get(API, {"page_size": 1}).json()["results"]) == 1


def test_the_api_is_for_staff_and_refuses_a_state_that_is_none(
    staff: APIClient, alice: APIClient, visitor: APIClient
) -> None:
    assert_problem(visitor.get(API), 401, "not_authenticated")
    assert_problem(alice.get(API), 403, "permission_denied")
    assert_problem(staff.post(API, {}), 405, "method_not_allowed")
    assert_problem(staff.get(API, {"state": "broken"}), 400, "invalid", "state")
    assert staff.get(API, {"task": "\0"}).status_code == 400


def test_it_takes_as_few_queries_however_many_there_are(staff: APIClient) -> None:
    for _ in range(20):
        alarm()
    with pinned_queries("alarms list"):
        assert staff.get(API).status_code == 200
    with pinned_queries("alarms that fire"):
        assert len(alarms_firing()) == 20
