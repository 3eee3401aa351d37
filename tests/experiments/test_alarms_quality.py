"""Alarms of quality: the truths of the window against those of the day before, and what is estimated without them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from experiments.discovery import figures_of, tasks
from experiments.models import Alarm, ModelVersion, Outcome, QualityMeasure
from experiments.monitoring.measures import measures_make
from experiments.outcomes import outcome_record
from experiments.prediction_log import prediction_record
from tests.experiments.alarmed import live, look, rule, states
from tests.experiments.rolled import after, log, prediction
from tests.shop import products

pytestmark = pytest.mark.django_db
Version = Callable[..., ModelVersion]
WRONG = {"metric": "accuracy", "comparison": "below", "threshold": 0.8, "least": 20, "window_minutes": 60}


def reviews(minute: float, right: int, wrong: int = 0, version: int = 1, truths: bool = True) -> None:
    """Answers of sentiment, and then what the writers' stars say of them."""
    rows = []
    for number in range(right + wrong):
        said = "positive" if number % 2 else "negative"
        positive = 0.9 if said == "positive" else 0.1
        output = {"sentiment": said, "confidence": 0.9, "scores": {"positive": positive, "negative": 1 - positive}}
        input_ = {"text": "A lamp.", "title": ""}
        at = after(minutes=minute, seconds=number % 60)
        rows.append(prediction(at, version=version, algorithm="scripted", input=input_, output=output))
    prediction_record(rows)
    for number, row in enumerate(rows if truths else []):
        other = {"positive": "negative", "negative": "positive"}
        truth = row.output["sentiment"] if number < right else other[row.output["sentiment"]]
        outcome_record(kind="review", subject="product:1", value=truth, user_id=1, prediction_id=row.pk)


def test_a_version_that_is_wrong_too_often_fires_and_resolves(promoted: Version) -> None:
    live(promoted)
    rule("Wrong", **WRONG)
    reviews(0, 45, 5)
    look(10)
    assert states() == []
    reviews(70, 15, 15)
    look(80)
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.value, alarm.bound, alarm.n) == ("firing", 0.5, 0.8, 30)
    reviews(140, 30)
    look(150)
    assert states() == ["resolved"]


def test_it_waits_for_truths_and_without_them_all_stays_as_it_was(promoted: Version) -> None:
    live(promoted)
    rule("Wrong", **WRONG)
    reviews(0, 0, 300, truths=False)
    reviews(0, 0, 19)
    look(10)
    assert states() == []
    reviews(11, 0, 1)
    look(12)
    assert states() == ["firing"]
    reviews(100, 300, truths=False)
    look(110)
    assert states() == ["firing"]


def test_a_relative_drop_is_against_the_day_before_whichever_version_answered(promoted: Version) -> None:
    live(promoted, after(hours=-30))
    live(promoted, after(minutes=0))
    rule("Wrong", **WRONG | {"threshold": 0.85, "relative": True, "window_minutes": 1_440})
    reviews(-600, 36, 4, version=1)
    reviews(1, 32, 8, version=2)
    look(10)
    assert states() == []
    reviews(11, 10, 30, version=2)
    look(20)
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.version, alarm.before, alarm.n) == ("firing", 2, 0.9, 80)
    assert (alarm.value, alarm.bound) == (42 / 80, pytest.approx(0.765))


def test_a_version_is_measured_by_its_own_answers_since_it_went_live(promoted: Version) -> None:
    live(promoted, after(hours=-30))
    live(promoted, after(minutes=30))
    rule("Wrong", **WRONG)
    reviews(0, 0, 50, version=2)  # in a test, before it went live
    reviews(31, 0, 50, version=1)
    reviews(31, 30, version=2)
    look(40)
    assert states() == []


def estimated(minute: float, value: float, **facts: Any) -> None:
    made = after(minutes=minute)
    given = {"task": "sentiment", "version": 1, "name": "accuracy", "n": 40, "estimated": True, "hours": 24, **facts}
    start = made - timedelta(hours=given.pop("hours"))
    QualityMeasure.objects.create(value=value, made_at=made, window_start=start, window_end=made, **given)


def test_an_estimate_is_the_newest_of_the_live_version_for_a_day(promoted: Version) -> None:
    live(promoted)
    rule("Doubtful", metric="estimated_accuracy", comparison="below", threshold=0.8, window_minutes=120, least=30)
    estimated(0, 0.9)
    for other in ({"version": 2}, {"name": "auc"}, {"hours": 168}, {"estimated": False}, {"task": "price"}):
        estimated(1, 0.1, **other)
    look(2)
    assert states() == []
    estimated(60, 0.1, n=29)
    look(61)
    assert states() == []
    estimated(120, 0.7)
    look(121)
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.value, alarm.bound, alarm.n) == ("firing", 0.7, 0.8, 40)
    look(121 + 180)  # no estimate since
    assert states() == ["firing"]
    estimated(310, 0.85)
    look(311)
    assert states() == ["resolved"]


def test_an_estimate_that_falls_little_by_little_is_against_that_of_the_day_before(promoted: Version) -> None:
    """From hour 0 on the answers are worse; an estimate of a day comes to be all of them after a day."""
    live(promoted, after(days=-5))
    log(after(days=-4))
    facts = {"metric": "estimated_accuracy", "comparison": "below", "threshold": 0.8, "relative": True}
    rule("Doubtful", **facts, window_minutes=120)
    fired = []
    for hour in range(-48, 30):
        estimated(60 * hour, 0.9 - 0.3 * min(max(hour, 0), 24) / 24)
        look(60 * hour + 1)
        fired += [hour] if "firing" in states() else []
    assert fired == list(range(15, 30))
    assert Alarm.objects.get().before == pytest.approx(0.9)


def recommended(minute: float, count: int, clicked: int, product: Any) -> None:
    made = after(minutes=minute)
    for number in range(count):
        output = {"products": [{"product": product.pk}], "method": "hybrid"}
        row = prediction(made, task="recommend", algorithm="ease", user_id=1, output=output, created_at=made)
        row.save(force_insert=True)
        if number < clicked:
            Outcome.objects.create(
                kind="click", subject=f"product:{product.pk}", value=1, user_id=1, prediction_id=row.pk,
                created_at=after(minutes=minute + 1),
            )  # fmt: skip


def test_what_comes_of_recommendations_can_be_watched_too(candidate: Version) -> None:
    [lamp] = products(1)
    row = candidate("recommend")
    ModelVersion.objects.filter(pk=row.pk).update(live=True)
    rule("Unloved", metric="hit_rate", comparison="below", threshold=0.5, relative=True, window_minutes=60, least=20)
    recommended(-600, 40, 20, lamp)
    recommended(0, 20, 6, lamp)
    look(30)
    assert states() == []
    recommended(100, 20, 4, lamp)
    look(130)
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.task, alarm.value, alarm.n) == ("firing", "recommend", 0.2, 20)
    assert alarm.before == pytest.approx(26 / 60)


def test_every_figure_that_can_be_named_is_one_that_is_measured() -> None:
    [lamp, _] = products(2)
    from django.utils import timezone

    from experiments.discovery import quality_of
    from experiments.estimated_quality import measured
    from experiments.log_sample import Window

    reviews(0, 20, 5)
    quality = quality_of("sentiment")
    assert quality
    values, n = measured(task="sentiment", quality=quality, window=Window(after(), after(minutes=5)))
    assert (set(values), n) == (figures_of("sentiment"), 25)
    given = {"task": "recommend", "algorithm": "ease", "user_id": 1, "output": {"products": [{"product": lamp.pk}]}}
    made = timezone.now() - timedelta(minutes=1)
    prediction(made, created_at=made, **given).save(force_insert=True)
    Outcome.objects.create(kind="rating", subject=f"product:{lamp.pk}", value=4.0, user_id=1)
    assert measures_make(now=timezone.now())
    assert set(QualityMeasure.objects.values_list("name", flat=True)) == figures_of("recommend")
    assert figures_of("price") == {"relative_error"}
    assert {name for name in tasks() if figures_of(name)} == {"sentiment", "recommend", "price"}
