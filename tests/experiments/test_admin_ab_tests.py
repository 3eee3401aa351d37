"""A/B tests are made in the admin; what could not be served is refused in words, beside its field."""

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
        "name": "which is better", "task": "sentiment", "traffic": "0.5", "audience": "everyone",
        "primary_metric": "click_rate", "secondary_metrics": "[]", "guardrails": "[]", "smallest_effect": "0.05",
        "window_days": "7", **facts,
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


@pytest.mark.parametrize(
    ("variant", "facts", "words"),
    [
        ({}, {"task": "flavour"}, "There is no such task. Known are: "),
        ({}, {"task": ""}, "This field is required"),
        ({}, {"traffic": "1.5"}, "The share of the users is 0 to 1."),
        ({}, {"traffic": "nan"}, "Enter a number."),
        ({}, {"window_days": "91"}, "Outcomes count 1 to 90 days long."),
        ({}, {"smallest_effect": "0"}, "The smallest effect is over 0 and at most 100."),
        ({}, {"planned_users": "1"}, "Two users a group are the fewest that can be compared."),
        ({}, {"primary_metric": "joy"}, "There is no metric joy. Known are: click_rate, "),
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


@pytest.mark.parametrize("state", ["running", "paused", "stopped"])
def test_what_is_no_draft_is_looked_at_and_not_edited(office: Client, state: str) -> None:
    office.post(f"{TESTS}add/", form({}, {}))
    ABTest.objects.update(state=state)
    test = ABTest.objects.get()
    assert office.get(f"{TESTS}{test.pk}/change/").status_code == 200
    assert office.post(f"{TESTS}{test.pk}/change/", form({}, {}, name="another")).status_code == 403
    assert office.post(f"{TESTS}{test.pk}/delete/", {"post": "yes"}).status_code == 403
    assert ABTest.objects.get().name == "which is better"


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
