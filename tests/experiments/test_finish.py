"""What a caller may do to an answer before it is logged: finish it, ask the same version again, say how it came."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from experiments import serving
from experiments.errors import Invalid, ModelFailed, ModelUnavailable
from experiments.models import Prediction
from nlp.ml.sentiment import SENTIMENT, SentimentInput, SentimentOutput, output_of
from tests.experiments.asking import make_live
from tests.experiments.conftest import Version
from tests.experiments.scripted import Scripted

Again = Callable[[SentimentInput], SentimentOutput]


def ask(finish: Callable[[SentimentOutput, Again], Any], **facts: Any) -> serving.Answer[Any]:
    [answer] = serving.predict(SENTIMENT, [SentimentInput("fine")], user_id=7, finish=finish, **facts)
    return answer


def test_what_finish_makes_of_an_output_is_answered_and_logged(promoted: Version) -> None:
    promoted(positive=0.9)
    answer = ask(lambda output, again: replace(output, confidence=0.25))
    assert answer.output == replace(output_of(0.9), confidence=0.25)
    row = Prediction.objects.get()
    assert (row.output["confidence"], row.confidence) == (0.25, 0.25)


@pytest.mark.parametrize("batching", [False, True])
def test_a_further_question_goes_to_the_same_version_and_is_not_logged(
    promoted: Version, batched: Callable[..., None], monkeypatch: pytest.MonkeyPatch, batching: bool
) -> None:
    if batching:
        batched()
    promoted(positive=0.9)
    asked: list[SentimentInput] = []
    monkeypatch.setattr(Scripted, "before", staticmethod(asked.extend))
    serving.refresh()
    asked.clear()
    answer = ask(lambda output, again: again(SentimentInput("wider")))
    assert asked == [SentimentInput("fine"), SentimentInput("wider")]
    assert answer.output == output_of(0.9)
    assert Prediction.objects.get().input["text"] == "fine"


@pytest.mark.parametrize("batching", [False, True])
def test_a_model_that_fails_on_a_further_question_has_failed(
    promoted: Version, batched: Callable[..., None], batching: bool
) -> None:
    if batching:
        batched()
    promoted(fails_on="wider")
    with pytest.raises(ModelFailed, match="The model for sentiment failed on this input"):
        ask(lambda output, again: again(SentimentInput("wider")))
    row = Prediction.objects.get()
    assert (row.status, row.output, row.input["text"]) == ("error", {"error": "RuntimeError"}, "fine")


def test_a_model_that_answers_a_further_question_with_nonsense_has_failed(
    promoted: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    promoted()
    serving.refresh()
    outputs = iter([[output_of(0.9)], [output_of(float("nan"))]])
    monkeypatch.setattr(Scripted, "predict", lambda self, batch: next(outputs))
    with pytest.raises(ModelUnavailable):
        ask(lambda output, again: again(SentimentInput("wider")))
    assert Prediction.objects.get().output == {"error": "ValueError"}


def test_a_model_may_refuse_a_further_question_in_words(promoted: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    promoted()
    serving.refresh()

    def refuse(batch: Any) -> None:
        if batch[0].text == "wider":
            raise Invalid("text", "That is too wide.")

    monkeypatch.setattr(Scripted, "before", staticmethod(refuse))
    with pytest.raises(Invalid, match="too wide"):
        ask(lambda output, again: again(SentimentInput("wider")))
    assert not Prediction.objects.exists()


def test_an_error_of_finish_itself_is_not_the_models(promoted: Version) -> None:
    promoted()
    with pytest.raises(KeyError):
        ask(lambda output, again: {}["nothing"])
    assert not Prediction.objects.exists()


def test_where_the_version_is_swapped_in_between_the_new_one_answers_both_questions(
    promoted: Version, batched: Callable[..., None]
) -> None:
    batched()
    promoted(positive=0.1)
    serving.refresh()
    promoted(positive=0.2)
    make_live(1)
    seen = []

    def finish(output: SentimentOutput, again: Again) -> SentimentOutput:
        if not seen:
            make_live(2)
            serving.refresh()
        seen.append(output)
        return again(SentimentInput("wider"))

    answer = ask(finish)
    assert seen == [output_of(0.1), output_of(0.2)]
    assert (answer.version, answer.output) == (2, output_of(0.2))
    assert Prediction.objects.get().version == 2


@pytest.mark.parametrize(("degraded", "status"), [(False, "ok"), (True, "fallback")])
def test_an_answer_that_stands_in_for_a_better_one_is_a_fallback_in_the_log(
    promoted: Version, degraded: bool, status: str
) -> None:
    promoted()
    ask(lambda output, again: output, degraded=degraded)
    assert Prediction.objects.get().status == status


@dataclass(frozen=True)
class Said:
    method: str


@pytest.mark.parametrize(("said", "logged"), [("by the model", "by the model"), ("", "by the caller")])
def test_the_method_that_an_output_names_is_the_logs(promoted: Version, said: str, logged: str) -> None:
    promoted()
    ask(lambda output, again: Said(said), method="by the caller")
    assert Prediction.objects.get().method == logged
