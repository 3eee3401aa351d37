"""What a user in a running test is answered: their variant's version and input, else the live one."""

import gc
import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from experiments import serving
from experiments.assignment import assign
from experiments.errors import ModelFailed
from experiments.models import ABTest, Exposure, ModelVersion, Prediction
from experiments.registry import version_promote
from nlp.ml.sentiment import SENTIMENT, SentimentInput, SentimentOutput, output_of
from tests.concurrency import at_once
from tests.experiments.asking import ask, ask_tested, make_live, person
from tests.experiments.conftest import Tested, Version
from tests.experiments.scripted import Scripted
from tests.experiments.test_serving_failures import damage
from tests.waiting import until

USERS = range(40)


def by_user() -> dict[int, tuple[int | None, str]]:
    """What each user is answered by: the version and the variant."""
    found = {}
    for user in USERS:
        answer = ask_tested(user)
        found[user] = (answer.version, Prediction.objects.get(pk=answer.prediction_id).variant)
    return found


def test_each_user_is_answered_by_the_version_of_their_variant(
    promoted: Version, version: Version, tested: Tested
) -> None:
    promoted(positive=0.1)
    test = tested({"name": "now"}, {"name": "new", "version": version(positive=0.2)})
    found = by_user()
    assert set(found.values()) == {(1, "now"), (2, "new")}
    for user, (number, _) in found.items():
        assert number - 1 == assign(test.salt, user, traffic=1, weights=(1, 1))
        assert ask_tested(user).output == output_of(number / 10)
    assert by_user() == found


def test_outside_of_the_share_the_live_version_answers_as_no_variant(
    promoted: Version, version: Version, tested: Tested
) -> None:
    promoted()
    tested({"name": "new", "version": version()}, traffic=0.5)
    assert set(by_user().values()) == {(1, ""), (2, "new")}
    assert {row.user_id for row in Exposure.objects.all()} == {
        row.user_id for row in Prediction.objects.filter(variant="new")
    }


def test_what_a_variant_sets_in_the_input_is_asked_and_logged(promoted: Version, tested: Tested) -> None:
    promoted()
    tested({"name": "titled", "config": {"title": "Set by the variant"}})
    answer = ask_tested()
    row = Prediction.objects.get(pk=answer.prediction_id)
    assert row.input == {"text": "fine", "title": "Set by the variant"}
    assert (row.version, row.variant) == (1, "titled")


def test_nested_fields_are_set_as_what_they_are(live: Callable[..., ModelVersion], tested: Tested) -> None:
    from recommendations.ml.recommend import RECOMMEND, Weights

    live("recommend")
    weights = {"collaborative": 1, "content": 0, "trending": 0}
    tested({"name": "neighbours", "config": {"weights": weights}}, task="recommend")
    asked = []
    predictor = serving.live("recommend").predictor
    predict = predictor.predict
    predictor.predict = lambda batch: asked.extend(batch) or predict(batch)
    serving.predict(RECOMMEND, [RECOMMEND.example], user_id=7, tested=person())
    del predictor.predict
    assert asked[0].weights == Weights(1.0, 0.0, 0.0)
    assert Prediction.objects.get().input["weights"] == weights


@pytest.mark.parametrize(
    "facts", [{"user_id": 7}, {"user_id": None}, {"user_id": 7, "count": 2, "tested": person()}], ids=str
)
def test_who_asks_elsewhere_or_several_questions_at_once_takes_no_part(
    promoted: Version, version: Version, tested: Tested, facts: dict[str, Any]
) -> None:
    promoted()
    tested({"name": "new", "version": version()})
    count = facts.pop("count", 1)
    answers = serving.predict(SENTIMENT, [SentimentInput("fine")] * count, **facts)
    assert [answer.version for answer in answers] == [1] * count
    assert set(Prediction.objects.values_list("variant", flat=True)) == {""}
    assert not Exposure.objects.exists()


@pytest.mark.parametrize("state", ["draft", "paused", "stopped"])
@pytest.mark.parametrize("batching", [False, True])
def test_a_test_that_does_not_run_any_more_leaves_the_live_version_and_the_memory(
    promoted: Version, version: Version, tested: Tested, batched: Callable[..., None], state: str, batching: bool
) -> None:
    if batching:
        batched()
    promoted()
    test = tested({"name": "new", "version": version()})
    assert ask_tested().version == 2
    [own] = [loaded for name, loaded in serving._loaded.items() if name != "sentiment"]
    gone = weakref.ref(own.predictor)
    ABTest.objects.filter(pk=test.pk).update(state=state)
    serving.refresh()
    assert own.batcher is None or own.batcher.closed
    del own
    assert ask_tested().version == 1
    assert Prediction.objects.first().variant == ""
    assert list(serving._loaded) == ["sentiment"]
    until(lambda: gc.collect() >= 0 and gone() is None)


def test_a_request_that_finds_the_variants_model_closed_is_answered_by_the_live_one(
    promoted: Version, version: Version, tested: Tested, batched: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    batched()
    promoted()
    test = tested({"name": "new", "version": version()})
    chosen = serving._chosen

    def stopped_after_the_look(*asked: Any) -> Any:
        found = chosen(*asked)
        ABTest.objects.filter(pk=test.pk).update(state="stopped")
        serving.refresh()
        return found

    monkeypatch.setattr(serving, "_chosen", stopped_after_the_look)
    assert ask_tested().version == 1
    assert Prediction.objects.get().variant == ""
    assert not Exposure.objects.exists()


def test_a_variant_without_a_version_follows_the_live_one(promoted: Version, tested: Tested) -> None:
    promoted()
    tested({"name": "now"})
    assert ask_tested().version == 1
    promoted()
    serving.refresh()
    assert ask_tested().version == 2


def test_a_variants_own_version_stays_when_another_one_goes_live(
    promoted: Version, version: Version, tested: Tested
) -> None:
    tested({"name": "first", "version": promoted()})
    own = serving._chosen("sentiment", person())[0]
    version()
    version_promote(task="sentiment", version=2, force=True, reason="for a test")
    serving.refresh()
    assert (ask()[0].version, ask_tested().version) == (2, 1)
    assert serving._chosen("sentiment", person())[0] is own


def test_a_version_that_cannot_be_loaded_leaves_the_live_one_and_counts_as_no_exposure(
    promoted: Version, version: Version, tested: Tested, caplog: pytest.LogCaptureFixture
) -> None:
    promoted()
    row = version(positive=0.2)
    repair = damage(row)
    tested({"name": "new", "version": row})
    serving.refresh()
    assert ask_tested().version == 1
    assert Prediction.objects.get().variant == ""
    assert not Exposure.objects.exists()
    assert serving.status()["sentiment"] == "ok"
    said = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.getMessage() for record in said] == ["sentiment 2 (scripted) cannot be loaded"]
    repair()
    serving.refresh()
    assert ask_tested().version == 2
    assert Exposure.objects.count() == 1


@pytest.mark.parametrize("wrong", [{"config": {"tilte": "x"}}, {"config": {"title": 7}}, {"config": []}], ids=str)
def test_a_config_that_does_not_fit_leaves_the_live_one_and_harms_no_other_variant(
    promoted: Version, version: Version, tested: Tested, caplog: pytest.LogCaptureFixture, wrong: dict[str, Any]
) -> None:
    promoted()
    tested({"name": "wrong", **wrong}, {"name": "right", "version": version()})
    serving.refresh()
    assert set(by_user().values()) == {(1, ""), (2, "right")}
    assert set(Exposure.objects.values_list("variant__name", flat=True)) == {"right"}
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert said == ["which is better wrong cannot be served"]


def test_a_version_of_another_task_is_not_served(
    promoted: Version, live: Callable[..., ModelVersion], tested: Tested
) -> None:
    promoted()
    tested({"name": "wrong", "version": live("recommend")})
    assert ask_tested().version == 1
    assert Prediction.objects.get().variant == ""


def test_a_variant_that_fails_is_logged_under_its_name(promoted: Version, version: Version, tested: Tested) -> None:
    promoted()
    tested({"name": "new", "version": version(fails_on="broken")})
    with pytest.raises(ModelFailed):
        ask_tested(text="it is broken")
    row = Prediction.objects.get()
    assert (row.status, row.variant, row.version) == ("error", "new", 2)
    assert ask("it is broken")[0].version == 1


def test_where_no_test_runs_a_failure_asks_for_no_exposure(promoted: Version) -> None:
    promoted(fails_on="broken")
    with CaptureQueriesContext(connection) as queries, pytest.raises(ModelFailed):
        ask_tested(text="it is broken")
    assert Prediction.objects.get().status == "error"
    assert not [one["sql"] for one in queries if "experiments_exposure" in one["sql"]]


def test_a_further_question_is_put_to_the_same_variant(
    promoted: Version, version: Version, tested: Tested, monkeypatch: pytest.MonkeyPatch
) -> None:
    promoted(positive=0.1)
    tested({"name": "new", "version": version(positive=0.2), "config": {"title": "Set"}})
    asked: list[SentimentInput] = []
    monkeypatch.setattr(Scripted, "before", staticmethod(asked.extend))

    def finish(output: SentimentOutput, again: Callable[[SentimentInput], SentimentOutput]) -> SentimentOutput:
        return again(SentimentInput("more"))

    serving.predict(SENTIMENT, [SentimentInput("fine")], user_id=7, tested=person(), finish=finish)
    assert asked == [SentimentInput("fine", "Set"), SentimentInput("more", "Set")]
    assert Prediction.objects.get().output["confidence"] == output_of(0.2).confidence


def test_a_task_without_a_live_version_is_unavailable_whatever_its_test_brings(
    promoted: Version, version: Version, tested: Tested
) -> None:
    promoted()
    tested({"name": "new", "version": version()})
    make_live(0)
    serving.refresh()
    assert serving.status()["sentiment"] == "no live version"
    with pytest.raises(serving.ModelUnavailable):
        ask_tested()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("batching", [False, True])
def test_no_request_fails_while_tests_start_and_stop_under_it(
    promoted: Version, version: Version, tested: Tested, batched: Callable[..., None], batching: bool
) -> None:
    if batching:
        batched(max_size=2)
    promoted(positive=0.1)
    test = tested({"name": "new", "version": version(positive=0.2)})
    stop = threading.Event()

    def keep_asking() -> set[tuple[int | None, str]]:
        found = set()
        while not stop.is_set():
            answer = ask_tested()
            assert answer.output == output_of(answer.version / 10)
            found.add((answer.version, Prediction.objects.get(pk=answer.prediction_id).variant))
        return found

    def start_and_stop() -> set[tuple[int | None, str]]:
        try:
            for state in ["stopped", "running"] * 15:
                ABTest.objects.filter(pk=test.pk).update(state=state)
                serving.refresh()
            return set()
        finally:
            stop.set()

    found = at_once(start_and_stop, *[keep_asking] * 3)
    assert set().union(*found) == {(1, ""), (2, "new")}
    assert Exposure.objects.count() == 1
