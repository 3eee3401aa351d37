"""Taking a version back, and what was live when."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from experiments import prediction_log, serving
from experiments.errors import Conflict, NotFound
from experiments.models import ModelVersion, Prediction, Promotion
from experiments.registry import live_at, live_version, version_promote, version_rollback
from nlp.ml.sentiment import SENTIMENT, SentimentInput
from recommendations.ml.recommend import RECOMMEND, Rated, RecommendInput
from tests.experiments.conftest import Version
from tests.experiments.scripted import Scripted

NOTHING = "sentiment has no version before the live one to go back to"


def back() -> int:
    return version_rollback(task="sentiment").to_version.version


def forth(version: int) -> None:
    version_promote(task="sentiment", version=version, force=True, reason="for a test")


def ask(text: str) -> None:
    serving.refresh()
    serving.predict(SENTIMENT, [SentimentInput(text)], user_id=None)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[SentimentInput]:
    """All inputs that a model got."""
    inputs: list[SentimentInput] = []
    monkeypatch.setattr(Scripted, "before", staticmethod(inputs.extend))
    return inputs


def test_rollback_puts_the_version_before_live_and_says_why(promoted: Version, staff: object) -> None:
    promoted()
    promoted()
    done = version_rollback(task="sentiment", by=staff.user, reason="complaints")
    done.refresh_from_db()
    assert (done.kind, done.reason, done.by, done.forced) == ("rollback", "complaints", staff.user, False)
    assert (done.from_version.version, done.to_version.version) == (2, 1)
    assert list(ModelVersion.objects.filter(live=True).values_list("version", flat=True)) == [1]


def test_each_rollback_goes_one_further_back_until_there_is_nothing(promoted: Version) -> None:
    for _ in range(3):
        promoted()
    assert [back(), back()] == [2, 1]
    with pytest.raises(Conflict, match=NOTHING):
        back()
    assert live_version("sentiment").version == 1


def test_a_version_that_was_live_twice_is_not_gone_back_to_for_ever(promoted: Version) -> None:
    promoted()
    promoted()
    forth(1)
    assert [back(), back()] == [2, 1]
    with pytest.raises(Conflict, match=NOTHING):
        back()


def test_rollback_after_a_rollback_and_a_promotion_goes_to_what_was_live_before_it(promoted: Version) -> None:
    promoted()
    promoted()
    back()
    promoted()
    assert back() == 1


def test_there_is_nothing_to_go_back_to_at_first(version: Version) -> None:
    version()
    with pytest.raises(Conflict, match=NOTHING):
        back()
    forth(1)
    with pytest.raises(Conflict, match=NOTHING):
        back()
    with pytest.raises(NotFound, match="no task flavour"):
        version_rollback(task="flavour")


def test_a_version_that_fails_on_a_logged_input_is_not_put_back(promoted: Version) -> None:
    promoted(fails_on="zipper")
    promoted()
    ask("the zipper broke")
    for _ in range(9):
        ask("fine")
    with pytest.raises(Conflict, match=r"sentiment 1 \(scripted\) failed on logged inputs \(RuntimeError\), so it was"):
        back()
    assert live_version("sentiment").version == 2
    assert Promotion.objects.count() == 2
    ask("fine")  # the tenth: the zipper is no more among the last ten
    assert back() == 1


def test_the_example_and_the_last_ten_answered_inputs_are_tried(promoted: Version, seen: list[SentimentInput]) -> None:
    promoted()
    promoted(fails_on="broken")
    for number in range(12):
        ask(f"review {number}")
    with pytest.raises(Exception, match="failed on this input"):
        ask("broken")
    seen.clear()
    back()
    assert seen[-11:] == [SENTIMENT.example, *(SentimentInput(f"review {number}") for number in range(11, 1, -1))]


def test_a_version_that_answers_something_else_is_not_put_back(
    promoted: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    promoted()
    promoted()
    monkeypatch.setattr(Scripted, "predict", lambda self, batch: ["positive"] * len(batch))
    with pytest.raises(Conflict, match="answered with something else than a SentimentOutput"):
        back()
    assert live_version("sentiment").version == 2


def test_inputs_that_the_log_shortened_can_still_be_answered(
    live: Callable[..., ModelVersion], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction_log, "MAX_TEXT", 12)
    monkeypatch.setattr(prediction_log, "MAX_ITEMS", 2)
    history = tuple(Rated(product, 4.0) for product in range(8))
    for task, given in [
        (SENTIMENT, SentimentInput("A long story about a zipper", "With a title")),
        (RECOMMEND, RecommendInput(history, exclude=(1, 2, 3))),
    ]:
        live(task.name)
        live(task.name)
        serving.predict(task, [given], user_id=None)
        logged = Prediction.objects.filter(task=task.name).get().input
        assert max(len(value) for value in logged.values() if isinstance(value, str | list)) <= 12
        assert logged != serving.to_json(given)
        assert version_rollback(task=task.name).to_version.version == 1


@pytest.mark.django_db
def test_the_timeline_knows_what_was_live_at_any_moment(promoted: Version) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    promoted()
    promoted()
    back()
    for hours, change in enumerate(Promotion.objects.order_by("id")):
        Promotion.objects.filter(pk=change.pk).update(at=start + timedelta(hours=hours))
    moments = [start + timedelta(hours=hours) for hours in (-0.1, 0, 0.5, 1, 1.9, 2, 1000)]
    found = [live_at(task="sentiment", at=moment) for moment in moments]
    assert [row and row.version for row in found] == [None, 1, 1, 2, 2, 1, 1]
    assert live_at(task="recommend", at=timezone.now()) is None
    with pytest.raises(NotFound, match="no task flavour"):
        live_at(task="flavour", at=start)
