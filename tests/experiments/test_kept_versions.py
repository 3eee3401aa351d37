"""A version that a higher room keeps in memory beside the live one."""

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from experiments import serving
from experiments.errors import ModelUnavailable
from experiments.models import ModelVersion, Prediction
from nlp.ml.sentiment import SENTIMENT, SentimentInput, output_of
from tests.concurrency import at_once
from tests.experiments.asking import ask, make_live, person
from tests.experiments.conftest import Version
from tests.experiments.test_serving_failures import damage

Choose = Callable[[ModelVersion | None], None]
NAME = "kept for a test"


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Choose]:
    """`chosen(row)`: this version is the one that is kept, in this process too."""
    wanted: list[ModelVersion | None] = [None]
    monkeypatch.setattr(serving, "_chooses", {})
    serving.keep(NAME, lambda: wanted[0])

    def choose(row: ModelVersion | None) -> None:
        if row:
            row.refresh_from_db()
        wanted[0] = row
        serving.refresh()

    yield choose
    serving._kept.clear()


def ask_kept(**more: Any) -> serving.Answer:
    [answer] = serving.predict(SENTIMENT, [SentimentInput("fine")], user_id=7, of=NAME, **more)
    return answer


def test_a_kept_version_answers_who_asks_for_it_and_nobody_else(
    promoted: Version, version: Version, chosen: Choose
) -> None:
    promoted(positive=0.1)
    chosen(version(positive=0.2))
    answer = ask_kept()
    assert (answer.version, answer.output) == (2, output_of(0.2))
    assert Prediction.objects.get(pk=answer.prediction_id).version == 2
    assert ask()[0].version == 1


def test_where_none_is_kept_the_live_version_answers(promoted: Version, chosen: Choose) -> None:
    promoted()
    chosen(None)
    assert ask_kept().version == 1


def test_the_first_who_asks_in_a_process_without_watcher_gets_the_kept_version(
    promoted: Version, version: Version, chosen: Choose
) -> None:
    promoted()
    chosen(version())
    serving._loaded.clear()
    serving._kept.clear()
    assert ask_kept().version == 2


def test_without_a_live_version_nothing_is_answered(version: Version, chosen: Choose) -> None:
    chosen(None)
    with pytest.raises(ModelUnavailable):
        ask_kept()


def test_the_live_version_is_not_loaded_twice_to_be_kept(promoted: Version, chosen: Choose) -> None:
    chosen(promoted())
    assert serving.kept(NAME, "sentiment") is serving.live("sentiment")


def test_what_is_kept_stays_the_same_while_another_version_goes_live(
    promoted: Version, version: Version, chosen: Choose
) -> None:
    chosen(promoted())
    version()
    make_live(2)
    serving.refresh()
    assert (ask_kept().version, ask()[0].version) == (1, 2)


def test_a_version_that_is_kept_no_longer_leaves_the_memory(
    promoted: Version, version: Version, chosen: Choose
) -> None:
    chosen(promoted())
    version()
    make_live(2)
    serving.refresh()
    old = weakref.ref(serving.kept(NAME, "sentiment").predictor)
    chosen(ModelVersion.objects.get(task="sentiment", version=2))
    gc.collect()
    assert ask_kept().version == 2
    assert old() is None


def test_a_kept_version_that_cannot_be_loaded_leaves_the_one_before(
    promoted: Version, version: Version, chosen: Choose
) -> None:
    promoted()
    chosen(version())
    broken = version()
    damage(broken)
    chosen(broken)
    assert ask_kept().version == 2
    assert serving.status()["sentiment"] == "ok"


def test_a_kept_version_takes_no_part_in_a_test(
    promoted: Version, version: Version, tested: Any, chosen: Choose
) -> None:
    promoted()
    chosen(version())
    tested({"name": "new", "version": version()})
    answer = ask_kept(tested=person())
    assert (answer.version, Prediction.objects.get(pk=answer.prediction_id).variant) == (2, "")


@pytest.mark.django_db(transaction=True)
def test_no_request_fails_while_what_is_kept_changes(
    promoted: Version, version: Version, batched: Callable[..., None], chosen: Choose
) -> None:
    batched()
    chosen(promoted())
    rows = [version(), version()]
    done = threading.Event()

    def switch() -> list[serving.Answer]:
        for row in rows * 3:
            chosen(row)
        done.set()
        return []

    def ask_on() -> list[serving.Answer]:
        found = []
        while not done.is_set():
            found.append(ask_kept())
        return found

    answers = [answer for found in at_once(switch, ask_on, ask_on) for answer in found]
    assert {answer.version for answer in answers} >= {2, 3}
