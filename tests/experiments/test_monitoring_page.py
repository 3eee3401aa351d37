"""The monitoring page of the admin: who may see it, its windows, its states, and what it says of tasks and versions."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from experiments.models import ModelVersion, Promotion, QualityMeasure
from experiments.monitoring.summary import summary_of
from experiments.registry import version_rollback
from tests.experiments.conftest import Version, may
from tests.experiments.reading import charts, row, words
from tests.experiments.rolled import log, up_to
from tests.queries import pinned_queries

pytestmark = pytest.mark.django_db
PAGE = "/admin/monitoring/"
WINDOWS = ["1h", "24h", "7d", "30d"]
HOSTILE = "<script>alert(1)</script>'\"&"


def ago(**time: float) -> datetime:
    return timezone.now() - timedelta(**time)


def shown(client: Client, window: str = "24h", count: bool = True) -> str:
    """As HTML, entities resolved, after the worker counted."""
    if count:
        up_to(timezone.now())
    answer = client.get(PAGE, {"window": window})
    assert answer.status_code == 200
    return unescape(answer.content.decode()).split('<div class="abtest monitoring">')[1].rsplit("</section>", 1)[0]


def logged_in(client: APIClient) -> Client:
    found = Client()
    found.force_login(client.user)
    return found


def promotion_ago(number: int, to: int, **time: float) -> None:
    """Move the promotion of this number (from 1) and this version into the past."""
    pk = Promotion.objects.filter(to_version__version=to).order_by("at").values_list("pk", flat=True)[number - 1]
    Promotion.objects.filter(pk=pk).update(at=ago(**time))


def test_staff_who_may_look_at_predictions_see_it_and_nobody_else(
    client: Client, alice: APIClient, staff: APIClient
) -> None:
    assert logged_in(staff).get(PAGE).status_code == 403
    for who in (client, logged_in(alice), logged_in(may(alice, "view_prediction"))):
        answer = who.get(PAGE)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/?next=/admin/monitoring/")
    allowed = logged_in(may(staff, "view_prediction"))
    assert allowed.get(PAGE).status_code == 200
    assert allowed.post(PAGE).status_code == 405


def test_the_sidebar_leads_to_it_and_to_all_tables_that_one_may_see(office: Client, staff: APIClient) -> None:
    page = office.get("/admin/").content.decode()
    assert f'href="{PAGE}"' in page and 'href="/admin/experiments/prediction/"' in page
    assert 'href="/admin/reviews/product/"' in page and 'href="None"' not in page
    other = logged_in(may(staff, "view_abtest")).get("/admin/").content.decode()
    assert PAGE not in other and 'href="/admin/experiments/abtest/"' in other
    assert 'href="/admin/experiments/prediction/"' not in other


@pytest.mark.parametrize("window", WINDOWS)
def test_each_window_shows_what_was_asked_in_it(office: Client, window: str) -> None:
    log(ago(minutes=30), ago(hours=5), ago(days=3), ago(days=20))
    page = shown(office, window)
    assert row(page, "Tasks", "sentiment")[1] == str(WINDOWS.index(window) + 1)
    [chosen] = re.findall(r'<a href="\?window=(\w+)" aria-current="page">', page)
    assert chosen == window
    assert f"The last {window}" in words(page)


def test_without_a_window_it_is_a_day(office: Client) -> None:
    assert '<a href="?window=24h" aria-current="page">' in office.get(PAGE).content.decode()


@pytest.mark.parametrize("window", ["2h", "", "24H", "x" * 5_000, "\0", HOSTILE])
def test_a_window_that_is_none_is_said_with_a_way_back(office: Client, window: str) -> None:
    answer = office.get(PAGE, {"window": window})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "There is no such window" in page and "Expected one of 1h, 24h, 7d, 30d." in page
    assert 'href="?window=24h">Show the last 24h</a>' in page
    assert "<script>alert" not in page


def test_where_the_worker_never_ran_it_says_so(office: Client) -> None:
    log(ago(minutes=5))
    page = words(shown(office, count=False))
    assert "There are no figures yet: is the worker running?" in page
    assert "No version" not in page and "nothing was predicted" not in page


def test_a_live_version_is_there_before_anything_was_counted(office: Client, promoted: Version) -> None:
    promoted()
    page = shown(office, count=False)
    assert row(page, "Tasks", "sentiment")[1:6] == ["-", "-", "-", "-", "1"]
    assert "Live is version 1 (scripted) since" in words(page)
    assert "Nothing was counted of this time." in words(page)


def test_a_live_version_that_nobody_asked_has_no_requests(office: Client, promoted: Version) -> None:
    promoted()
    page = shown(office)
    assert row(page, "Tasks", "sentiment")[1:6] == ["0", "0", "-", "-", "1"]
    assert "Nothing was predicted in this time." in words(page)


def test_a_new_shop_has_an_empty_page(office: Client) -> None:
    page = words(shown(office))
    for text in (
        "No model is live, and nothing was predicted in this time.", "None is firing.", "None is running.",
        "No live version was compared yet.",
    ):  # fmt: skip
        assert text in page
    assert charts(page) == []
    assert "is the worker running" not in page


@pytest.mark.parametrize(("late", "said"), [({"minutes": 7}, "7 minutes"), ({"hours": 30}, "30 hours")])
def test_figures_that_lag_behind_are_said_to(office: Client, late: dict[str, float], said: str) -> None:
    log(ago(hours=31))
    until = ago(**late)
    up_to(until)
    page = words(shown(office, "7d", count=False))
    assert f"The figures end {said} ago, at {until:%Y-%m-%d %H:%M} UTC: is the worker running?" in page
    assert "Counted up to" not in page


def test_each_version_has_its_figures_in_a_table_and_the_task_those_of_all(office: Client, promoted: Version) -> None:
    promoted()
    when = ago(minutes=5)
    log(*[when] * 6, algorithm="scripted")
    log(*[when] * 2, algorithm="scripted", status="error")
    log(when, version=None, algorithm="trending", status="fallback")
    page = shown(office)
    live = row(page, "Versions of sentiment", "1 (scripted), live")
    assert live == ["1 (scripted), live", "8", live[2], "3 ms", "3 ms", "3 ms", "25 %", "0 %"]
    other = row(page, "Versions of sentiment", "none (trending)")
    assert other[1] == "1" and other[3:] == ["-", "-", "-", "-", "100 %"]
    task = row(page, "Tasks", "sentiment")
    assert task[1] == "9" and task[3:6] == ["25 %", "14.3 %", "1"] and task[7:] == ["3 ms"] * 3
    assert task[2] == f"{summary_of('24h', timezone.now()).tasks[0].counts.per_minute:.5f}".rstrip("0")


def test_of_many_versions_the_live_one_and_those_asked_most_have_charts(office: Client, promoted: Version) -> None:
    promoted()
    when = ago(minutes=5)
    log(when, algorithm="scripted")
    for version in range(2, 10):
        log(*[when] * version, version=version)
    page = shown(office)
    drawn = re.findall(r"<summary>Version (\d).*: charts and figures</summary>", page)
    assert drawn == ["1", "9", "8", "7", "6", "5"]
    assert "Charts are of the 6 versions above" in words(page)
    for version in range(2, 10):
        assert row(page, "Versions of sentiment", f"{version} (tfidf)")[1] == str(version)


def test_buckets_with_something_in_them_are_in_a_table_the_newest_first(office: Client) -> None:
    newer, older = ago(hours=1), ago(hours=3)
    log(older, older, confidence=0.97)
    log(newer, status="error")
    page = shown(office)
    found = re.findall(r'<th scope="row">(\d{4}-\d\d-\d\d \d\d:00)</th>', page)
    assert found == [f"{at:%Y-%m-%d %H:00}" for at in (newer, older)]
    table = "Figures of sentiment 1 (tfidf) over time"
    assert row(page, table, found[0])[1:] == ["1", "1", "0", "-", "-", "-"]
    assert row(page, table, found[1])[1:] == ["2", "0", "0", "3", "3", "3"]
    assert row(page, "Confidence of sentiment 1 (tfidf)", "0.95") == ["0.95 to 1", "2"]


def test_each_chart_says_in_words_what_it_shows(office: Client) -> None:
    log(ago(hours=3), ago(hours=1), confidence=0.97)
    log(ago(hours=1), status="error")
    log(ago(hours=1), task="price", version=4)
    drawn = charts(shown(office))
    of = "of sentiment 1 (tfidf)"
    assert [one.findtext("title") for one in drawn] == [
        "Latency of price 4 (tfidf)", "Requests of price 4 (tfidf)",
        f"Latency {of}", f"Requests {of}", f"Errors, and fallbacks upon them {of}", f"Confidence {of}",
    ]  # fmt: skip
    ids = [one.get("id") for chart in drawn for one in chart.iter() if one.get("id")]
    assert len(ids) == len(set(ids)) == 2 * len(drawn)
    for chart in drawn:
        title, desc = chart.find("title"), chart.find("desc")
        assert title is not None and desc is not None
        assert chart.get("role") == "img" and chart.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
    assert [one.get("class") for one in drawn[0].iter("path")] == ["p50", "p95", "p99"]


def test_promotions_are_marked_in_the_charts_and_told_in_a_table(office: Client, promoted: Version) -> None:
    promoted()
    promoted()
    version_rollback(task="sentiment")
    promotion_ago(1, 1, days=3)
    promotion_ago(1, 2, hours=14)
    promotion_ago(2, 1, hours=3)
    log(ago(hours=1), algorithm="scripted")
    log(ago(hours=6), algorithm="scripted", version=2)
    page = shown(office)
    drawn = charts(page)
    assert len(drawn) == 4
    for chart in drawn:
        marks = [float(str(one.get("x1")).rstrip("%")) for one in chart.iter("line") if one.get("class") == "promotion"]
        assert len(marks) == 2 and 40 < marks[0] < 60 < 75 < marks[1] < 90
        names = [one.text for one in chart.iter("text") if one.get("class") == "name"]
        assert names == ["to 2", "back to 1"]
        assert "Vertical lines are promotions." in str(chart.findtext("desc"))
    assert row(page, "Promotions of sentiment", f"{ago(hours=14):%Y-%m-%d %H}")[1] == "to 2, from 1"
    assert row(page, "Promotions of sentiment", f"{ago(hours=3):%Y-%m-%d %H}")[1] == "back to 1, from 2"


def test_what_rows_are_called_is_text_and_nothing_else(office: Client, promoted: Version) -> None:
    promoted()
    log(ago(minutes=5), algorithm=HOSTILE, version=3)
    log(ago(minutes=5), task=HOSTILE)
    up_to(timezone.now())
    raw = office.get(PAGE).content.decode().split('<div class="abtest monitoring">')[1]
    assert "<script>alert" not in raw
    assert raw.count("&lt;script&gt;alert(1)&lt;/script&gt;&#x27;&quot;&amp;") > 10
    for one in re.findall(r"<svg role.*?\n</svg>", raw, re.DOTALL):
        assert charts(one)


def measured(name: str, value: float, n: int, hours: float = 24, **facts: Any) -> None:
    now = timezone.now()
    QualityMeasure.objects.create(
        **{"task": "sentiment", "version": 1, "name": name, "value": value, "n": n, "window_end": now,
           "window_start": now - timedelta(hours=hours), **facts}
    )  # fmt: skip


def test_quality_measured_and_estimated_stand_beside_each_other(office: Client, promoted: Version) -> None:
    promoted()
    ends = timezone.now()
    same = {"window_end": ends, "window_start": ends - timedelta(hours=24)}
    measured("macro_f1", 0.861, 412, **same)
    measured("macro_f1", 0.874, 4_870, estimated=True, low=0.86, high=0.89, **same)
    measured("accuracy", 0.9, 5_000, hours=168, estimated=True)
    page = shown(office)
    both = row(page, "Quality of sentiment", "macro f1")
    assert both[:7] == ["macro f1", "1", "24 h", "0.861", "412", "0.874 (0.86 to 0.89)", "4,870"]
    assert row(page, "Quality of sentiment", "accuracy")[1:7] == ["1", "7 d", "-", "-", "0.9", "5,000"]


def test_where_nothing_is_estimated_there_is_no_column_for_it(office: Client) -> None:
    log(ago(minutes=5), task="recommend")
    measured("hit_rate", 0.183, 8_120, task="recommend")
    page = shown(office)
    assert row(page, "Quality of recommend", "hit rate")[:5] == ["hit rate", "1", "24 h", "0.183", "8,120"]
    assert "Estimated" not in words(page)


def test_every_table_scrolls_in_a_region_of_its_own(office: Client, promoted: Callable[..., ModelVersion]) -> None:
    promoted()
    log(ago(minutes=5), confidence=0.7)
    log(ago(minutes=5), version=2)
    log(ago(minutes=5), task="price")
    measured("accuracy", 0.9, 100)
    page = shown(office)
    regions = re.findall(r'<div class="scroll" role="region" tabindex="0" aria-label="([^"]+)">\s*<table', page)
    assert len(regions) == len(set(regions)) == page.count("<table") >= 10  # one more where requests were refused
    assert "<script" not in page


def test_it_takes_as_few_queries_however_much_there_is(office: Client, promoted: Version) -> None:
    office.get(PAGE)
    for window in WINDOWS:
        with pinned_queries("monitoring page"):
            office.get(PAGE, {"window": window})
    promoted()
    for number in range(5):
        log(ago(minutes=5), ago(days=2), version=number + 1)
        log(ago(minutes=5), ago(days=2), task=f"task {number}")
    up_to(timezone.now())
    for window in WINDOWS:
        with pinned_queries("monitoring page"):
            assert office.get(PAGE, {"window": window}).status_code == 200
