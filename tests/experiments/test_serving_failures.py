"""Serving when a model cannot be loaded, cannot answer, or has too much to do."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.storage import storages
from rest_framework.test import APIClient

from experiments import serving
from experiments.errors import Invalid, ModelUnavailable, QueueFull
from experiments.models import ModelVersion, Prediction
from experiments.registry import version_rollback
from nlp.ml.sentiment import SentimentInput, output_of
from tests.experiments.asking import ask, from_threads, make_live
from tests.experiments.conftest import Version
from tests.experiments.scripted import Scripted
from tests.problems import assert_problem
from tests.waiting import until

PREDICT = "/api/v1/predict/sentiment/"
BROKEN = {"text": "it is broken"}


def damage(row: ModelVersion) -> Callable[[], None]:
    """Change a byte of the version's stored file, which no copy of is left. Gives what repairs it."""
    path = Path(storages["models"].path(f"{row.artifact}/script.json"))
    copy = settings.DATA_DIR / "cache" / row.digest / "script.json"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"{", b"["))
    copy.unlink(missing_ok=True)
    return lambda: path.write_bytes(whole) and None


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
        assert serving.status()["sentiment"] == "the live version cannot be loaded; the one before answers"
    answer = visitor.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["models"]["sentiment"] == "the live version cannot be loaded; the one before answers"
    repair()
    serving.refresh()
    assert ask()[0].version == 2
    assert visitor.get("/readyz").json()["models"].items() >= {"sentiment": "ok", "recommend": "ok"}.items()


def test_a_process_is_not_ready_while_a_live_model_cannot_be_used(promoted: Version, visitor: APIClient) -> None:
    repair = damage(promoted())
    answer = visitor.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    models = answer.json()["models"]
    assert (models["sentiment"], models["recommend"]) == ("the live version cannot be loaded", "no live version")
    repair()
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
    found = serving.status()
    assert (found["sentiment"], found["recommend"]) == ("the live version cannot be loaded", "ok")


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
        futures = [pool.submit(from_threads, 1, ask)]
        assert called.acquire(timeout=10)  # the model is at work on it
        futures.append(pool.submit(from_threads, 1, ask))
        until(lambda: batcher.size == 1)
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
