"""A/B tests are made and started in the admin; what could not be served is refused in words, beside its field."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from experiments.models import ABTest, Exposure, ModelVersion
from experiments.uuid7 import uuid7

TESTS = "/admin/experiments/abtest/"
EXPOSURES = "/admin/experiments/exposure/"


@pytest.fixture
def office(django_user_model: Any, db: None) -> Client:
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("boss", password="correct horse battery"))
    return client


def form(*variants: dict[str, Any], **facts: Any) -> dict[str, Any]:
    rows = {
        f"variants-{place}-{name}": value
        for place, variant in enumerate(variants)
        for name, value in {"name": f"variant {place}", "weight": "1", "version": "", "config": "{}", **variant}.items()
    }
    return {
        "name": "which is better", "task": "sentiment", "state": "draft", "traffic": "0.5", **facts,
        "variants-TOTAL_FORMS": len(variants), "variants-INITIAL_FORMS": 0, **rows,
    }  # fmt: skip


def refused(office: Client, given: dict[str, Any], path: str = "add/") -> str:
    """The page that says what is wrong."""
    answer = office.post(TESTS + path, given)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_test_is_made_with_its_variants(office: Client, candidate: Callable[..., ModelVersion]) -> None:
    row = candidate("sentiment")
    given = form({"name": "now"}, {"name": "new", "weight": "3", "version": row.pk, "config": '{"title": "So good"}'})
    assert office.post(f"{TESTS}add/", given).status_code == 302
    test = ABTest.objects.get()
    assert (test.name, test.task, test.state, test.traffic) == ("which is better", "sentiment", "draft", 0.5)
    assert (test.started_at, test.stopped_at) == (None, None)
    assert list(test.variants.values_list("name", "weight", "version", "config")) == [
        ("now", 1.0, None, {}),
        ("new", 3.0, row.pk, {"title": "So good"}),
    ]


def test_starting_and_stopping_are_remembered(office: Client) -> None:
    office.post(f"{TESTS}add/", form({}, {}))
    test = ABTest.objects.get()
    salt, change = test.salt, f"{TESTS}{test.pk}/change/"
    times = []
    for state in ("running", "paused", "running", "stopped", "draft"):
        rows = [{"id": variant.pk, "test": test.pk, "name": variant.name} for variant in test.variants.all()]
        assert office.post(change, form(*rows, state=state) | {"variants-INITIAL_FORMS": 2}).status_code == 302
        test.refresh_from_db()
        times.append((test.started_at, test.stopped_at))
    started, stopped = times[-1]
    assert times == [(started, None)] * 3 + [(started, stopped)] * 2
    assert started < stopped
    assert test.salt == salt


@pytest.mark.parametrize(
    ("variant", "facts", "words"),
    [
        ({}, {"task": "flavour"}, "There is no such task. Known are: "),
        ({}, {"task": ""}, "This field is required"),
        ({}, {"traffic": "1.5"}, "The share of the users is 0 to 1."),
        ({}, {"traffic": "nan"}, "Enter a number."),
        ({"weight": "0"}, {}, "A weight is over 0 and at most 1000."),
        ({"weight": "inf"}, {}, "Enter a number."),
        ({"name": "variant 1"}, {}, "duplicate"),
        ({"config": "{"}, {}, "Enter a valid JSON."),
        ({"config": "[]"}, {}, "config: expected an object."),
        ({"config": '{"tilte": "x"}'}, {}, "config: there is no tilte. Known are: text, title."),
        ({"config": '{"title": NaN}'}, {}, "config.title: nan is no str."),
    ],
    ids=str,
)
def test_what_could_not_be_served_is_refused_in_words(
    office: Client, variant: dict[str, Any], facts: dict[str, Any], words: str
) -> None:
    assert words in refused(office, form(variant, {}, **facts))
    assert not ABTest.objects.exists()


def test_a_second_running_test_of_a_task_is_refused_in_words(office: Client) -> None:
    office.post(f"{TESTS}add/", form({}, {}, state="running"))
    assert "Another test of this task is running." in refused(office, form({}, {}, name="another", state="running"))
    assert ABTest.objects.count() == 1


def test_a_version_of_another_task_is_refused_in_words_also_when_the_task_is_changed(
    office: Client, candidate: Callable[..., ModelVersion]
) -> None:
    row = candidate("sentiment")
    words = "is no version of recommend."
    assert words in refused(office, form({"version": row.pk}, {}, task="recommend"))
    office.post(f"{TESTS}add/", form({"version": row.pk}))
    test = ABTest.objects.get()
    rows = [{"id": one.pk, "test": test.pk, "version": one.version_id or ""} for one in test.variants.all()]
    given = form(*rows, task="recommend") | {"variants-INITIAL_FORMS": len(rows)}
    assert words in refused(office, given, f"{test.pk}/change/")


def test_exposures_are_looked_at_and_not_edited(office: Client) -> None:
    test = ABTest.objects.create(name="which is better", task="sentiment")
    variant = test.variants.create(name="new")
    row = Exposure.objects.create(test=test, variant=variant, user_id=4711, prediction_id=uuid7())
    page = office.get(EXPOSURES, {"q": "4711"}).content.decode()
    assert str(row.prediction_id) in page
    assert str(row.prediction_id) not in office.get(EXPOSURES, {"q": "47"}).content.decode()
    assert office.get(EXPOSURES, {"q": "nobody"}).status_code == 200
    assert office.get(f"{EXPOSURES}add/").status_code == 403
    assert office.post(f"{EXPOSURES}{row.pk}/change/", {"user_id": 1}).status_code == 403
    assert office.post(f"{EXPOSURES}{row.pk}/delete/", {"post": "yes"}).status_code == 403
