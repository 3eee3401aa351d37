"""Serving inside one process: what answers, and what a swap leaves behind."""

import gc
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from experiments import serving
from experiments.errors import ModelUnavailable
from experiments.mltask import to_json
from experiments.models import ModelVersion, Prediction
from experiments.registry import version_promote, version_rollback
from experiments.request_id import request_id
from nlp.ml.sentiment import SENTIMENT, SentimentInput, output_of
from tests.experiments.asking import ask, from_threads, make_live
from tests.experiments.conftest import Version
from tests.experiments.scripted import Scripted
from tests.waiting import until


def test_an_answer_says_which_version_gave_it_and_is_in_the_log(promoted: Version) -> None:
    promoted(positive=0.75)
    token = request_id.set("request-1")
    [first, second] = serving.predict(
        SENTIMENT, [SentimentInput("one", "A title"), SentimentInput("two")], user_id=7, method="by hand"
    )
    request_id.reset(token)
    assert (first.model, first.version, first.output) == ("scripted", 1, output_of(0.75))
    rows = {row.pk: row for row in Prediction.objects.all()}
    assert set(rows) == {first.prediction_id, second.prediction_id}
    row = rows[first.prediction_id]
    assert (row.task, row.algorithm, row.version, row.user_id) == ("sentiment", "scripted", 1, 7)
    assert (row.method, row.request_id, row.status) == ("by hand", "request-1", "ok")
    assert row.input == {"text": "one", "title": "A title"}
    assert row.output == to_json(output_of(0.75))
    assert row.confidence == 0.75
    assert 0 < row.latency_ms < 10_000


def test_nothing_asked_is_nothing_answered(promoted: Version) -> None:
    promoted()
    assert serving.predict(SENTIMENT, [], user_id=None) == []
    assert not Prediction.objects.exists()


def test_a_promoted_version_answers_after_a_refresh_and_so_does_one_put_back(promoted: Version) -> None:
    promoted(positive=0.1)
    assert ask()[0].version == 1
    promoted(positive=0.2)
    serving.refresh()
    assert (ask()[0].version, ask()[0].output) == (2, output_of(0.2))
    version_rollback(task="sentiment")
    serving.refresh()
    assert (ask()[0].version, ask()[0].output) == (1, output_of(0.1))


def test_an_unchanged_version_is_not_loaded_again(promoted: Version) -> None:
    promoted()
    predictor = serving.live("sentiment").predictor
    serving.refresh()
    assert serving.live("sentiment").predictor is predictor


@pytest.mark.parametrize("batching", [False, True])
def test_the_old_model_leaves_the_memory(promoted: Version, batched: Callable[..., None], batching: bool) -> None:
    if batching:
        batched()
    promoted()
    ask()
    old = serving.live("sentiment")
    gone = weakref.ref(old.predictor)
    del old
    promoted()
    serving.refresh()
    ask()
    until(lambda: gc.collect() >= 0 and gone() is None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("batching", [False, True])
def test_no_request_fails_while_versions_are_swapped_under_it(
    promoted: Version, batched: Callable[..., None], batching: bool
) -> None:
    if batching:
        batched(max_size=2)
    for number in range(2):
        promoted(positive=0.1 + number / 10)
    serving.refresh()
    stop = threading.Event()

    def keep_asking() -> list[int | None]:
        versions = []
        while not stop.is_set():
            [answer] = ask()
            assert answer.output == output_of(0.1 + (answer.version - 1) / 10)
            versions.append(answer.version)
        return versions

    def swap() -> list[int | None]:
        for number in range(30):
            make_live(1 + number % 2)
            serving.refresh()
        stop.set()
        return []

    calls = iter([swap, *[keep_asking] * 4])
    lock = threading.Lock()

    def one() -> list[int | None]:
        with lock:
            call = next(calls)
        try:
            return call()
        finally:
            stop.set()

    found = from_threads(5, one)
    assert [error for error in found if isinstance(error, Exception)] == []
    assert {version for versions in found for version in versions} == {1, 2}
    assert Prediction.objects.count() == sum(len(versions) for versions in found)


class SwappedAfterTheLook(dict[str, serving.Loaded]):
    """The first look finds a model that is taken out of service before it is asked."""

    seen = False

    def get(self, name: str, default: object = None) -> object:
        found = super().get(name, default)
        if not self.seen:
            self.seen = True
            make_live(2)
            serving.refresh()
        return found


def test_a_request_that_finds_the_old_model_closed_is_answered_by_the_new_one(
    promoted: Version, batched: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    batched()
    promoted(positive=0.1)
    serving.refresh()
    promoted(positive=0.2)
    loaded = SwappedAfterTheLook(serving._loaded)
    serving._loaded.clear()
    with monkeypatch.context() as patch:
        patch.setattr(serving, "_loaded", loaded)
        [answer] = ask()
    loaded["sentiment"].close()
    assert (answer.version, answer.output) == (2, output_of(0.2))
    assert Prediction.objects.get().version == 2


def test_waiting_requests_are_answered_by_the_version_they_came_for(
    promoted: Version, batched: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    batched(max_size=1)
    promoted(positive=0.1)
    serving.refresh()
    go, called = threading.Event(), threading.Semaphore(0)

    def wait(batch: Sequence[SentimentInput]) -> None:
        called.release()
        assert go.wait(10)

    old = serving.live("sentiment")
    with monkeypatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr(Scripted, "before", staticmethod(wait))
        futures = [pool.submit(old.predict, [SentimentInput("fine")]) for _ in range(2)]
        assert called.acquire(timeout=10)
        patch.undo()
        row = promoted(positive=0.2)
        serving.refresh()
        assert serving.live("sentiment").version == row.version
        go.set()
        assert [future.result(10) for future in futures] == [[output_of(0.1)]] * 2


@pytest.mark.django_db
@pytest.mark.parametrize(("degraded", "status"), [(False, "ok"), (True, "fallback")])
def test_an_answer_of_no_model_is_logged_as_what_it_is(degraded: bool, status: str) -> None:
    answer = serving.record(
        SENTIMENT, SENTIMENT.example, output_of(0.6), user_id=7, algorithm="coin", degraded=degraded
    )
    row = Prediction.objects.get(pk=answer.prediction_id)
    assert (row.algorithm, row.method, row.version, row.status) == ("coin", "coin", None, status)
    assert (answer.model, answer.version, answer.output) == ("coin", None, output_of(0.6))


@pytest.fixture
def watched() -> Iterator[None]:
    """As if this process had a watcher."""
    serving._watched.set()
    yield
    serving._watched.clear()


@pytest.mark.django_db
def test_where_a_watcher_looks_no_request_asks_the_database_which_version_is_live(watched: None) -> None:
    with CaptureQueriesContext(connection) as captured:
        with pytest.raises(ModelUnavailable):
            ask()
        assert serving.status()["sentiment"] == "no live version"
    assert len(captured) == 0


def test_a_web_process_holds_nothing_that_only_jobs_ask(
    monkeypatch: pytest.MonkeyPatch, live: Callable[..., ModelVersion]
) -> None:
    monkeypatch.setattr(serving, "_left_out", {"review_summary"})
    live("sentiment")
    live("review_summary")
    assert set(serving._loaded) == {"sentiment"}
    assert "review_summary" not in serving.status()
    assert serving.status()["sentiment"] == "ok"
    monkeypatch.setattr(serving, "_left_out", set())
    assert serving.status()["review_summary"] == "ok"


def test_promotion_does_not_wait_for_this_process_to_serve_it(promoted: Version, version: Version) -> None:
    promoted()
    ask()
    version()
    version_promote(task="sentiment", version=2, force=True, reason="for a test")
    assert ask()[0].version == 1  # until the watcher looks
