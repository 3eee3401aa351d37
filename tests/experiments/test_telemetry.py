"""What is counted about models: answers once they are in the log, times, refusals, queues, live versions."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from django.db import DataError, InternalError, connection, transaction
from prometheus_client import REGISTRY

from experiments import serving, telemetry
from experiments.errors import ModelFailed, QueueFull
from experiments.models import ModelVersion, Prediction
from experiments.registry import version_promote, version_rollback
from nlp.ml.sentiment import SENTIMENT, SentimentInput, output_of
from tests.experiments.asking import ask, ask_tested, from_threads
from tests.experiments.conftest import Forget, Tested, Version
from tests.experiments.scripted import Scripted
from tests.waiting import until


def value(name: str, **labels: str) -> float:
    telemetry.add_up()
    return REGISTRY.get_sample_value(name, {"task": "sentiment", **labels}) or 0.0


def counts(version: int | str = 1) -> tuple[float, ...]:
    """Answers by status, then how many times were taken."""
    each = (
        value("mlbackend_predictions_total", version=str(version), status=one) for one in ("ok", "fallback", "error")
    )
    return (*each, value("mlbackend_prediction_latency_seconds_count"))


def added(before: tuple[float, ...], version: int | str = 1) -> list[float]:
    return [now - then for now, then in zip(counts(version), before, strict=True)]


def test_an_answer_counts_one_and_its_time_is_that_of_the_log(promoted: Version) -> None:
    promoted()
    before, seconds = counts(), value("mlbackend_prediction_latency_seconds_sum")
    ask()
    assert added(before) == [1, 0, 0, 1]
    took = value("mlbackend_prediction_latency_seconds_sum") - seconds
    assert took == pytest.approx(Prediction.objects.get().latency_ms / 1000)


def test_what_is_added_up_together_counts_each_answer_and_each_time(promoted: Version) -> None:
    promoted(fails_on="broken")
    before, seconds = counts(), value("mlbackend_prediction_latency_seconds_sum")
    for text in ("one", "two", "broken", "three"):
        with suppress(ModelFailed):
            ask(text)
    assert added(before) == [3, 0, 1, 4]
    took = value("mlbackend_prediction_latency_seconds_sum") - seconds
    assert took == pytest.approx(sum(Prediction.objects.values_list("latency_ms", flat=True)) / 1000)


def test_a_batch_counts_each_answer_and_one_time(promoted: Version) -> None:
    promoted()
    before = counts()
    ask("one", "two", "three")
    assert added(before) == [3, 0, 0, 1]


def test_no_input_counts_nothing(promoted: Version) -> None:
    promoted()
    before = counts()
    assert serving.predict(SENTIMENT, [], user_id=7) == []
    assert added(before) == [0, 0, 0, 0]


def test_a_model_that_fails_counts_as_an_error(promoted: Version) -> None:
    promoted(fails_on="broken")
    before = counts()
    with pytest.raises(ModelFailed):
        ask("broken")
    assert added(before) == [0, 0, 1, 1]


def test_a_stand_in_counts_as_a_fallback(promoted: Version) -> None:
    promoted()
    before = counts()
    serving.predict(SENTIMENT, [SentimentInput("fine")], user_id=7, degraded=True)
    assert added(before) == [0, 1, 0, 1]


@pytest.mark.django_db
def test_an_answer_without_a_model_counts_but_took_no_time(promoted: Version) -> None:
    before = counts("")
    serving.record(SENTIMENT, SentimentInput("fine"), output_of(0.5), user_id=7, algorithm="always half", degraded=True)
    assert added(before, "") == [0, 1, 0, 0]


def test_what_could_not_be_logged_is_not_counted(promoted: Version) -> None:
    promoted()
    serving.refresh()
    before = counts()
    with transaction.atomic(), connection.cursor() as cursor:
        with pytest.raises(DataError):
            cursor.execute("SELECT 1 / 0")
        with pytest.raises(InternalError):
            ask()
        transaction.set_rollback(True)
    assert added(before) == [0, 0, 0, 0]


def test_an_answer_that_gave_way_to_the_variant_that_the_user_met_is_not_counted(
    promoted: Version, version: Version, tested: Tested, forget: Forget
) -> None:
    promoted()
    test = tested({"name": "a", "weight": 1000}, {"name": "b", "weight": 0.001})
    first, second = test.variants.all()
    ask_tested()
    type(first).objects.filter(pk=first.pk).update(weight=0.001)
    type(second).objects.filter(pk=second.pk).update(weight=1000)
    serving.refresh()
    forget()
    before = counts()
    ask_tested()
    assert set(Prediction.objects.values_list("variant", flat=True)) == {"a"}
    assert added(before) == [1, 0, 0, 1]


def test_the_live_version_is_told_and_zero_where_there_is_none(promoted: Version) -> None:
    promoted()
    promoted()
    serving.refresh()
    assert value("mlbackend_live_version") == 2
    version_rollback(task="sentiment")
    serving.refresh()
    assert value("mlbackend_live_version") == 1
    version_promote(task="sentiment", version=2, force=True, reason="again")
    serving.refresh()
    ModelVersion.objects.update(live=False)
    serving.refresh()
    assert value("mlbackend_live_version") == 0, "the last of what was noted together"


@pytest.mark.django_db(transaction=True)
def test_what_waits_for_the_model_and_what_was_refused_is_told(
    promoted: Version, batched: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    batched(max_size=1, max_queue=1)
    promoted()
    serving.refresh()
    assert value("mlbackend_queue_depth") == 0
    go, called = threading.Event(), threading.Semaphore(0)

    def wait(batch: Sequence[SentimentInput]) -> None:
        called.release()
        assert go.wait(10)

    monkeypatch.setattr(Scripted, "before", staticmethod(wait))
    batcher = serving.live("sentiment").batcher
    before, refused = counts(), value("mlbackend_refused_total")
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(from_threads, 1, ask)]
        assert called.acquire(timeout=10)  # the model is at work on it
        futures.append(pool.submit(from_threads, 1, ask))
        until(lambda: batcher.size == 1)
        serving.refresh()
        depth = value("mlbackend_queue_depth")
        with pytest.raises(QueueFull):
            ask()
        go.set()
        for future in futures:
            future.result(10)
    serving.refresh()
    assert (depth, value("mlbackend_queue_depth")) == (1, 0)
    assert value("mlbackend_refused_total") - refused == 1
    assert added(before) == [2, 0, 0, 2]


def test_what_cannot_be_counted_is_said_in_the_log_and_keeps_nothing_else_from_being_counted(
    promoted: Version, caplog: pytest.LogCaptureFixture
) -> None:
    def full_disk(_: list[None]) -> None:
        raise OSError("No space left on device")

    telemetry.logger.addHandler(caplog.handler)
    promoted()
    before = counts()
    telemetry.note(full_disk)
    ask()
    telemetry.add_up()
    telemetry.logger.removeHandler(caplog.handler)
    assert "No space left on device" in caplog.text
    assert added(before) == [1, 0, 0, 1]


def test_where_the_disk_is_nearly_full_nothing_is_written_and_the_process_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    telemetry.logger.addHandler(caplog.handler)
    monkeypatch.setenv(telemetry.FOLDER, str(tmp_path))
    monkeypatch.setattr(telemetry, "LEAST_FREE", 2**62)
    written: list[int] = []
    telemetry.note(written.extend, value=1)
    telemetry.add_up()
    telemetry.logger.removeHandler(caplog.handler)
    assert "No space left on device" in caplog.text
    assert written == []
    monkeypatch.undo()
    telemetry.add_up()
    assert written == [1]
