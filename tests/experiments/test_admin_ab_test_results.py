"""The results page of the admin: what the API answers as words, charts and tables, and the history of the test."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from experiments.models import ABTest
from experiments.results.metrics import METRICS
from experiments.results.summary import results_of
from experiments.results_page import page_of
from tests.experiments.admin_forms import TESTS, at
from tests.experiments.conftest import Drafted, may
from tests.experiments.experiment_rows import at as moment
from tests.experiments.experiment_rows import clicks, expose, prediction, started
from tests.experiments.reading import charts, row, words
from tests.experiments.shown_tests import lively, told
from tests.queries import pinned_queries

pytestmark = pytest.mark.django_db


def shown(client: Client, test: ABTest) -> str:
    answer = client.get(at(test, "results"))
    assert answer.status_code == 200
    return unescape(answer.content.decode()).split('<div class="abtest">')[1].rsplit("</section>", 1)[0]


def test_the_verdict_is_said_with_its_reason(office: Client) -> None:
    test = lively()
    page, results = words(shown(office, test)), results_of(test=test)
    assert results.verdict.word == "keep going"
    assert f"Verdict keep going {results.verdict.reason}" in page
    assert "The plan takes 300 users a group before there is a verdict." in page
    assert "The users are split as planned (p 1.000; an alarm is under 0.001)." in page
    assert "0 users (0 %) were answered by more than one variant" in page


def test_each_metric_has_its_figures_in_a_table(office: Client) -> None:
    test = lively()
    page = shown(office, test)
    table = "Figures of primary metric click_rate"
    assert row(page, table, "control") == ["control", "600", "25 %", *["-"] * 7]
    new = row(page, table, "new")
    lift = results_of(test=test).metrics[0].variants[1].relative
    assert lift
    assert new[:5] == ["new", "600", "40 %", "+15 points", "+60 %"]
    assert new[5] == f"{100 * lift.low:+.1f} % to {100 * lift.high:+.1f} %"
    assert new[6] == f"{100 * lift.sequential_low:+.1f} % to {100 * lift.sequential_high:+.1f} %"
    assert new[7:9] == ["under 0.001", "100.0 %"]
    assert words(page).count("CUPED takes 35.1 % of the variance") == 1
    slow = row(page, "Figures of guardrail, of which 20 % may be lost latency_p95", "new")
    assert slow[2:5] == ["25.2 ms", "+4 ms", "+18.9 %"]
    wrong = row(page, "Figures of guardrail, of which 1 point may be lost error_rate", "new")
    assert wrong[2:4] == ["2.5 %", "0 points"] and "points to" in wrong[6]
    assert "new: The control's mean is too near to 0 to divide by." in page


def test_latency_stands_beside_quality(office: Client) -> None:
    page = shown(office, lively())
    table = "Quality and latency of each variant"
    assert row(page, table, "control") == ["control", "25 %", "-", "117", "15.9 ms", "21.2 ms", "-"]
    assert row(page, table, "new") == ["new", "40 %", "+60 %", "117", "19.9 ms", "25.2 ms", "+18.9 %"]


def test_each_chart_says_in_words_what_it_shows_and_has_its_figures_in_a_table(office: Client) -> None:
    page = shown(office, lively("control", "new", "newer"))
    drawn = charts(page)
    assert [one.findtext("title") for one in drawn] == [
        *(f"{name}: {what} of each variant against control" for name, what in [
            ("click_rate", "relative lift"), ("clicks_per_user", "relative lift"), ("latency_p95", "relative lift"),
            ("error_rate", "difference"),
        ]),
        *(f"{name}: lift of click_rate over all users until each day" for name in ("new", "newer")),
        *(f"{name}: users by day" for name in ("control", "new", "newer")),
    ]  # fmt: skip
    ids = [one.get("id") for chart in drawn for one in chart.iter() if one.get("id")]
    assert len(ids) == len(set(ids)) == 2 * len(drawn)
    for chart in drawn:
        title, desc = chart.find("title"), chart.find("desc")
        assert title is not None and desc is not None
        assert chart.get("role") == "img" and chart.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
    assert [len(one.findall("circle")) for one in drawn[:4]] == [2] * 4
    assert [len(one.findall("rect")) for one in drawn[-3:]] == [10] * 3
    assert [len(one.findall("*[@class='bound']")) for one in drawn[:4]] == [0, 0, 1, 1]
    assert row(page, "Users by day and variant", "2026-03-11") == ["2026-03-11", "60", "60", "60"]
    assert page.count("<script") == 0


def test_every_table_scrolls_in_a_region_of_its_own(office: Client) -> None:
    test = lively()
    told(test, None)
    page = shown(office, test)
    regions = re.findall(r'<div class="scroll" role="region" tabindex="0" aria-label="([^"]+)">\s*<table', page)
    assert len(regions) == len(set(regions)) == page.count("<table") == 9


def test_the_history_says_who_did_what_and_why(office: Client, django_user_model: Any) -> None:
    test = lively()
    told(test, django_user_model.objects.get(username="boss"))
    page = shown(office, test)
    table = "What was done to the test"
    assert row(page, table, "2026-03-05 00:00") == [
        "2026-03-05 00:00", "pause", "a guardrail", "latency_p95 of new was 31.2 ms against 20.4 ms of control",
        "guardrails: bound 0.2, value 31.2, metric latency_p95, control 20.4, variant new",
    ]  # fmt: skip
    assert row(page, table, "2026-03-05 02:24")[2:] == [
        "boss", "room to breathe", "guardrails: none → bound 0.5, metric latency_p95",
    ]  # fmt: skip
    assert row(page, table, "2026-03-01")[1:4] == ["create", "boss", "the blend may be too shy"]
    assert office.get(at(test, "history")).url == f"{at(test, 'results')}#history"


def test_who_is_erased_is_no_guardrail(office: Client) -> None:
    test = started()
    test.actions.create(action="stop", at=moment(1))
    test.actions.create(action="pause", at=moment(2))
    page = shown(office, test)
    assert row(page, "What was done to the test", "2026-03-03")[2] == "nobody known"
    assert row(page, "What was done to the test", "2026-03-04")[2] == "nobody known"


def test_an_alarm_is_said_where_the_users_are_not_split_as_planned(office: Client) -> None:
    test = started()
    expose(test, "control", *range(400))
    expose(test, "new", *range(1000, 1200))
    page = words(shown(office, test))
    assert "Verdict broken" in page
    assert (
        "The users are not split as planned: such a split has p under 0.001 by chance. No figure can be trusted."
        in page
    )


def test_an_alarm_is_said_where_users_met_more_than_one_variant(office: Client) -> None:
    test = started()
    expose(test, "control", *range(50))
    expose(test, "new", *range(100, 150))
    for user in (1, 2):
        prediction(user, "control")
        prediction(user, "new")
    page = words(shown(office, test))
    assert "2 users (2 %) were answered by more than one variant, which is over 1 %. No figure can be trusted." in page


def test_a_draft_has_words_and_its_history_instead_of_results(office: Client, drafted: Drafted) -> None:
    page = words(shown(office, drafted()))
    assert "There are no results which is better is draft and served nobody two variants" in page
    assert "What was done" in page and "create" in page


def test_a_test_that_nobody_met_says_so(office: Client) -> None:
    page = shown(office, started())
    said = words(page)
    for one in ("Nobody was served a variant yet.", "The log has no predictions of the variants.",
                "There is no split to look at yet.", "There is nothing to draw yet.",
                "There is no lift of any day yet.", "new: A variant has fewer than two users.",
                "Nothing was done to this test yet."):  # fmt: skip
        assert one in said
    assert charts(page) == []


def test_a_metric_that_is_none_any_more_is_named(office: Client) -> None:
    page = words(shown(office, started(primary_metric="joy")))
    assert "which is better is judged by joy, which is no metric any more." in page


@pytest.mark.parametrize("metric", METRICS)
def test_any_metric_may_decide_and_be_a_guardrail(office: Client, metric: str) -> None:
    test = lively(primary_metric=metric, secondary_metrics=[], guardrails=[{"metric": metric, "bound": 0.1}])
    page = shown(office, test)
    assert f"Figures of primary metric {metric}" in page
    assert not re.search(r"\b(nan|inf|None)\b", words(page))


def test_names_are_shown_and_never_markup(office: Client) -> None:
    odd = "<script>alert(1)</script> & \"'{{ x }}"
    test = lively("control", odd)
    page = office.get(at(test, "results")).content.decode()
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page and "{{ x }}" in page


def test_staff_who_may_see_tests_read_it(staff: APIClient, drafted: Drafted) -> None:
    test, client = lively(), Client()
    client.force_login(may(staff, "run_abtest").user)
    assert client.get(at(test, "results")).status_code == 403
    client.force_login(may(staff, "view_abtest").user)
    assert "Verdict" in shown(client, test)
    assert at(test, "results") in client.get(at(test)).content.decode()
    assert at(test, "results") in client.get(TESTS).content.decode()


def test_the_page_costs_as_many_queries_however_much_there_is(office: Client, django_user_model: Any) -> None:
    test = lively()
    told(test, django_user_model.objects.get(username="boss"))
    shown(office, test)
    with pinned_queries("results page of an A/B test"):
        shown(office, test)


def test_where_no_relative_lift_is_known_the_difference_is_drawn() -> None:
    test = started()
    expose(test, "control", *range(100))
    expose(test, "new", *range(1000, 1100))
    clicks([1, 2, *range(1000, 1040)])
    primary = page_of(results_of(test=test)).metrics[0]
    assert primary.compared == "difference" and primary.forest
    assert primary.lines[1].lift == "-" and primary.lines[1].once.endswith(" points")
    assert primary.forest.ticks[0].text == "0 points"
