"""In the admin a test is started, paused and stopped, and its winner promoted, by who may, from a page that asks why;
what cannot be done is said in words.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from experiments import ab_tests
from experiments.models import ABTest, Promotion
from experiments.registry import live_version
from tests.concurrency import at_once
from tests.experiments.admin_forms import at, said
from tests.experiments.conftest import Drafted, Version, may

STEPS = {
    "start": {"draft", "paused"},
    "pause": {"running"},
    "stop": {"running", "paused"},
    "promote-winner": {"stopped"},
}  # and the states in which each can be taken
LEADS_TO = {"start": "running", "pause": "paused", "stop": "stopped"}


@pytest.fixture
def in_state(promoted: Version, drafted: Drafted) -> Callable[..., ABTest]:
    """`in_state("paused")`: a test of a task that has a live version."""
    promoted()

    def make(state: str, **facts: Any) -> ABTest:
        test = drafted(**facts)
        ABTest.objects.filter(pk=test.pk).update(state=state)
        return test

    return make


@pytest.fixture
def stopped(reviewed: None, promoted: Version, version: Version, drafted: Drafted) -> ABTest:
    """Of the live version, a better one and a worse one."""
    promoted(score=0.7)
    version(score=0.8)
    version(score=0.6)
    test = drafted({"name": "live"}, {"name": "better", "version": 2}, {"name": "worse", "version": 3})
    ABTest.objects.filter(pk=test.pk).update(state="stopped")
    return test


def offered(client: Client, test: ABTest) -> set[str]:
    """The steps that the page of the test has a button for."""
    page = client.get(at(test)).content.decode()
    return {step for step in STEPS if f'href="{at(test, step)}"' in page}


@pytest.mark.parametrize("state", ["draft", "running", "paused", "stopped"])
def test_a_step_is_offered_where_the_state_allows_it(
    office: Client, in_state: Callable[..., ABTest], state: str
) -> None:
    test = in_state(state)
    assert offered(office, test) == {step for step, states in STEPS.items() if state in states}
    assert f'href="{at(test, "results")}"' in office.get(at(test)).content.decode()


@pytest.mark.parametrize("step", LEADS_TO)
def test_a_page_asks_why_before_the_step_is_taken(office: Client, in_state: Callable[..., ABTest], step: str) -> None:
    test = in_state(min(STEPS[step]))
    page = office.get(at(test, step))
    assert page.status_code == 200 and b'name="reason"' in page.content
    assert ABTest.objects.get().state == min(STEPS[step])
    assert said(office, at(test, step), {"reason": "so it is"}) == [f"which is better is {LEADS_TO[step]}."]
    assert ABTest.objects.get().state == LEADS_TO[step]
    done = test.actions.first()
    assert (done.action, done.reason, done.by.username) == (step, "so it is", "boss")


@pytest.mark.parametrize("step", LEADS_TO)
@pytest.mark.parametrize("state", ["draft", "running", "paused", "stopped"])
def test_a_step_out_of_order_is_refused_in_words(
    office: Client, in_state: Callable[..., ABTest], state: str, step: str
) -> None:
    test = in_state(state)
    if state in STEPS[step]:
        return
    [words] = said(office, at(test, step))
    assert words.startswith(f"which is better is {state}, and only a ")
    assert ABTest.objects.get().state == state
    assert test.actions.count() == 1


def test_why_is_asked_and_need_not_be_said(office: Client, in_state: Callable[..., ABTest]) -> None:
    test = in_state("running")
    page = office.post(at(test, "pause"), {"reason": "x" * 1_001})
    assert "at most 1000 characters" in page.content.decode()
    assert ABTest.objects.get().state == "running"
    assert said(office, at(test, "pause")) == ["which is better is paused."]
    assert test.actions.first().reason == ""


def test_what_keeps_a_test_from_starting_is_said(office: Client, in_state: Callable[..., ABTest]) -> None:
    one, other = in_state("draft"), in_state("draft", name="another", planned_users=None)
    [words] = said(office, at(other, "start"))
    assert words.startswith("It cannot be planned, so give it.")
    assert said(office, at(one, "start")) == ["which is better is running."]
    ABTest.objects.filter(pk=other.pk).update(planned_users=100)
    assert said(office, at(other, "start")) == [
        "another cannot be started: another test of sentiment, which is better, is running."
    ]
    assert ABTest.objects.get(name="another").state == "draft"


def test_only_a_post_with_the_token_of_the_page_acts(
    office: Client, in_state: Callable[..., ABTest], django_user_model: Any
) -> None:
    test = in_state("running")
    for method in ("get", "head"):
        getattr(office, method)(at(test, "stop"), {"reason": "x"})
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(django_user_model.objects.get(username="boss"))
    assert strict.post(at(test, "stop"), {"reason": "x"}).status_code == 403
    assert ABTest.objects.get().state == "running"


def test_it_takes_the_permission_to_run_tests(staff: APIClient, in_state: Callable[..., ABTest]) -> None:
    test, client = in_state("running"), Client()
    client.force_login(may(staff, "view_abtest", "change_abtest", "change_modelversion").user)
    assert offered(client, test) == set()
    for step in STEPS:
        assert client.get(at(test, step)).status_code == client.post(at(test, step)).status_code == 403
    assert ABTest.objects.get().state == "running"
    staff.user.user_permissions.clear()
    client.force_login(may(staff, "view_abtest", "run_abtest").user)
    assert offered(client, test) == {"pause", "stop"}
    assert said(client, at(test, "pause")) == ["which is better is paused."]
    assert test.actions.first().by == staff.user


def test_customers_and_visitors_take_no_step(alice: APIClient, in_state: Callable[..., ABTest]) -> None:
    test, client = in_state("running"), Client()
    may(alice, "view_abtest", "run_abtest")
    for _ in range(2):
        assert client.post(at(test, "stop")).url.startswith("/admin/login/")
        client.force_login(alice.user)
    assert ABTest.objects.get().state == "running"


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_the_second_is_told_so(
    office: Client, in_state: Callable[..., ABTest], django_user_model: Any
) -> None:
    test, other = in_state("running"), Client()
    other.force_login(django_user_model.objects.get(username="boss"))
    at_once(*[partial(client.post, at(test, "pause")) for client in (office, other)])
    found = [str(one) for client in (office, other) for one in client.get(at(test)).context["messages"]]
    assert sorted(found) == [
        "which is better is paused, and only a running test can be paused.",
        "which is better is paused.",
    ]
    assert [one.action for one in test.actions.all()] == ["pause", "create"]


def test_the_winner_is_chosen_among_the_variants_with_a_version(office: Client, stopped: ABTest) -> None:
    page = office.get(at(stopped, "promote-winner"))
    choices = page.context["form"].fields["variant"].choices
    assert choices == [("better", "better: sentiment 2 (scripted)"), ("worse", "worse: sentiment 3 (scripted)")]
    given = {"variant": "better", "reason": "it won"}
    stopped.variants.filter(name="better").update(config={"title": "x"})
    words = "sentiment 2 (scripted) is live. Have title set where it is asked, as the config says."
    assert said(office, at(stopped, "promote-winner"), given) == [words]
    live, done = live_version("sentiment"), stopped.actions.first()
    assert live and live.version == 2
    assert (done.action, done.reason, done.by.username) == ("promote", "it won", "boss")
    assert Promotion.objects.first().by.username == "boss"


def test_the_gate_says_why_it_refuses_a_winner(office: Client, stopped: ABTest) -> None:
    [words] = said(office, at(stopped, "promote-winner"), {"variant": "worse"})
    assert "sentiment 3 is worse than the live version 1" in words
    live = live_version("sentiment")
    assert live and live.version == 1
    assert stopped.actions.count() == 1


@pytest.mark.parametrize("given", [{}, {"variant": "live"}, {"variant": "nobody"}, {"variant": "\0"}])
def test_another_winner_is_refused_beside_the_choice(office: Client, stopped: ABTest, given: dict[str, str]) -> None:
    page = office.post(at(stopped, "promote-winner"), given)
    assert page.status_code == 200 and page.context["form"].errors["variant"]
    assert not stopped.actions.filter(action="promote").exists()


def test_where_no_variant_has_a_version_there_is_none_to_promote(
    office: Client, in_state: Callable[..., ABTest]
) -> None:
    page = office.get(at(in_state("stopped"), "promote-winner")).content.decode()
    assert "No variant brings a version of its own" in page
    assert "</button>" not in page.split('id="step-title"')[1].split("</form>")[0]


def test_a_winner_of_a_test_that_is_not_stopped_is_refused(office: Client, stopped: ABTest) -> None:
    ABTest.objects.update(state="paused")
    [words] = said(office, at(stopped, "promote-winner"), {"variant": "better"})
    assert words == "which is better is paused, and only a stopped test has a winner."


def test_who_edits_while_a_test_is_stopped_is_told_so(office: Client, in_state: Callable[..., ABTest]) -> None:
    test = in_state("running")
    ab_tests.ab_test_stop(test_id=test.pk, by=None)
    assert said(office, at(test), {"traffic": "0.1"}) == ["A stopped test cannot be changed."]
