"""From a customer's error message to the row in the admin that says what failed, with nothing but the request id."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from experiments.models import Prediction
from tests.experiments.conftest import Version, may
from tests.problems import assert_problem

LIST = "/admin/experiments/prediction/"


@pytest.fixture
def office(django_user_model: Any, db: None) -> Client:
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("boss", password="correct horse battery"))
    return client


def test_a_failed_prediction_is_found_by_the_id_in_its_error_message(
    promoted: Version,
    alice: APIClient,
    office: Client,
    caplog: pytest.LogCaptureFixture,
) -> None:
    row = promoted(fails_on="broken")
    alice.post("/api/v1/predict/sentiment/", {"text": "fine"})
    answer = alice.post("/api/v1/predict/sentiment/", {"text": "it is broken"})
    body = assert_problem(answer, 503, "model_unavailable")

    failed = Prediction.objects.get(status="error")
    found = office.get(LIST, {"q": body["request_id"]}).content.decode()
    assert re.findall(rf"{LIST}([0-9a-f-]{{36}})/change/", found) == [str(failed.pk)]
    assert "RuntimeError" in found

    page = office.get(f"{LIST}{failed.pk}/change/").content.decode()
    assert "RuntimeError" in page
    assert body["request_id"] in page
    assert "it is broken" in page
    assert f'<a href="/admin/experiments/modelversion/{row.pk}/change/">sentiment 1 (scripted)</a>' in page
    assert f'<a href="{LIST}?q={body["request_id"]}">' in page
    assert "the secret of the model" not in found + page
    assert "the secret of the model" in caplog.text  # and in the log of the process, which has the request id


def test_the_rows_of_one_request_stand_together(
    promoted: Version,
    alice: APIClient,
    office: Client,
) -> None:
    promoted(fails_on="broken")
    texts = [{"text": "fine"}, {"text": "it is broken"}]
    alice.post("/api/v1/predict/sentiment/", {"instances": texts}, HTTP_X_REQUEST_ID="mine-1")
    found = office.get(LIST, {"q": "mine-1"}).content.decode()
    assert found.count("RuntimeError") == 2


def test_a_row_without_a_request_or_a_version_has_no_links(office: Client) -> None:
    row = Prediction.objects.create(task="sentiment", input={}, latency_ms=1, status="error")
    page = office.get(f"{LIST}{row.pk}/change/")
    assert page.status_code == 200
    assert b"?q=" not in page.content


def test_staff_may_be_let_see_predictions_and_nothing_else(promoted: Version, staff: APIClient) -> None:
    client = Client()
    client.force_login(may(staff, "view_prediction").user)
    assert client.get(LIST).status_code == 200
    assert client.get("/admin/experiments/modelversion/").status_code == 403


def test_the_list_and_its_filters_do_not_read_all_of_the_log(office: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert office.get("/admin/experiments/prediction/", {"task": "sentiment", "q": "abc"}).status_code == 200
    of_the_log = [one["sql"] for one in asked if "experiments_prediction" in one["sql"]]
    assert of_the_log
    assert not [sql for sql in of_the_log if "DISTINCT" in sql]
