"""The registry and the log in the admin: facts to look at, found by request id; versions go live through the gate."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from experiments.models import ModelVersion, Prediction, Promotion
from experiments.uuid7 import uuid7

PREDICTIONS = "/admin/experiments/prediction/"
VERSIONS = "/admin/experiments/modelversion/"


@pytest.fixture
def office(django_user_model: Any, db: None) -> Client:
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("boss", password="correct horse battery"))
    return client


def _prediction(**facts: Any) -> Prediction:
    given = {"task": "sentiment", "input": {}, "latency_ms": 1.25, "confidence": 0.87654, **facts}
    return Prediction.objects.create(id=uuid7(), **given)


def test_a_prediction_is_found_by_its_request_id_and_by_its_own(office: Client) -> None:
    wanted, other = _prediction(request_id="wanted-1"), _prediction(request_id="other-2")
    for term in ("wanted-1", str(wanted.pk)):
        page = office.get(PREDICTIONS, {"q": term}).content.decode()
        assert str(wanted.pk) in page
        assert str(other.pk) not in page


def test_a_search_for_anything_else_finds_nothing_and_does_not_fail(office: Client) -> None:
    row = _prediction(request_id="wanted-1")
    for term in ("' OR 1=1", "x" * 500, "1" * 40, "%"):
        page = office.get(PREDICTIONS, {"q": term})
        assert page.status_code == 200
        assert str(row.pk) not in page.content.decode()


def test_a_failed_prediction_shows_its_status_and_request(office: Client) -> None:
    row = _prediction(status="error", request_id="broken-7", output={"error": "ValueError"})
    page = office.get(f"{PREDICTIONS}{row.pk}/change/").content.decode()
    assert "broken-7" in page
    assert "ValueError" in page


def test_facts_cannot_be_added_changed_or_deleted(office: Client) -> None:
    row = _prediction()
    assert office.get(f"{PREDICTIONS}add/").status_code == 403
    assert office.post(f"{PREDICTIONS}{row.pk}/change/", {"task": "other"}).status_code == 403
    assert office.post(f"{PREDICTIONS}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    row.refresh_from_db()
    assert row.task == "sentiment"


def _act(office: Client, action: str, *rows: ModelVersion) -> str:
    form = {"action": action, "_selected_action": [row.pk for row in rows]}
    return office.post(VERSIONS, form, follow=True).content.decode()


def test_a_task_is_rolled_back_by_who_is_logged_in(office: Client, live: Callable[..., Any]) -> None:
    first, second = live("sentiment"), live("sentiment")
    assert "is rolled back" in _act(office, "roll_back", second)
    first.refresh_from_db()
    assert first.live
    assert Promotion.objects.first().by.username == "boss"


def test_the_gate_says_in_the_admin_why_it_refuses(office: Client, live: Callable[..., Any]) -> None:
    row = live("sentiment")
    assert "is live already" in _act(office, "put_live", row)
    assert "no version before" in _act(office, "roll_back", row)


def test_staff_without_the_permission_have_no_such_action(staff: APIClient, live: Callable[..., Any]) -> None:
    row = live("sentiment")
    client = Client()
    client.force_login(staff.user)
    assert client.get(VERSIONS).status_code == 403
    client.post(VERSIONS, {"action": "roll_back", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.live


@pytest.mark.parametrize(
    "name", ["modelversion", "promotion", "prediction", "outcome", "schedule", "abtest", "exposure"]
)
def test_every_list_opens(office: Client, live: Callable[..., Any], name: str) -> None:
    live("sentiment")
    _prediction()
    assert office.get(f"/admin/experiments/{name}/").status_code == 200
