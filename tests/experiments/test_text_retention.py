"""Texts leave the log after PREDICTION_TEXT_DAYS: which ones, how far a run gets, and who still reads what is left."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from experiments import tasks as jobs
from experiments.discovery import tasks
from experiments.drift.fields import watched
from experiments.mltask import Digested, Image, Items, Text, to_json
from experiments.models import ModelVersion, Prediction, Watermark
from experiments.monitoring import text_retention
from experiments.monitoring.text_retention import texts_digest
from experiments.monitoring.texts import UNKNOWN, digest_texts, has_texts, texts_are_there
from experiments.registry import version_rollback
from experiments.schedule import jobs as scheduled_jobs
from mlbackend.checks import text_retention as check
from nlp.ml.entities import ENTITIES
from nlp.ml.sentiment import SENTIMENT
from nlp.ml.summary import SUMMARY
from recommendations.ml.recommend import RECOMMEND
from tests.concurrency import at_once
from tests.experiments.rolled import log, prediction

SECRET = "My name is Ada and the lamp broke"


def digest(text: str) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(text.encode()).hexdigest(), "characters": len(text)}


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def old(**facts: Any) -> Prediction:
    """A prediction of long ago with a text."""
    row = prediction(ago(100), **{"input": {"text": SECRET, "title": ""}, "output": {"sentiment": "negative"}, **facts})
    row.save(force_insert=True)
    return row


def run(now: datetime | None = None) -> int:
    return texts_digest(now=now or timezone.now())[0]


@dataclass(frozen=True)
class Said:
    words: Annotated[str, Text(max_length=50)]
    by: int


@dataclass(frozen=True)
class Asked:
    text: Annotated[str, Text(max_length=100)]
    mood: Literal["good", "bad"]
    said: Annotated[tuple[Said, ...], Items(max_length=9)] = ()
    by_name: dict[str, Said] | None = None
    title: Annotated[str, Text(max_length=9)] | None = None
    pair: tuple[Said, int] | None = None
    hidden: Annotated[str, Text(max_length=9), Digested()] = ""
    picture: Image | None = None
    plain: str = "stays"


def test_a_text_is_what_the_dataclass_marks_so_wherever_it_stands() -> None:
    logged = to_json(Asked(
        "one", "good", (Said("two", 2), Said("three", 3)), {"ada": Said("four", 4)}, "five", (Said("six", 6), 6),
        "seven", Image(b"picture"),
    ))  # fmt: skip
    before = to_json(Asked("one", "good", hidden="seven", picture=Image(b"picture")))
    assert digest_texts(Asked, logged)
    assert logged == {
        "text": digest("one"), "mood": "good",
        "said": [{"words": digest("two"), "by": 2}, {"words": digest("three"), "by": 3}],
        "by_name": {"ada": {"words": digest("four"), "by": 4}}, "title": digest("five"),
        "pair": [{"words": digest("six"), "by": 6}, 6], "hidden": before["hidden"], "picture": before["picture"],
        "plain": "stays",
    }  # fmt: skip
    assert not digest_texts(Asked, logged)


def test_fields_that_the_dataclass_no_longer_has_count_as_texts() -> None:
    logged = {"text": "one", "note": "two", "notes": ["three", {"a": "four"}], "count": 5, "flag": True, "none": None}
    digest_texts(Asked, logged)
    assert logged == {
        "text": digest("one"), "note": digest("two"), "notes": [digest("three"), {"a": digest("four")}], "count": 5,
        "flag": True, "none": None,
    }  # fmt: skip
    gone = {"words": "one", "n": 1, "picture": {"sha256": "0a", "bytes": 3}}
    digest_texts(UNKNOWN, gone)
    assert gone == {"words": digest("one"), "n": 1, "picture": {"sha256": "0a", "bytes": 3}}


@pytest.mark.parametrize("logged", [None, {}, [], {"said": None}, {"said": "no list"}, {"said": [1]}, {"text": 7}])
def test_rows_that_are_not_as_they_should_be_harm_nobody(logged: Any) -> None:
    digest_texts(Asked, logged)
    assert texts_are_there(Asked, logged) or logged == {"said": "no list"}


def test_tasks_without_texts_are_known_by_their_dataclasses() -> None:
    assert {name for name, task in tasks().items() if has_texts(task.input)} == {
        "sentiment", "entities", "summary", "review_summary", "price", "category"
    }  # fmt: skip
    assert not has_texts(RECOMMEND.input)
    assert has_texts(ENTITIES.output) and has_texts(SUMMARY.output) and not has_texts(SENTIMENT.output)


@pytest.mark.django_db
def test_texts_of_old_predictions_are_replaced_and_all_else_stays() -> None:
    row = old(user_id=7, confidence=0.9, request_id="r-1", status="fallback")
    before = Prediction.objects.values().get()
    assert run() == 1
    after = Prediction.objects.values().get()
    assert after.pop("input") == {"text": digest(SECRET), "title": digest("")}
    before.pop("input")
    assert after == before
    assert Prediction.objects.get() == row


@pytest.mark.django_db
def test_answers_that_quote_a_text_lose_the_quote() -> None:
    old(task="entities", input={"text": SECRET}, output={
        "entities": {"PER": [{"word": "Ada", "score": 0.9, "start": 11, "end": 14, "label": "PERSON"}]}
    })  # fmt: skip
    lengths = {"original_length": 8, "summary_length": 3, "method": "extractive"}
    old(task="summary", input={"text": SECRET, "max_length": 9}, output={"summary": "The lamp broke", **lengths})
    assert run() == 2
    summary, entities = Prediction.objects.order_by("-task")
    assert entities.output["entities"]["PER"] == [
        {"word": digest("Ada"), "score": 0.9, "start": 11, "end": 14, "label": "PERSON"}
    ]
    assert summary.output == {"summary": digest("The lamp broke"), **lengths}


@pytest.mark.django_db
def test_products_and_numbers_stay() -> None:
    given = {"history": [{"product": 3, "value": 4.5}], "n": 10}
    answer = {"products": [{"product": 5, "score": 0.5, "because": 3, "reason": "content"}], "method": "hybrid"}
    old(task="recommend", input=given, output=answer)
    old(task="price", input={"bedrooms": 2, "location": "98103"},
        output={"predicted_price": 1.5, "currency": "USD", "interval": [1, 2]})  # fmt: skip
    assert run() == 1
    price, recommend = Prediction.objects.order_by("task")
    assert (recommend.input, recommend.output) == (given, answer)
    assert price.input == {"bedrooms": 2, "location": digest("98103")}
    assert price.output == {"predicted_price": 1.5, "currency": "USD", "interval": [1, 2]}


@pytest.mark.django_db
def test_of_a_task_that_is_gone_every_string_counts_as_a_text() -> None:
    old(task="horoscope", input={"sign": "Leo", "year": 1990}, output={"says": "Beware"})
    assert run() == 1
    row = Prediction.objects.get()
    assert (row.input, row.output) == ({"sign": digest("Leo"), "year": 1990}, {"says": digest("Beware")})


@pytest.mark.django_db
def test_the_name_of_an_error_and_an_answer_that_is_missing_stay() -> None:
    old(status="error", output={"error": "ValueError"})
    old(output=None)
    assert run() == 2
    assert {str(row.output) for row in Prediction.objects.all()} == {"{'error': 'ValueError'}", "None"}
    assert Prediction.objects.filter(output=None).count() == 1


@pytest.mark.django_db
def test_younger_texts_stay_until_their_day_comes(settings: Any) -> None:
    settings.PREDICTION_TEXT_DAYS = 10
    for days in (9.9, 10.1):
        prediction(ago(days), input={"text": SECRET}).save(force_insert=True)
    assert run() == 1
    assert [isinstance(row.input["text"], str) for row in Prediction.objects.order_by("pk")] == [False, True]
    assert run(timezone.now() + timedelta(hours=3)) == 1


@pytest.mark.django_db
def test_with_0_days_texts_are_kept_for_ever(settings: Any) -> None:
    settings.PREDICTION_TEXT_DAYS = 0
    old()
    assert run() == 0
    assert Prediction.objects.get().input["text"] == SECRET
    settings.PREDICTION_TEXT_DAYS = 90
    assert run() == 1


@pytest.mark.django_db
def test_a_run_that_fails_in_between_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_retention, "BATCH", 10)
    log(*(ago(100 - number / 1_000) for number in range(35)), input={"text": SECRET})
    write, calls = text_retention._write, []

    def fail_at_the_third(rows: list[Prediction]) -> None:
        calls.append(len(rows))
        if len(calls) == 3:
            raise RuntimeError("the power is gone")
        write(rows)

    monkeypatch.setattr(text_retention, "_write", fail_at_the_third)
    with pytest.raises(RuntimeError):
        run()
    assert Prediction.objects.filter(input__text=SECRET).count() == 15
    monkeypatch.setattr(text_retention, "_write", write)
    assert run() == 15
    assert run() == 0


@pytest.mark.django_db
def test_a_run_ends_after_so_many_and_the_next_one_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_retention, "BATCH", 10)
    monkeypatch.setattr(text_retention, "MOST", 20)
    same = ago(100)
    log(*[same] * 25, input={"text": SECRET})  # all in one millisecond
    log(*[ago(95)] * 20, task="recommend")
    assert [run(), run(), run()] == [20, 5, 0]


@pytest.mark.django_db
def test_a_job_that_did_not_come_to_the_end_is_there_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_retention, "BATCH", 10)
    monkeypatch.setattr(text_retention, "MOST", 20)
    log(*[ago(100)] * 25, input={"text": SECRET})
    assert jobs.digest_texts.call() == 20
    assert DBTaskResult.objects.get().task_path == "experiments.tasks.digest_texts"
    assert jobs.digest_texts.call() == 5
    assert DBTaskResult.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_each_prediction_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_retention, "BATCH", 7)
    log(*(ago(100 - number / 1_000) for number in range(100)), input={"text": SECRET})
    assert sum(at_once(*[run] * 4)) == 100
    assert not Prediction.objects.filter(input__text=SECRET).exists()


@pytest.mark.django_db
def test_the_worker_does_it_every_hour() -> None:
    assert scheduled_jobs()["experiments.tasks.digest_texts_hourly"].every == timedelta(hours=1)
    old()
    assert jobs.digest_texts.call() == 1


@pytest.mark.django_db
def test_a_rollback_leaves_out_inputs_whose_texts_are_gone(promoted: Callable[..., ModelVersion]) -> None:
    first, _ = promoted(), promoted()
    for days in (100, 99):
        prediction(ago(days), input={"text": SECRET, "title": ""}, version=2).save(force_insert=True)
    prediction(ago(1), input={"text": SECRET, "title": ""}, version=2).save(force_insert=True)
    run()
    assert version_rollback(task="sentiment").to_version == first


def test_drift_sees_no_text_where_there_is_a_digest() -> None:
    logged = {"input": {"text": SECRET, "title": ""}, "output": {"sentiment": "negative"}}
    digest_texts(SENTIMENT.input, logged["input"])
    found = {field.name: field.of(logged) for field in watched(SENTIMENT)}
    assert found["input.text"] is None
    assert found["output.sentiment"] == "negative"


@pytest.mark.parametrize(("days", "found"), [(-1, ["mlbackend.E008"]), (0, []), (90, [])])
def test_a_number_of_days_below_0_is_named(settings: Any, days: int, found: list[str]) -> None:
    settings.PREDICTION_TEXT_DAYS = days
    assert [one.id for one in check(None)] == found


@pytest.mark.django_db
def test_how_far_it_got_is_kept_apart_from_that_of_the_rollups() -> None:
    old()
    run()
    assert set(Watermark.objects.values_list("name", flat=True)) == {"texts"}
