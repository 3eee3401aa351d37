"""Serving inside one process: what answers, what happens when it cannot, and what a swap leaves behind."""

import dataclasses
import gc
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.storage import storages
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from experiments import discovery, serving
from experiments.errors import Invalid, ModelUnavailable, QueueFull
from experiments.mltask import Batching, to_json
from experiments.models import ModelVersion, Prediction
from experiments.registry import version_promote, version_rollback
from experiments.request_id import request_id
from nlp.ml.sentiment import SENTIMENT, SentimentInput, output_of
from tests.experiments.conftest import Version
from tests.experiments.scripted import Scripted
from tests.problems import assert_problem
from tests.waiting import until

PREDICT = "/api/v1/predict/sentiment/"
BROKEN = {"text": "it is broken"}


def ask(*texts: str) -> list[serving.Answer]:
    return serving.predict(SENTIMENT, [SentimentInput(text) for text in texts or ("fine",)], user_id=7)


def damage(row: ModelVersion) -> Callable[[], None]:
    """Change a byte of the version's stored file, which no copy of is left. Gives what repairs it."""
    path = Path(storages["models"].path(f"{row.artifact}/script.json"))
    copy = settings.DATA_DIR / "cache" / row.digest / "script.json"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"{", b"["))
    copy.unlink(missing_ok=True)
    return lambda: path.write_bytes(whole) and None


def make_live(version: int) -> None:
    """Without asking the gate or the canary."""
    rows = ModelVersion.objects.filter(task="sentiment")
    rows.exclude(version=version).update(live=False)
    rows.filter(version=version).update(live=True)


@pytest.fixture
def batched(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`batched(max_queue=1)`: sentiment is answered in batches from here on."""

    def make(**bounds: float) -> None:
        task = dataclasses.replace(SENTIMENT, batching=Batching(**bounds))
        monkeypatch.setitem(discovery.tasks(), "sentiment", task)

    return make


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


@pytest.mark.django_db
def test_without_a_live_version_the_answer_is_503_and_says_so(alice: APIClient) -> None:
    with pytest.raises(ModelUnavailable, match="There is no live model for sentiment now"):
        ask()
    body = assert_problem(alice.post(PREDICT, {"text": "fine"}), 503, "model_unavailable")
    assert body["detail"] == "There is no live model for sentiment now."
    assert not Prediction.objects.exists()


def test_a_live_version_that_cannot_be_loaded_leaves_the_old_one_at_work_and_shows(
    promoted: Version, live: Version, visitor: APIClient
) -> None:
    live("recommend")
    promoted(positive=0.1)
    promoted(positive=0.2)
    version_rollback(task="sentiment")
    serving.refresh()
    repair = damage(ModelVersion.objects.get(task="sentiment", version=2))
    make_live(2)
    for _ in range(2):
        serving.refresh()
        assert ask()[0].version == 1
        assert serving.status()["sentiment"] == "the live version cannot be loaded"
    answer = visitor.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["models"] == {"sentiment": "the live version cannot be loaded", "recommend": "ok"}
    repair()
    serving.refresh()
    assert ask()[0].version == 2
    assert visitor.get("/readyz").status_code == 200


def test_a_first_version_that_cannot_be_loaded_is_unavailable_and_is_tried_again(promoted: Version) -> None:
    repair = damage(promoted())
    with pytest.raises(ModelUnavailable):
        ask()
    assert serving.status()["sentiment"] == "the live version cannot be loaded"
    repair()
    assert ask()[0].version == 1


def test_a_version_whose_loading_raises_anything_harms_no_other_task(
    promoted: Version, live: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    promoted()
    live("recommend")
    serving._loaded.clear()
    monkeypatch.setattr(Scripted, "load", classmethod(lambda cls, folder: cls(nothing=1)))
    serving.refresh()
    assert serving.status() == {"sentiment": "the live version cannot be loaded", "recommend": "ok"}


def test_status_forgets_a_version_that_is_no_longer_live(promoted: Version) -> None:
    repair = damage(promoted())
    assert serving.status()["sentiment"] == "the live version cannot be loaded"
    ModelVersion.objects.update(live=False)
    assert serving.status()["sentiment"] == "no live version"
    repair()


def test_a_model_that_raises_is_503_and_in_the_log_under_the_request(promoted: Version, alice: APIClient) -> None:
    promoted(fails_on="broken")
    answer = alice.post(PREDICT, BROKEN, HTTP_X_REQUEST_ID="mine-1")
    assert_problem(answer, 503, "model_unavailable")
    assert "secret" not in answer.content.decode()
    row = Prediction.objects.get()
    assert (row.status, row.request_id, row.version, row.user_id) == ("error", "mine-1", 1, alice.user.pk)
    assert (row.input, row.output) == ({"text": "it is broken", "title": ""}, {"error": "RuntimeError"})
    assert alice.post(PREDICT, {"text": "fine"}).status_code == 200


def test_each_input_of_a_failed_batch_is_in_the_log(promoted: Version, alice: APIClient) -> None:
    promoted(fails_on="broken")
    assert_problem(alice.post(PREDICT, {"instances": [{"text": "fine"}, BROKEN]}), 503, "model_unavailable")
    rows = Prediction.objects.order_by("id")
    assert [(row.status, row.input["text"]) for row in rows] == [("error", "fine"), ("error", "it is broken")]


@pytest.mark.parametrize("batching", [False, True])
@pytest.mark.parametrize(
    ("outputs", "error"),
    [
        ([], "ValueError"),
        ([output_of(0.9)] * 2, "ValueError"),
        ([output_of(float("nan"))], "ValueError"),
        ([object()], "TypeError"),
        (None, "TypeError"),
    ],
)
def test_a_model_that_answers_nonsense_has_failed(
    promoted: Version, batched: Callable[..., None], monkeypatch: pytest.MonkeyPatch,
    batching: bool, outputs: list[object] | None, error: str,
) -> None:  # fmt: skip
    if batching:
        batched()
    promoted()
    serving.refresh()
    monkeypatch.setattr(Scripted, "predict", lambda self, batch: outputs)
    with pytest.raises(ModelUnavailable, match="The model for sentiment failed on this input"):
        ask("fine")
    assert Prediction.objects.get().output == {"error": error}


def test_a_model_may_refuse_an_input_in_words(
    promoted: Version, alice: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    promoted()
    serving.refresh()

    def refuse(batch: Sequence[SentimentInput]) -> None:
        raise Invalid("text", "That is no language I know.")

    monkeypatch.setattr(Scripted, "before", staticmethod(refuse))
    assert_problem(alice.post(PREDICT, {"text": "fine"}), 400, "invalid", "text")
    assert not Prediction.objects.exists()


def from_threads(count: int, call: Callable[[], object]) -> list[object]:
    """What each call gave or raised, each on a thread and a connection of its own."""

    def run(_: int) -> object:
        try:
            return call()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


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


@pytest.mark.django_db(transaction=True)
def test_a_full_queue_is_503_with_retry_after_1(
    promoted: Version, batched: Callable[..., None], alice: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    batched(max_size=1, max_queue=1)
    promoted()
    go, called = threading.Event(), threading.Semaphore(0)

    def wait(batch: Sequence[SentimentInput]) -> None:
        called.release()
        assert go.wait(10)

    serving.refresh()
    monkeypatch.setattr(Scripted, "before", staticmethod(wait))
    batcher = serving.live("sentiment").batcher
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(from_threads, 1, ask) for _ in range(2)]
        assert called.acquire(timeout=10)
        until(lambda: batcher.size == 1)  # the second one is in the queue
        answer = alice.post(PREDICT, {"text": "fine"})
        with pytest.raises(QueueFull):
            ask()
        go.set()
        [[first]], [[second]] = (future.result(10)[0:1] for future in futures)
    assert_problem(answer, 503, "queue_full")
    assert answer["Retry-After"] == "1"
    assert first.version == second.version == 1
    assert Prediction.objects.filter(status="ok").count() == 2
    assert Prediction.objects.count() == 2


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


def test_promotion_does_not_wait_for_this_process_to_serve_it(promoted: Version, version: Version) -> None:
    promoted()
    ask()
    version()
    version_promote(task="sentiment", version=2, force=True, reason="for a test")
    assert ask()[0].version == 1  # until the watcher looks
