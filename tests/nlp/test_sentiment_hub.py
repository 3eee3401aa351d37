"""Sentiment by a classifier that somebody brings."""

from typing import Any

import pytest

from experiments.discovery import task_named
from experiments.errors import DomainError, Invalid
from experiments.mltask import no_progress
from nlp.ml.sentiment import SentimentInput
from nlp.ml.sentiment_hub import share_of_positive
from tests.outside import judge

TASK = task_named("sentiment")


def brought(model: str) -> Any:
    return TASK.algorithms["hub"](model=model).fit(TASK.tiny(), progress=no_progress)


@pytest.mark.parametrize(
    ("labels", "shares"),
    [
        (("NEGATIVE", "POSITIVE"), [0, 1]),
        (("LABEL_0", "LABEL_1"), [0, 1]),
        (("negative", "neutral", "positive"), [0, 0.5, 1]),
        (("1 star", "2 stars", "3 stars", "4 stars", "5 stars"), [0, 0, 0, 1, 1]),
        (("Very Negative", "Negative", "Neutral", "Positive", "Very Positive"), [0, 0, 0.5, 1, 1]),
    ],
)
def test_labels_are_read_as_sentiments_or_stars(labels: tuple[str, ...], shares: list[float]) -> None:
    assert share_of_positive(labels).tolist() == shares


@pytest.mark.parametrize("labels", [("cat", "dog"), ("positive", "positive too"), ("LABEL_0", "LABEL_1", "LABEL_2")])
def test_labels_that_are_neither_are_refused_by_name(labels: tuple[str, ...]) -> None:
    with pytest.raises(DomainError, match=labels[0]):
        share_of_positive(labels)


def test_a_neutral_answer_counts_half() -> None:
    model = brought(str(judge()))
    ids = model.fast.encode("soft", add_special_tokens=False).ids
    negative, neutral, positive = model.shares(ids)
    [answer] = model.predict([SentimentInput("soft")])
    assert answer.scores.positive == pytest.approx(positive + neutral / 2)
    assert negative + neutral + positive == pytest.approx(1)


def test_a_long_text_is_read_to_its_end() -> None:
    model = brought(str(judge()))
    long = "soft " * 200
    answers = model.predict([SentimentInput(long), SentimentInput(long + "zzz zzz zzz qqq qqq qqq " * 20)])
    assert abs(answers[0].scores.positive - answers[1].scores.positive) > 1e-3


@pytest.mark.parametrize(
    ("model", "says"),
    [("", "--model distilbert"), ("/no/such/folder", "There is no folder"), ("./here", "There is no folder")],
)
def test_what_is_not_there_is_refused_in_words(model: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        brought(model)


def test_a_folder_of_something_else_is_refused_in_words(tmp_path: Any) -> None:
    with pytest.raises(DomainError, match="No network of this kind can be loaded"):
        brought(str(tmp_path))
