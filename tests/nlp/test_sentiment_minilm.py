"""The transformer for sentiment, taught for a moment on the tiny examples."""

from collections.abc import Callable
from typing import Any

import pytest

from experiments.errors import DomainError, Invalid
from experiments.mltask import Examples, no_progress
from nlp.ml.sentiment import SENTIMENT, SentimentInput
from nlp.ml.sentiment_minilm import MiniLMSentiment


@pytest.fixture(scope="module")
def model(fitted: Callable[..., Any]) -> Any:
    return fitted("sentiment", "minilm")


def test_the_network_and_the_n_grams_both_have_a_say(model: Any) -> None:
    scores = model._scores("", "Lovely soft fabric")
    assert scores.shape == model.weights.shape == (4,)
    assert scores[3] == model.ngrams.logit("", "Lovely soft fabric")
    assert model.ngrams.logit("", "Lovely soft fabric") > 0 > model.ngrams.logit("", "Terrible fabric")
    assert (model.weights != 0).all()


def test_a_long_text_is_read_to_its_end_by_the_network(model: Any) -> None:
    praise = "Lovely soft fabric, fits well. " * 60
    assert len(model.tokens.windows(praise)) > 1
    ends = [model._scores("", praise + end)[:3] for end in ("I love it", "I hate it")]
    assert (ends[0] != ends[1]).all()


def test_reviews_that_leave_none_to_calibrate_on_are_refused() -> None:
    with pytest.raises(DomainError, match="too few"):
        MiniLMSentiment().fit(Examples(SENTIMENT.tiny().rows[:1]), progress=no_progress)


@pytest.mark.parametrize("params", [{"epochs": 0.0}, {"rate": 0.0}, {"rate": float("nan")}, {"batch": 0}])
def test_parameters_of_nothing_are_refused(params: dict[str, float]) -> None:
    with pytest.raises(Invalid, match="over 0"):
        MiniLMSentiment(**params).fit(SENTIMENT.tiny(), progress=no_progress)


def test_the_answer_changes_with_the_title(model: Any) -> None:
    one, other = model.predict([SentimentInput("The fabric is soft", title) for title in ("Love it", "Hate it")])
    assert one.scores.positive > other.scores.positive
