"""`manage.py check_drift` and the hourly job on real rows: what moved is found, what did not is not, what is too little
is said.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from experiments import drift_check
from experiments.drift_check import drift_check as check
from experiments.errors import Invalid, NotFound
from experiments.log_sample import Window
from experiments.models import DriftReport, ModelVersion, Prediction, Promotion
from experiments.tasks import check_drift, check_drift_hourly
from experiments.uuid7 import uuid7_time
from tests.concurrency import at_once
from tests.experiments.conftest import Version
from tests.experiments.logged import ago, predictions

WORDS = [
    "lamp",
    "kettle",
    "bright",
    "quiet",
    "lovely",
    "broke",
    "fits",
    "soft",
    "warm",
    "price",
    "seller",
    "quick",
    "slow",
]
RARE = ["firmware", "bluetooth", "router", "antenna", "charger", "battery", "adapter", "wireless"]
THEN = datetime(2026, 2, 3, tzinfo=UTC)
GERMAN = "Die Lampe ist hell und gut verarbeitet, aber das Kabel ist leider viel zu kurz."


def texts(count: int, *, seed: int, words: Sequence[str] = WORDS, length: int = 14) -> list[str]:
    draw = np.random.default_rng(seed)
    return [" ".join(["This is the", *draw.choice(words, 1 + draw.poisson(length))]) for _ in range(count)]


def logged(said: Sequence[str], *, start: datetime, end: datetime, seed: int = 0, **facts: Any) -> list[Prediction]:
    positive = np.random.default_rng(seed).beta(4, 2, len(said))
    outputs = [
        {"sentiment": "positive" if one >= 0.5 else "negative", "confidence": max(one, 1 - one),
         "scores": {"positive": one, "negative": 1 - one}}
        for one in positive.tolist()
    ]  # fmt: skip
    return predictions([{"text": text, "title": ""} for text in said], outputs, start=start, end=end, **facts)


@pytest.fixture(autouse=True)
def few_are_embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too few to be judged: the network takes its time."""
    monkeypatch.setattr("experiments.drift.columns.MOST_EMBEDDED", 5)


@pytest.fixture
def enough_are_embedded(few_are_embedded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.drift.columns.MOST_EMBEDDED", 100)


@pytest.fixture
def served(promoted: Version) -> ModelVersion:
    """A version of sentiment that is live for ten days and was asked 400 times on the first two."""
    row = promoted()
    Promotion.objects.update(at=ago(days=10))
    logged(texts(400, seed=1), start=ago(days=10), end=ago(days=8), seed=1)
    return row


def now(said: Sequence[str], seed: int = 2, **facts: Any) -> list[Prediction]:
    return logged(said, start=ago(hours=23), end=ago(minutes=1), seed=seed, **facts)


def drifted(report: DriftReport) -> list[str]:
    return [one["name"] for one in report.features if one["drifted"]]


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("check_drift", *arguments, stdout=out, no_color=True)
    return out.getvalue()


def test_the_same_as_before_is_no_drift_and_the_report_says_what_was_compared(
    served: ModelVersion, enough_are_embedded: None
) -> None:
    first = uuid7_time(Prediction.objects.order_by("id").first().pk)
    now(texts(300, seed=2))
    report = DriftReport.objects.get(pk=check(task="sentiment").pk)
    assert (report.version, report.drifted, report.note) == (1, 0, "")
    assert (report.reference_rows, report.current_rows) == (400, 300)
    assert report.reference_from == first
    assert report.reference_to == first + timedelta(days=7)
    assert report.current_to - report.current_from == timedelta(days=1)
    assert {one["name"]: one["method"] for one in report.features} == {
        "input.text.words": "kolmogorov_smirnov",
        "input.text.new_words": "z",  # there are no new words at all
        "input.text.language": "z",
        "input.text.embedding": "mean_distance",
        "input.title": "z",
        "output.sentiment": "z",
        "output.confidence": "kolmogorov_smirnov",
        "output.scores.positive": "kolmogorov_smirnov",
        "output.scores.negative": "kolmogorov_smirnov",
    }


@pytest.mark.parametrize(
    ("current", "found"),
    [
        (texts(300, seed=2, length=30), {"input.text.words"}),
        (texts(300, seed=2, words=[*WORDS, *RARE]), {"input.text.new_words", "input.text.embedding"}),
        (
            [*texts(240, seed=2), *[GERMAN] * 60],
            {"input.text.new_words", "input.text.language", "input.text.embedding"},
        ),
    ],
    ids=["longer", "other words", "another language"],
)
def test_other_texts_are_drift_and_by_what(
    served: ModelVersion, enough_are_embedded: None, current: list[str], found: set[str]
) -> None:
    now(current)
    assert found <= set(drifted(check(task="sentiment")))


def test_other_answers_to_the_same_are_drift(served: ModelVersion) -> None:
    rows = now(texts(300, seed=2))
    answer = {"sentiment": "negative", "confidence": 0.9, "scores": {"positive": 0.1, "negative": 0.9}}
    Prediction.objects.filter(pk__in=[row.pk for row in rows[:100]]).update(output=answer)
    found = drifted(check(task="sentiment"))
    assert {"output.sentiment", "output.scores.positive"} <= set(found)
    assert not [name for name in found if name.startswith("input.")]


def test_failures_stand_ins_and_other_versions_do_not_count(served: ModelVersion) -> None:
    now(texts(300, seed=2))
    for facts in ({"status": "error"}, {"status": "fallback"}, {"version": 2}, {"task": "summary"}):
        now([GERMAN] * 200, **facts)
    report = check(task="sentiment")
    assert (report.current_rows, report.drifted) == (300, 0)


def test_too_few_predictions_are_said_in_words(served: ModelVersion) -> None:
    now(texts(99, seed=2))
    report = check(task="sentiment")
    assert report.note == "Too few predictions: 400 in the reference, 99 now; at least 100 are needed in each."
    assert (report.features, report.drifted, report.current_rows) == ([], 0, 99)
    assert report.note in said("sentiment")


def test_a_version_that_nobody_asked_is_said_too(promoted: Version) -> None:
    promoted()
    Promotion.objects.update(at=ago(days=3))
    assert check(task="sentiment").note.startswith("Too few predictions: 0 in the reference, 0 now")


def test_a_version_that_is_too_young_is_compared_with_nothing_yet(promoted: Version) -> None:
    promoted()
    Promotion.objects.update(at=ago(hours=30))
    logged(texts(600, seed=1), start=ago(hours=30), end=ago(minutes=1))
    report = check(task="sentiment")
    assert report.note.startswith("The version is too young: two windows of 24 hours are there from ")
    assert report.features == []
    assert check(task="sentiment", current=timedelta(hours=12)).note == ""


def test_the_reference_begins_anew_with_each_promotion_and_where_the_log_does(served: ModelVersion) -> None:
    logged([GERMAN] * 200, start=ago(days=5), end=ago(days=4))
    now([GERMAN] * 200)
    assert check(task="sentiment").drifted
    Promotion.objects.update(at=ago(days=6))
    report = check(task="sentiment")
    assert report.reference_from == uuid7_time(Prediction.objects.filter(input__text=GERMAN).order_by("id").first().pk)
    assert report.drifted == 0


def test_the_reference_moves_along_with_the_texts_that_the_log_still_has(served: ModelVersion, settings: Any) -> None:
    logged(texts(200, seed=3, length=40), start=ago(days=5.9), end=ago(days=4))
    now(texts(200, seed=4, length=40))
    assert check(task="sentiment").drifted
    settings.PREDICTION_TEXT_DAYS = 6
    report = check(task="sentiment")
    assert (report.drifted, report.reference_rows) == (0, 200)
    assert report.reference_from > ago(days=7)
    settings.PREDICTION_TEXT_DAYS = 1  # no day before the current one has any
    assert check(task="sentiment").reference_from < ago(days=9)
    settings.PREDICTION_TEXT_DAYS = 0  # for ever
    assert check(task="sentiment").reference_from < ago(days=9)


def test_texts_that_are_kept_for_twice_the_current_window_are_enough(served: ModelVersion, settings: Any) -> None:
    settings.PREDICTION_TEXT_DAYS = 2
    logged(texts(200, seed=3), start=ago(days=1.9), end=ago(days=1.1))
    now(texts(200, seed=4))
    report = check(task="sentiment")
    assert (report.note, report.reference_rows) == ("", 200)


def test_a_reference_may_be_named(served: ModelVersion) -> None:
    logged(texts(200, seed=3, length=40), start=ago(days=4), end=ago(days=3))
    now(texts(200, seed=4, length=40))
    assert check(task="sentiment").drifted
    report = check(task="sentiment", reference=Window(ago(days=5), ago(days=2)))
    assert (report.drifted, report.reference_rows) == (0, 200)


def test_rows_of_an_older_form_and_texts_that_were_let_go_of_are_left_out(served: ModelVersion) -> None:
    rows = now(texts(400, seed=2))
    ids = [row.pk for row in rows]
    Prediction.objects.filter(pk__in=ids[:350]).update(input={"text": {"sha256": "a", "characters": 3}}, output=None)
    found = {one["name"]: one for one in check(task="sentiment").features}
    assert found["input.text.words"]["missing"] == "Fewer than 100 values: 400 in the reference, 50 now."
    assert not any(one["drifted"] for one in found.values())


def test_a_task_without_a_live_version_and_one_that_is_none_are_refused(version: Version) -> None:
    version()
    with pytest.raises(NotFound, match="sentiment has no live version"):
        check(task="sentiment")
    with pytest.raises(CommandError, match="There is no task flavour"):
        said("flavour")
    assert DriftReport.objects.count() == 0


@pytest.mark.parametrize(("start", "end"), [(ago(days=3), ago(days=4)), (ago(days=3), ago(hours=1)), (THEN, THEN)])
def test_a_reference_that_ends_before_it_starts_or_within_the_current_window_is_refused(
    served: ModelVersion, start: datetime, end: datetime
) -> None:
    with pytest.raises(Invalid, match="The reference must end after it starts, and by "):
        check(task="sentiment", reference=Window(start, end))
    assert DriftReport.objects.count() == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--hours", "0"], "Expected over 0 and at most 2,160 hours"),
        (["--hours", "-3"], "Expected over 0"),
        (["--hours", "2161"], "at most 2,160 hours"),
        (["--hours", "nan"], "Expected over 0"),
        (["--hours", "1e300"], "Expected over 0"),
        (["--hours", "soon"], "invalid float value: 'soon'"),
        (["--reference-from", "yesterday"], "invalid ISO 8601 time value: 'yesterday'"),
        (["--reference-from", "9999-12-30"], "The reference must"),
        (["--reference-to", "0001-01-02"], "The reference must"),
        (["--reference-from", "0001-01-01T00:00+23:59"], "invalid ISO 8601 time value"),
        (["--reference-to", "2026-01-02", "--reference-from", "2026-01-02"], "The reference must end after it starts"),
    ],
)
def test_windows_that_cannot_be_are_refused_in_words(served: ModelVersion, arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        said("sentiment", *arguments)


def test_the_command_prints_a_table_and_its_exit_status_says_whether_something_drifted(served: ModelVersion) -> None:
    now(texts(300, seed=2))
    calm = said()
    assert calm.startswith("sentiment 1\n")
    assert "400 predictions read" in calm
    assert calm.endswith("0 of 9 features drifted; p is corrected for all of them\n")
    now(texts(300, seed=5, length=40))
    out = StringIO()
    with pytest.raises(CommandError, match="Drift in sentiment") as caught:
        call_command("check_drift", "sentiment", stdout=out, no_color=True)
    assert caught.value.returncode == 3
    [line] = [line for line in out.getvalue().splitlines() if "input.text.words" in line]
    assert "DRIFT, mean 1" in line


def test_as_json_the_command_prints_the_reports(served: ModelVersion) -> None:
    now(texts(300, seed=2))
    [report] = json.loads(said("sentiment", "--json", "--hours", "24"))
    assert report["task"] == "sentiment"
    assert len(report["features"]) == 9
    assert report["id"] == DriftReport.objects.get().pk
    assert json.loads(said("--json", "--reference-to", f"{ago(days=7):%Y-%m-%dT%H:%M}"))[0]["reference_rows"] == 400


@pytest.mark.django_db
def test_without_any_live_version_there_is_nothing_to_check() -> None:
    assert said() == ""
    assert said("--json") == "[]\n"


def test_the_hourly_job_checks_every_live_version_and_lets_old_reports_go(served: ModelVersion) -> None:
    now(texts(300, seed=2))
    old = check(task="sentiment")
    DriftReport.objects.filter(pk=old.pk).update(made_at=timezone.now() - timedelta(days=91))
    check_drift_hourly()
    assert not DriftReport.objects.exists()
    job = DBTaskResult.objects.get()
    assert (job.task_path, job.args_kwargs["args"]) == ("experiments.tasks.check_drift", ["sentiment"])
    assert check_drift.call("sentiment") == 0
    assert DriftReport.objects.get().features


@pytest.mark.django_db(transaction=True)
def test_two_checks_at_once_are_two_whole_reports(served: ModelVersion) -> None:
    now(texts(300, seed=2, length=40))
    found = at_once(*[lambda: check(task="sentiment").pk] * 2)
    reports = DriftReport.objects.filter(pk__in=found)
    assert len(reports) == 2
    assert [drifted(one) for one in reports] == [drifted(reports[0])] * 2 != [[], []]


def test_a_version_that_went_live_during_the_week_has_its_own_reference(
    served: ModelVersion, promoted: Version
) -> None:
    promoted()
    Promotion.objects.filter(to_version__version=2).update(at=ago(days=4))
    logged([GERMAN] * 300, start=ago(days=4), end=ago(minutes=1), version=2)
    report = check(task="sentiment")
    assert (report.version, report.drifted) == (2, 0)
    assert report.reference_rows + report.current_rows == pytest.approx(300, abs=1)


def test_staff_see_the_reports_in_the_admin(admin_client: Any, served: ModelVersion) -> None:
    now(texts(300, seed=2, length=40))
    report = check(task="sentiment")
    page = admin_client.get("/admin/experiments/driftreport/").content.decode()
    assert "input.text.words" in page
    assert admin_client.get(f"/admin/experiments/driftreport/{report.pk}/change/").status_code == 200
    assert admin_client.get("/admin/experiments/driftreport/add/").status_code == 403


def test_a_large_log_is_sampled(served: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experiments.log_sample.MOST", 150)
    now(texts(300, seed=2))
    report = check(task="sentiment")
    assert (report.reference_rows, report.current_rows) == (150, 150)


def test_moments_without_a_zone_are_utc() -> None:
    from experiments.management.commands.check_drift import _moment

    assert _moment("2026-11-01") == datetime(2026, 11, 1, tzinfo=UTC)
    assert _moment("2026-11-01T12:00+02:00") == datetime(2026, 11, 1, 10, tzinfo=UTC)


def test_a_report_is_kept_for_three_months() -> None:
    assert timedelta(days=90) == drift_check.KEPT_FOR
