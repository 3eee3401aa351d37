"""A/B tests are made and changed in the admin as far as their state allows; what could not be served is refused in
words, beside its field, and the history has who did it and why.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from experiments import ab_tests
from experiments.models import ABTest, Exposure, ModelVersion
from experiments.uuid7 import uuid7
from tests.experiments.admin_forms import TESTS, at, made, opened, refused, said
from tests.experiments.conftest import Drafted, may
from tests.experiments.experiment_rows import expose, started
from tests.queries import pinned_queries

ADD = f"{TESTS}add/"
EXPOSURES = "/admin/experiments/exposure/"
GUARDRAILS = "latency_p95 0.2\n\n error_rate  0.01 "


def change(office: Client, test: ABTest, **changes: Any) -> ABTest:
    """As the form does that was opened just now."""
    answer = office.post(at(test), opened(office, at(test)) | changes)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    return ABTest.objects.get(pk=test.pk)


def logged_in(staff: APIClient, *permissions: str) -> Client:
    """One of the staff who may do this and no more."""
    client = Client()
    client.force_login(may(staff, *permissions).user)
    return client


def test_a_test_is_made_with_its_variants(office: Client, candidate: Callable[..., ModelVersion]) -> None:
    row = candidate("sentiment")
    given = made(
        office, {"name": "now"}, {"name": "new", "weight": "3", "version": 1, "config": '{"title": "So good"}'},
        hypothesis="It helps.", traffic="0.5", secondary_metrics=["cart_rate", "hit_rate"], guardrails=GUARDRAILS,
        signed_up_before_0="2026-01-31", signed_up_before_1="12:00", reason="to see",
    )  # fmt: skip
    assert office.post(ADD, given).status_code == 302
    test = ABTest.objects.get()
    assert (test.name, test.task, test.state, test.traffic) == ("which is better", "sentiment", "draft", 0.5)
    assert (test.hypothesis, test.primary_metric, test.planned_users) == ("It helps.", "click_rate", None)
    assert test.secondary_metrics == ["cart_rate", "hit_rate"]
    assert test.guardrails == [{"metric": "latency_p95", "bound": 0.2}, {"metric": "error_rate", "bound": 0.01}]
    assert f"{test.signed_up_before:%Y-%m-%d %H:%M}" == "2026-01-31 12:00"
    assert list(test.variants.values_list("name", "weight", "version", "config")) == [
        ("now", 1.0, None, {}),
        ("new", 3.0, row.pk, {"title": "So good"}),
    ]
    done = test.actions.get()
    assert (done.action, done.reason, done.by.username) == ("create", "to see", "boss")


@pytest.mark.parametrize(
    ("variant", "facts", "field", "words"),
    [
        ({}, {"task": "flavour"}, "task", "flavour is not one of the available choices"),
        ({}, {"task": ""}, "task", "This field is required"),
        ({}, {"name": ""}, "name", "This field is required"),
        ({}, {"name": "x" * 65}, "name", "at most 64 characters"),
        ({}, {"traffic": "1.5"}, "", "The share of the users is 0 to 1."),
        ({}, {"traffic": "nan"}, "traffic", "Enter a number."),
        ({}, {"window_days": "91"}, "", "Outcomes count 1 to 90 days long."),
        ({}, {"smallest_effect": "0"}, "smallest_effect", "Expected 0.0001 to 100."),
        ({}, {"planned_users": "1"}, "", "Two users a group are the fewest that can be compared."),
        ({}, {"planned_users": str(2**40)}, "planned_users", "less than or equal to 2147483647"),
        ({}, {"primary_metric": "joy"}, "primary_metric", "joy is not one of the available choices"),
        ({}, {"secondary_metrics": ["joy"]}, "secondary_metrics", "joy is not one of the available choices"),
        ({}, {"guardrails": "joy 1"}, "guardrails", "There is no metric joy. Known are: click_rate, "),
        ({}, {"guardrails": "latency_p95"}, "guardrails", "“latency_p95” is no metric and its bound, 0 to 10"),
        ({}, {"guardrails": "latency_p95 11"}, "guardrails", "each bound 0 to 10"),
        ({}, {"guardrails": "latency_p95 nan"}, "guardrails", "each bound 0 to 10"),
        ({}, {"guardrails": "error_rate 1\nerror_rate 2"}, "guardrails", "A metric is named twice."),
        ({}, {"signed_up_before_0": "yesterday"}, "signed_up_before", "Enter a valid date."),
        ({}, {"reason": "x" * 1_001}, "reason", "at most 1000 characters"),
        ({"weight": "0"}, {}, "variants-0-weight", "Expected 0.001 to 1000."),
        ({"weight": "inf"}, {}, "variants-0-weight", "Enter a number."),
        ({"name": "variant 1"}, {}, "variants", "duplicate"),
        ({"version": "7"}, {}, "variants-0-version", "sentiment has no version 7."),
        ({"version": "0"}, {}, "variants-0-version", "greater than or equal to 1"),
        ({"config": "{"}, {}, "variants-0-config", "Enter valid JSON."),
        ({"config": "[]"}, {}, "variants-0-config", "config: expected an object."),
        ({"config": '{"tilte": "x"}'}, {}, "variants-0-config", "config: there is no tilte. Known are: text, title."),
        ({"config": '{"title": NaN}'}, {}, "variants-0-config", "config.title: nan is no str."),
        ({"config": r'{"title": "\u0000"}'}, {}, "variants-0-config", "config.title: "),
    ],
    ids=str,
)
def test_what_could_not_be_served_is_refused_in_words(
    office: Client, variant: dict[str, Any], facts: dict[str, Any], field: str, words: str
) -> None:
    found = refused(office, ADD, made(office, variant, {}, **facts))
    said_there = found.get(field) or found[f"{field}-__all__"]
    assert words in said_there
    assert not ABTest.objects.exists()


def test_a_config_that_is_too_deep_to_read_is_refused(office: Client) -> None:
    found = refused(office, ADD, made(office, {"config": "[" * 100_000}, {}))
    assert found == {"variants-0-config": "Enter valid JSON."}


def test_a_name_is_given_once(office: Client, drafted: Drafted) -> None:
    drafted()
    assert "already exists" in refused(office, ADD, made(office))["name"]
    assert ABTest.objects.count() == 1


def test_more_than_ten_variants_are_refused(office: Client) -> None:
    assert "at most 10" in refused(office, ADD, made(office, *[{}] * 11))["variants"]


def test_anything_of_a_draft_is_changed_and_what_was_not_touched_stays(office: Client, drafted: Drafted) -> None:
    test = drafted({"name": "a"}, {"name": "b", "config": {"title": "x"}}, guardrails=[])
    changed = change(
        office, test, task="summary", traffic="0.25", guardrails="fallback_rate 0.02", reason="another idea",
        **{"variants-1-config": "", "variants-0-weight": "2"},
    )  # fmt: skip
    assert (changed.task, changed.traffic) == ("summary", 0.25)
    assert changed.guardrails == [{"metric": "fallback_rate", "bound": 0.02}]
    assert (changed.name, changed.planned_users, changed.salt) == (test.name, 100, test.salt)
    assert list(changed.variants.values_list("name", "weight", "config")) == [("a", 2.0, {}), ("b", 1.0, {})]
    done = changed.actions.first()
    assert (done.action, done.reason, done.by.username) == ("edit", "another idea", "boss")
    assert set(done.facts) == {"task", "traffic", "guardrails", "variants"}


def test_a_variant_of_a_draft_is_taken_out_and_another_one_comes(office: Client, drafted: Drafted) -> None:
    test = drafted()
    new = {"variants-2-name": "c", "variants-2-weight": "1", "variants-2-version": "", "variants-2-config": ""}
    changed = change(office, test, **{"variants-0-DELETE": "on", "variants-TOTAL_FORMS": 3, **new})
    assert list(changed.variants.values_list("name", flat=True)) == ["b", "c"]


def test_saving_without_a_change_leaves_no_trace(office: Client, drafted: Drafted) -> None:
    test = drafted({"name": "a"}, {"name": "b", "weight": 2.5}, guardrails=[{"metric": "latency_p95", "bound": 0.1}])
    rows = list(test.variants.values_list("pk", flat=True))
    assert list(change(office, test).variants.values_list("pk", flat=True)) == rows
    assert test.actions.count() == 1


@pytest.mark.parametrize("state", ["running", "paused"])
def test_of_a_test_with_users_only_what_moves_none_of_them_can_be_changed(
    office: Client, drafted: Drafted, candidate: Callable[..., ModelVersion], state: str
) -> None:
    candidate("sentiment")
    test = drafted({"name": "a", "config": {"title": "x"}}, {"name": "b", "version": 1})
    ABTest.objects.filter(pk=test.pk).update(state=state)
    editable = set(opened(office, at(test)))
    assert {"hypothesis", "traffic", "secondary_metrics", "guardrails", "guardrail_minutes"} <= editable
    assert {"name", "task", "audience", "primary_metric", "smallest_effect", "planned_users"}.isdisjoint(editable)
    assert "variants-0-weight" in editable and "variants-0-config" not in editable
    changed = change(
        office, test, traffic="0.5", secondary_metrics=["cart_rate"], hypothesis="b wins", name="another",
        **{"variants-1-weight": "4", "variants-1-name": "c", "variants-0-DELETE": "on"},
    )  # fmt: skip
    assert (changed.traffic, changed.hypothesis, changed.name) == (0.5, "b wins", "which is better")
    assert list(changed.variants.values_list("name", "weight", "config")) == [
        ("a", 1.0, {"title": "x"}),
        ("b", 4.0, {}),
    ]
    assert changed.actions.first().facts["weights"] == {"a": 1.0, "b": 4.0}


def test_a_stopped_test_is_looked_at_and_not_changed(office: Client, drafted: Drafted) -> None:
    test = drafted()
    given = opened(office, at(test)) | {"name": "another"}
    ABTest.objects.update(state="stopped")
    assert office.get(at(test)).status_code == 200
    assert said(office, at(test), given) == ["A stopped test cannot be changed."]
    assert ABTest.objects.get().name == "which is better"


@pytest.mark.parametrize("state", ["running", "paused", "stopped"])
def test_only_a_draft_is_deleted(office: Client, drafted: Drafted, state: str) -> None:
    test = drafted()
    ABTest.objects.update(state=state)
    assert "Delete A/B test" not in office.get(at(test)).content.decode()
    assert said(office, at(test, "delete"), {"post": "yes"}) == ["Only a draft test can be deleted."]
    ABTest.objects.update(state="draft")
    assert "Delete A/B test" in office.get(at(test)).content.decode()
    assert office.post(at(test, "delete"), {"post": "yes"}).status_code == 302
    assert not ABTest.objects.exists()


def test_who_opened_the_page_before_somebody_else_changed_the_test_is_told_so(
    office: Client, drafted: Drafted, django_user_model: Any
) -> None:
    test = drafted()
    given = opened(office, at(test)) | {"hypothesis": "mine", "variants-0-weight": "9"}
    other = django_user_model.objects.create_user("tess", "tess@example.com", "correct horse battery")
    ab_tests.ab_test_edit(test_id=test.pk, by=other, hypothesis="theirs", variants=[{"name": "a"}, {"name": "c"}])
    assert "Since you opened this page: edit by tess." in refused(office, at(test), given)[""]
    test.refresh_from_db()
    assert test.hypothesis == "theirs"
    assert list(test.variants.values_list("name", "weight")) == [("a", 1.0), ("c", 1.0)]


def test_what_a_guardrail_did_meanwhile_is_told_too(office: Client, drafted: Drafted) -> None:
    test = drafted()
    ABTest.objects.update(state="running")
    given = opened(office, at(test)) | {"traffic": "0.1"}
    ab_tests.ab_test_pause(test_id=test.pk, by=None, reason="too slow", facts={"guardrails": []})
    assert "pause by a guardrail" in refused(office, at(test), given)[""]
    assert ABTest.objects.get().traffic == 1.0


def test_a_version_of_another_task_is_refused_in_words_also_when_the_task_is_changed(
    office: Client, candidate: Callable[..., ModelVersion]
) -> None:
    candidate("sentiment")
    words = "recommend has no version 1."
    assert refused(office, ADD, made(office, {"version": 1}, {}, task="recommend"))["variants-0-version"] == words
    office.post(ADD, made(office, {"version": 1}, {}))
    path = at(ABTest.objects.get())
    assert words in refused(office, path, opened(office, path) | {"task": "recommend"})["variants-0-version"]


def test_each_page_takes_its_own_permission(staff: APIClient, drafted: Drafted) -> None:
    test = drafted()
    reader = logged_in(staff, "view_abtest")
    assert reader.get(TESTS).status_code == reader.get(at(test)).status_code == 200
    assert reader.get(ADD).status_code == reader.post(ADD, {"name": "x"}).status_code == 403
    assert reader.post(at(test), {"name": "x"}).status_code == 403
    assert reader.post(at(test, "delete"), {"post": "yes"}).status_code == 403
    changer = logged_in(staff, "change_abtest")
    assert change(changer, test, traffic="0.5").traffic == 0.5
    assert changer.post(ADD, {"name": "x"}).status_code == 403
    maker = logged_in(staff, "add_abtest")
    assert maker.post(ADD, made(maker, name="another")).status_code == 302
    assert set(ABTest.objects.values_list("name", flat=True)) == {"which is better", "another"}


def test_staff_without_a_permission_see_no_tests(staff: APIClient, drafted: Drafted) -> None:
    nobody = logged_in(staff)
    for path in (TESTS, at(drafted()), ADD):
        assert nobody.get(path).status_code == 403


def test_the_list_shows_each_test_at_a_glance(office: Client, drafted: Drafted) -> None:
    drafted(name="still a draft", traffic=0.25)
    for number in range(3):
        test = started(name=f"test {number}", state="paused")
        expose(test, "new", *range(number))
    office.get(TESTS)
    with pinned_queries("A/B tests in the admin"):
        page = office.get(TESTS).content.decode()
    rows = {row.split("</a>")[0].rsplit(">", 1)[-1].strip(): row for row in page.split('class="field-name')[1:]}
    draft, last = rows["still a draft"], rows["test 2"]
    assert "25 %" in draft and "draft" in draft
    assert all(words in last for words in ("recommend", "paused", "100 %", "March 2, 2026"))
    assert f'href="{at(test, "results")}"' in last
    assert _cell(last, "users") == "2" and _cell(draft, "users") == "0"


def test_a_page_of_a_test_that_is_not_there_leads_back(office: Client) -> None:
    for path in (at(999), at(999, "results"), at(999, "start"), f"{TESTS}abc/pause/", at(999, "history")):
        assert "exist. Perhaps it was deleted?" in office.get(path, follow=True).content.decode()


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


def _cell(row: str, field: str) -> str:
    return row.split(f'class="field-{field}')[1].split(">", 1)[1].split("<")[0].strip()
