"""What the reviews of a product agree on, where they differ, and what they speak of."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from experiments.mltask import Examples, no_progress
from nlp.ml.review_points import Points
from nlp.ml.review_summary import REVIEW_SUMMARY, ReviewSummaryInput, ReviewSummaryOutput, Said

SOFT = [
    "The fabric is very soft.",
    "Such a soft fabric, I love it.",
    "Really soft fabric all over.",
    "The fabric feels soft.",
]
ZIPPER = ["The zipper broke after one week.", "My zipper broke in a week.", "The zipper is broken already."]


@pytest.fixture(scope="module")
def points() -> Points:
    return Points().fit(REVIEW_SUMMARY.tiny(), progress=no_progress)


def said(up: Sequence[str] = (), down: Sequence[str] = ()) -> tuple[Said, ...]:
    """One sentence a review: the content ones are numbered from 1, the others from 101."""
    return (
        *(Said(number, text, 0.95, True) for number, text in enumerate(up, 1)),
        *(Said(number, text, 0.05, False) for number, text in enumerate(down, 101)),
    )


@pytest.fixture
def summary(points: Points) -> Callable[..., ReviewSummaryOutput]:
    return lambda *sides: points.predict([ReviewSummaryInput(said(*sides))])[0]


def test_each_side_speaks_in_a_sentence_that_cites_who_says_the_same(summary: Callable[..., Any]) -> None:
    found = summary(SOFT, ZIPPER)
    up = next(one for one in found.sentences if one.positive)
    down = next(one for one in found.sentences if not one.positive)
    assert up.text in SOFT
    assert set(up.review_ids) == {1, 2, 3, 4}
    assert down.text in ZIPPER
    assert set(down.review_ids) == {101, 102, 103}
    assert found.summary.startswith("4 of 7 reviewers are content: “")
    assert "3 of 7 reviewers are not content: “" in found.summary


def test_the_review_that_a_sentence_is_from_is_cited_first(summary: Callable[..., Any]) -> None:
    up, down = SOFT, ZIPPER
    for one in summary(up, down).sentences:
        assert one.review_ids[0] == ((up.index(one.text) + 1) if one.positive else down.index(one.text) + 101)


def test_a_side_of_very_few_has_no_sentence(summary: Callable[..., Any]) -> None:
    found = summary(SOFT * 5, ZIPPER[:1])
    assert all(one.positive for one in found.sentences)


def test_a_sentence_that_contradicts_its_review_stands_for_nobody(points: Points) -> None:
    """Irony, or a model that errs: the stars of the review say otherwise."""
    given = (
        *said(SOFT),
        Said(9, "The fabric is very soft and lovely.", 0.97, False),
        Said(9, "It is bad.", 0.03, False),
    )
    [found] = points.predict([ReviewSummaryInput(given)])
    assert all(9 not in one.review_ids for one in found.sentences if one.positive)


def test_what_is_said_once_already_is_not_said_again(summary: Callable[..., Any]) -> None:
    texts = [one.text for one in summary(SOFT * 3).sentences]
    assert len(texts) == 1


def test_aspects_are_nouns_of_several_reviews_with_counts_and_quotes(summary: Callable[..., Any]) -> None:
    found = {one.name: one for one in summary(SOFT, ZIPPER).aspects}
    assert (found["fabric"].positive, found["fabric"].negative) == (4, 0)
    assert (found["zipper"].positive, found["zipper"].negative) == (0, 3)
    assert {one.text for one in found["zipper"].quotes} <= set(ZIPPER)
    assert all(ZIPPER[one.review_id - 101] == one.text for one in found["zipper"].quotes)


def test_plurals_and_words_that_mean_the_same_are_one_aspect(summary: Callable[..., Any]) -> None:
    found = summary(["The buttons are pretty.", "A pretty button at the top.", "I like the button."])
    assert [one.name for one in found.aspects] == ["button"]


def test_of_a_thousand_reviews_each_side_cites_its_own(points: Points) -> None:
    draw = np.random.default_rng(0)
    parts, words = ["sleeve", "collar", "hem", "lining"], ["soft", "neat", "warm", "light"]
    given = tuple(
        Said(
            at,
            f"The {draw.choice(parts)} is {draw.choice(words)} and fits number {at}.",
            0.1 + 0.8 * (at < 700),
            at < 700,
        )
        for at in range(1_000)
    )
    [found] = points.predict([ReviewSummaryInput(given)])
    assert {one.positive for one in found.sentences} == {True, False}
    assert all((number < 700) is one.positive for one in found.sentences for number in one.review_ids)


@pytest.mark.parametrize("texts", [[], ["ok"], ["😀" * 40], ["a"] * 3])
def test_nothing_to_say_is_said_in_no_words(texts: list[str], summary: Callable[..., Any]) -> None:
    found = summary(texts)
    assert found.sentences == ()
    assert found.summary == ""


def test_agreement_is_the_share_of_sentences_of_the_mind_of_those_they_cite(points: Points) -> None:
    assert points.evaluate(REVIEW_SUMMARY.tiny()) == {"agreement": 1.0}
    assert np.isnan(points.evaluate(Examples(REVIEW_SUMMARY.tiny().rows[:0]))["agreement"])
