"""Quality of live versions, estimated before truths come and measured after, with real models on the real log."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.conf import settings
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from rest_framework.test import APIClient

from experiments import discovery, estimated_quality, serving
from experiments.alarms.checking import alarms_check
from experiments.errors import NotFound
from experiments.estimated_quality import quality_measure
from experiments.estimates.quality import Quality
from experiments.mltask import Examples, no_progress
from experiments.models import Alarm, ModelVersion, Outcome, Prediction, Promotion, QualityMeasure
from experiments.outcomes import outcome_record
from experiments.registry import version_promote
from experiments.tasks import measure_quality, measure_quality_hourly
from nlp.ml.sentiment import POSITIVE_FROM, SENTIMENT, SentimentInput, TfidfSentiment
from pricing.ml.price import PRICE, inputs_of
from reviews.demo import make_shop
from reviews.models import Review
from reviews.services import event_record, review_create
from tests.experiments.alarmed import rule
from tests.experiments.logged import ago, predictions
from tests.experiments.rolled import log, up_to
from tests.shop import API, GOOD, product, user

NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
FIGURES = {"accuracy", "f1", "macro_f1", "auc"}
DAY, WEEK = timedelta(hours=24), timedelta(days=7)
LEARNED = 2_160  # of the 3,000 reviews: what comes before the validation part


def reviews_of(seed: int) -> pd.DataFrame:
    rows = [(one.title, one.text, float(one.rating)) for one in make_shop(NOW, seed=seed).reviews]
    return pd.DataFrame(rows, columns=["title", "text", "stars"])


@pytest.fixture(scope="module")
def told() -> pd.DataFrame:
    """Reviews of a shop: the oldest teach the model, the newest are its reference."""
    return reviews_of(1)


@pytest.fixture(scope="module")
def later() -> pd.DataFrame:
    """Reviews of another shop, which nobody has seen."""
    return reviews_of(7)


@pytest.fixture(scope="module")
def taught(told: pd.DataFrame) -> TfidfSentiment:
    return TfidfSentiment().fit(Examples(told[:LEARNED]), progress=no_progress)


@pytest.fixture
def shop(told: pd.DataFrame, taught: TfidfSentiment, candidate: Callable[..., ModelVersion]) -> ModelVersion:
    """The shop with its reviews, and the model live."""
    lamp, first = product(), NOW - timedelta(days=3_000)
    Review.objects.bulk_create(
        Review(product=lamp, title=title, text=text, rating=stars, created_at=first + timedelta(days=number))
        for number, (title, text, stars) in enumerate(told.itertuples(index=False))
    )
    return put_live(candidate("sentiment", taught, algorithm="tfidf"))


def put_live(row: ModelVersion) -> ModelVersion:
    version_promote(task=row.task, version=row.version, force=True, reason="for a test")
    serving.refresh()
    return row


def ask(rows: pd.DataFrame) -> list[Any]:
    """Ids of the predictions."""
    inputs = [SentimentInput(text, title) for title, text in zip(rows["title"], rows["text"], strict=True)]
    return [answer.prediction_id for answer in serving.predict(SENTIMENT, inputs, user_id=None)]


def tell(ids: Sequence[Any], rows: pd.DataFrame) -> None:
    """What the writers meant becomes known."""
    for prediction, stars in zip(ids, rows["stars"], strict=True):
        report(prediction, "positive" if stars >= POSITIVE_FROM else "negative")


def report(prediction: Any, value: Any, kind: str = "reported", task: str = "sentiment") -> None:
    outcome_record(kind=kind, subject=task, value=value, user_id=None, prediction_id=prediction)


def found(measures: Sequence[QualityMeasure], length: timedelta = DAY, *, estimated: bool) -> dict[str, QualityMeasure]:
    return {
        one.name: one
        for one in measures
        if one.estimated == estimated and one.window_end - one.window_start == length
    }  # fmt: skip


def first_sentence(text: str) -> str:
    return text.split(".")[0] or text


def two_words(text: str) -> str:
    return " ".join(text.split()[:2])


@pytest.mark.parametrize(("shorter", "drop"), [(first_sentence, 0.06), (two_words, 0.1)])
def test_the_estimate_follows_a_real_drop(
    shop: ModelVersion, later: pd.DataFrame, shorter: Callable[[str], str], drop: float
) -> None:
    """Customers begin to write less. The model is right less often, as the stars show afterwards; the estimate has said
    so without them, and said nothing of the kind before.
    """
    usual, short = later[:1_000], later[1_000:].assign(title="", text=later["text"].map(shorter))
    estimated, measured = [], []
    for rows in (usual, short):
        ids = ask(rows)
        estimated.append(found(quality_measure(task="sentiment"), estimated=True))
        tell(ids, rows)
        measured.append(found(quality_measure(task="sentiment"), estimated=False))
        assert set(estimated[-1]) == set(measured[-1]) == FIGURES
        Prediction.objects.all().delete()
    for name in FIGURES:
        off = [estimate[name].value - true[name].value for estimate, true in zip(estimated, measured, strict=True)]
        assert max(np.abs(off)) < 0.05
    for name in FIGURES - {"f1"}:  # most reviews are positive, and what is called so mostly is
        fell = measured[0][name].value - measured[1][name].value
        assert fell > drop, "the drop is real"
        assert 0.6 * fell < estimated[0][name].value - estimated[1][name].value < 1.4 * fell
        assert estimated[1][name].high < estimated[0][name].low, "and more than chance"


def test_an_alarm_of_the_estimate_fires_at_a_real_drop_before_any_truth_has_come(
    shop: ModelVersion, later: pd.DataFrame
) -> None:
    Promotion.objects.filter(to_version=shop).update(at=ago(days=2))
    log(ago(hours=30))
    up_to(timezone.now())
    facts = {"metric": "estimated_accuracy", "comparison": "below", "threshold": 0.95, "relative": True}
    rule("Doubtful", **facts, window_minutes=120)
    ask(later[:500])
    usual = found(quality_measure(task="sentiment"), estimated=True)["accuracy"]
    QualityMeasure.objects.update(made_at=ago(hours=25))
    Prediction.objects.all().delete()
    ask(later[500:1_000])
    quality_measure(task="sentiment")
    alarms_check(now=timezone.now(), counted=False)
    assert not Alarm.objects.exists()
    Prediction.objects.all().delete()
    ask(later[1_000:1_500].assign(title="", text=later["text"].map(two_words)))
    quality_measure(task="sentiment")
    alarms_check(now=timezone.now(), counted=False)
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.task, alarm.before, alarm.n) == ("firing", "sentiment", usual.value, 500)
    assert not Outcome.objects.exists()


def test_without_a_truth_there_is_an_estimate_and_no_measure(shop: ModelVersion, later: pd.DataFrame) -> None:
    ask(later[:40])
    made = quality_measure(task="sentiment")
    assert set(found(made, DAY, estimated=True)) == set(found(made, WEEK, estimated=True)) == FIGURES
    assert {(one.task, one.version, one.n, one.estimated) for one in made} == {("sentiment", shop.version, 40, True)}
    assert QualityMeasure.objects.count() == len(made) == 2 * len(FIGURES)
    assert all(one.low <= one.value <= one.high for one in made)


def test_the_stars_of_a_review_are_the_truth_of_its_sentiment(shop: ModelVersion, later: pd.DataFrame) -> None:
    for stars in (5.0, 4.0, 1.0, None):
        review_create(author=user(), product=product(), text=GOOD, rating=stars)
    measured = found(quality_measure(task="sentiment"), estimated=False)
    assert measured["accuracy"].n == 3
    assert measured["accuracy"].value == pytest.approx(2 / 3)
    assert measured["accuracy"].low is measured["accuracy"].high is None


def test_the_last_truth_of_a_prediction_counts_and_what_is_none_takes_it_back(
    shop: ModelVersion, later: pd.DataFrame
) -> None:
    [said] = ask(later[:1])
    right = Prediction.objects.get().output["sentiment"]
    wrong = "negative" if right == "positive" else "positive"
    for value in ("so so", 5, [right], {"sentiment": wrong}, wrong, right):
        report(said, value)
    report(said, wrong, kind="click")
    assert found(quality_measure(task="sentiment"), estimated=False)["accuracy"].value == 1
    report(said, wrong)
    assert found(quality_measure(task="sentiment"), estimated=False)["accuracy"].value == 0
    report(said, "so so")
    assert found(quality_measure(task="sentiment"), estimated=False) == {}


def test_nobody_and_no_other_task_reports_so_much_that_a_truth_is_lost(
    shop: ModelVersion, later: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimated_quality, "MOST_TRUTHS", 3)
    said = ask(later[:2])
    report(said[0], "positive")
    for _ in range(5):
        report(said[1], "negative")
        [newer] = predictions([{}], [{}], task="price", start=timezone.now(), end=timezone.now())
        report(newer.pk, 100_000.0, task="price")
    assert found(quality_measure(task="sentiment"), estimated=False)["accuracy"].n == 2


def test_what_older_code_logged_otherwise_is_left_out(shop: ModelVersion, later: pd.DataFrame) -> None:
    said = Prediction.objects.get(pk=ask(later[:1])[0])
    for one in predictions(
        [said.input] * 2, [{"label": "positive"}, None], version=shop.version, start=ago(hours=2), end=ago(hours=1)
    ):
        report(one.pk, "positive")
    report(said.pk, "positive")
    assert found(quality_measure(task="sentiment"), estimated=False)["accuracy"].n == 1


def test_only_what_the_live_version_answered_in_the_window_counts(shop: ModelVersion, later: pd.DataFrame) -> None:
    said = Prediction.objects.get(pk=ask(later[:1])[0])
    where = [
        {"end": ago(hours=1), "start": ago(hours=2)},
        {"end": ago(days=2), "start": ago(days=3)},
        {"end": ago(days=8), "start": ago(days=9)},
        {"end": ago(hours=1), "start": ago(hours=2), "version": shop.version + 1},
        {"end": ago(hours=1), "start": ago(hours=2), "task": "price"},
        {"end": ago(hours=1), "start": ago(hours=2), "status": "fallback"},
    ]
    for facts in where:
        for one in predictions([said.input] * 50, [said.output] * 50, **{"version": shop.version, **facts}):
            report(one.pk, "positive")
    errors = predictions([said.input], [{"error": "RuntimeError"}], status="error", **where[0])
    report(errors[0].pk, "positive")
    made = quality_measure(task="sentiment")
    assert [found(made, DAY, estimated=flag)["accuracy"].n for flag in (True, False)] == [51, 50]
    assert [found(made, WEEK, estimated=flag)["accuracy"].n for flag in (True, False)] == [101, 100]


def test_too_few_predictions_are_not_estimated(shop: ModelVersion, later: pd.DataFrame) -> None:
    ask(later[: estimated_quality.FEWEST - 1])
    assert quality_measure(task="sentiment") == []


def test_without_examples_it_is_measured_alone_and_the_log_says_why(
    live: Callable[..., ModelVersion], later: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    live("sentiment")
    tell(ask(later[:40]), later[:40])
    with caplog.at_level(logging.INFO, "experiments.estimated_quality"):
        made = quality_measure(task="sentiment")
    assert found(made, estimated=True) == {}
    assert found(made, estimated=False)["accuracy"].n == 40
    assert "sentiment has 0 examples in its test part; at least 100 are needed" in caplog.text


def test_a_reference_is_answered_once_by_a_process_and_anew_for_another_version(
    shop: ModelVersion, taught: TfidfSentiment, candidate: Callable[..., ModelVersion], later: pd.DataFrame,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    loaded: list[ModelVersion] = []
    plain = estimated_quality.load
    monkeypatch.setattr(estimated_quality, "load", lambda row: (loaded.append(row), plain(row))[1])
    ask(later[:40])
    assert quality_measure(task="sentiment") and quality_measure(task="sentiment")
    assert loaded == [shop]
    second = put_live(candidate("sentiment", taught, algorithm="tfidf"))
    ask(later[:40])
    assert {one.version for one in quality_measure(task="sentiment")} == {second.version}
    assert loaded == [shop, second]


ELSEWHERE = "Fog Bank"  # nowhere that the model knows
LEVELS = {"Hill": 500.0, "Harbour": 350.0, "Station": 250.0, "Meadow": 180.0, ELSEWHERE: 900.0}


def homes(count: int, *, elsewhere: float, seed: int) -> pd.DataFrame:
    """As `price` is taught with in tests, and a share of them where it never was."""
    draw = np.random.default_rng(seed)
    known = draw.choice([*LEVELS][:4], count)
    location = np.where(draw.random(count) < elsewhere, ELSEWHERE, known)
    sqft = np.round(draw.lognormal(7.4, 0.4, count), -1)
    price = np.array([LEVELS[one] for one in location]) * sqft**0.9 * draw.lognormal(0, 0.1, count)
    rooms = {
        "bedrooms": np.clip(np.round(sqft / 600), 1, 6).astype(int),
        "bathrooms": np.clip(np.round(sqft / 200) / 4, 1, 4),
    }
    return pd.DataFrame({**rooms, "sqft": sqft, "location": location, "price": np.round(price)})


@pytest.fixture
def priced(live: Callable[..., ModelVersion]) -> Iterator[ModelVersion]:
    """The model of prices live, and homes that it did not learn from, a fifth of them in a place it does not know."""
    settings.HOMES.parent.mkdir(exist_ok=True)
    homes(1_500, elsewhere=0.2, seed=1).to_csv(settings.HOMES, index=False)
    yield live("price")
    settings.HOMES.unlink()


def ask_prices(rows: pd.DataFrame, user_id: int | None = None) -> list[Any]:
    return [one.prediction_id for one in serving.predict(PRICE, inputs_of(rows), user_id=user_id)]


def test_the_estimated_error_of_prices_follows_what_is_asked(priced: ModelVersion) -> None:
    """No price is reported before the estimates are made. Then most people ask about a place that is not known."""
    usual, strange = homes(300, elsewhere=0.05, seed=2), homes(300, elsewhere=0.8, seed=3)
    errors: list[tuple[QualityMeasure, float]] = []
    for rows in (usual, strange):
        ids = ask_prices(rows)
        estimate = found(quality_measure(task="price"), estimated=True)["relative_error"]
        for prediction, price in zip(ids, rows["price"].tolist(), strict=True):
            report(prediction, price, task="price")
        measured = found(quality_measure(task="price"), estimated=False)["relative_error"]
        assert (estimate.n, measured.n) == (300, 300)
        errors.append((estimate, measured.value))
        Prediction.objects.all().delete()
    (before, true_before), (after, true_after) = errors
    assert true_after > 2 * true_before, "the rise is real"
    assert after.low > before.high
    assert before.low - 0.01 <= true_before <= before.high + 0.01
    assert after.low - 0.03 <= true_after <= after.high + 0.03


def test_the_coverage_that_was_asked_for_says_little_of_the_error(priced: ModelVersion) -> None:
    """An interval of 0.5 is a third as wide as one of 0.9."""
    inputs = inputs_of(homes(100, elsewhere=0.2, seed=4))
    estimates = []
    for coverage in (0.5, 0.7, 0.9):
        serving.predict(PRICE, [replace(one, coverage=coverage) for one in inputs], user_id=None)
        estimates.append(found(quality_measure(task="price"), estimated=True)["relative_error"].value)
        Prediction.objects.all().delete()
    assert estimates == pytest.approx([estimates[2]] * 3, rel=0.15)


def test_prices_that_customers_report_are_its_truth(priced: ModelVersion, alice: APIClient) -> None:
    [said] = ask_prices(homes(1, elsewhere=0, seed=5), user_id=alice.user.pk)
    price = Prediction.objects.get(pk=said).output["predicted_price"]
    for value in ("cheap", -5, 0, round(price / 1.25, 4)):
        assert alice.post(f"{API}/predictions/{said}/outcome/", {"value": value}, format="json").status_code == 202
    event_record(user=alice.user, product=product(price=1), kind="purchase", prediction_id=said)
    measured = found(quality_measure(task="price"), estimated=False)["relative_error"]
    assert (measured.n, round(measured.value, 4)) == (1, 0.25)


def test_the_hourly_job_measures_every_live_task_that_can_be(
    shop: ModelVersion, live: Callable[..., ModelVersion], later: pd.DataFrame
) -> None:
    live("entities")  # of which nothing tells whether it is right
    ask(later[:40])
    old = quality_measure(task="sentiment")
    QualityMeasure.objects.update(made_at=timezone.now() - timedelta(days=91))
    measure_quality_hourly()
    assert not QualityMeasure.objects.exists()
    job = DBTaskResult.objects.get()
    assert (job.task_path, job.args_kwargs["args"]) == ("experiments.tasks.measure_quality", ["sentiment"])
    assert measure_quality.call("sentiment") == QualityMeasure.objects.count() == len(old)


@pytest.mark.parametrize("task", ["sentiment", "entities", "no-such"])
def test_what_cannot_be_measured_is_named(db: None, task: str) -> None:
    with pytest.raises(NotFound, match=task):
        quality_measure(task=task)
    assert not QualityMeasure.objects.exists()


def test_every_quality_of_a_room_is_that_of_a_task() -> None:
    def named(module: Any) -> Mapping[str, Quality]:
        return {name: value for name, value in vars(module).items() if isinstance(value, Quality)}

    names = {name.replace("_", "-") for module in discovery.modules("quality") for name in named(module)}
    assert names == {"price", "sentiment"} <= set(discovery.tasks())
