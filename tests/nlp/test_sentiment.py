"""The sentiment model: what it learns, what it refuses to learn from, and its measures."""

import math
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from experiments.errors import DomainError, Invalid
from experiments.mltask import Examples, no_progress
from nlp.ml.sentiment import SENTIMENT, SentimentInput, SentimentOutput, TfidfSentiment, output_of, scores_of, tiny


def examples(rows: list[tuple[str, str, float]]) -> Examples:
    return Examples(pd.DataFrame(rows, columns=["title", "text", "stars"]))


def fit(rows: Examples | None = None, **params: Any) -> TfidfSentiment:
    return TfidfSentiment(**params).fit(rows or tiny(), progress=no_progress)


def positive(model: TfidfSentiment, text: str, title: str = "") -> float:
    [output] = model.predict([SentimentInput(text, title)])
    return output.scores.positive


class Fixed:
    """Says what it was told to, whatever is asked."""

    def __init__(self, *positives: float) -> None:
        self.positives = positives

    def predict(self, batch: list[SentimentInput]) -> list[SentimentOutput]:
        return [output_of(one) for one in self.positives[: len(batch)]]


def test_praise_is_positive_and_complaint_is_negative() -> None:
    model = fit()
    assert positive(model, "I love it, lovely soft fabric") > 0.8
    assert positive(model, "I hate it, terrible fabric") < 0.2


def test_words_after_a_negation_are_read_with_it() -> None:
    model = fit()
    assert positive(model, "not bad at all") > 0.5 > positive(model, "not good at all")


def test_a_title_counts_beside_the_text() -> None:
    rows = [("Great", "It came on Monday", 5), ("Poor", "It came on Monday", 1)] * 5
    model = fit(examples(rows))
    assert positive(model, "It came on Monday", "Great") > 0.5 > positive(model, "It came on Monday", "Poor")
    assert positive(model, "It came on Monday") == pytest.approx(0.5, abs=0.1)


def test_a_rare_class_is_not_drowned_by_a_common_one() -> None:
    rows = [("", f"lovely lamp number {number}", 5) for number in range(95)]
    rows += [("", f"broken lamp number {number}", 1) for number in range(5)]
    model = fit(examples(rows))
    assert positive(model, "broken lamp") < 0.5 < positive(model, "lovely lamp")


def test_a_text_of_unknown_words_is_answered_with_little_confidence() -> None:
    model = fit()
    assert 0.3 < positive(model, "zebra") == positive(model, "quartz ...") < 0.7


@pytest.mark.parametrize(
    ("probability", "sentiment", "confidence"),
    [(0.5, "positive", 0.5), (0.25, "negative", 0.75), (1.0, "positive", 1.0)],
)
def test_an_answer_names_the_likelier_side(probability: float, sentiment: str, confidence: float) -> None:
    output = output_of(probability)
    assert (output.sentiment, output.confidence) == (sentiment, confidence)
    assert output.scores.positive + output.scores.negative == 1


def test_extreme_scores_are_still_probabilities() -> None:
    model = fit()
    for intercept in (1e308, -1e308):
        model.intercept = intercept
        assert 0 <= positive(model, "lovely") <= 1


def test_training_twice_gives_the_same_model() -> None:
    inputs = [SentimentInput("lovely"), SentimentInput("poor fit", "so so")]
    assert fit().predict(inputs) == fit().predict(inputs)


@pytest.mark.parametrize("stars", [(5, 4), (1, 3.5), (3, 2)])
def test_reviews_of_one_kind_are_refused(stars: tuple[float, float]) -> None:
    with pytest.raises(DomainError, match=r"needs positive and negative reviews .* only one kind"):
        fit(examples([("", "fine", one) for one in stars] * 5))


@pytest.mark.parametrize(("upper", "lower"), [(4, 3.5), (5, 1), (4, 1), (5, 3)])
def test_four_stars_and_up_are_positive_wherever_the_others_lie(upper: float, lower: float) -> None:
    model = fit(examples([("", "lovely lamp", upper), ("", "broken lamp", lower)] * 5))
    assert positive(model, "broken") < 0.5 < positive(model, "lovely")


def test_reviews_without_a_common_word_are_refused() -> None:
    with pytest.raises(DomainError, match="No word stands in 2 reviews or more"):
        fit(examples([("", "lovely", 5), ("", "broken", 1)]))
    with pytest.raises(DomainError, match="No word stands in 1 reviews or more"):
        fit(examples([("", "...", 5), ("", "", 1)]), min_df=1)


@pytest.mark.parametrize("params", [{"c": 0}, {"c": -1}, {"smoothing": 0}, {"longest": 0}, {"min_df": 0}])
def test_parameters_out_of_bounds_are_refused(params: dict[str, float]) -> None:
    with pytest.raises(Invalid, match="must be over 0") as refused:
        fit(**params)
    assert refused.value.field == "param"


def test_stronger_regularisation_is_less_sure() -> None:
    text = "I love it"
    assert 0.5 < positive(fit(c=0.01), text) < positive(fit(c=100), text)


def test_measures_are_those_of_the_textbook() -> None:
    rows = examples([("", "a", 5), ("", "b", 5), ("", "c", 5), ("", "d", 1)])
    found = scores_of(Fixed(0.9, 0.8, 0.3, 0.4), rows)
    # positive: precision 2/2, recall 2/3, F1 0.8; negative: precision 1/2, recall 1/1, F1 2/3
    assert found["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
    assert found["accuracy"] == 0.75
    assert found["auc"] == pytest.approx(2 / 3)  # of the three pairs, the one with 0.3 is the wrong way round


def test_with_one_class_the_area_under_the_curve_is_undefined_and_the_rest_is_not() -> None:
    found = scores_of(Fixed(0.9, 0.8), examples([("", "a", 5), ("", "b", 5)]))
    assert math.isnan(found["auc"])
    assert (found["macro_f1"], found["accuracy"]) == (1.0, 1.0)


def test_the_task_is_compared_by_macro_f1() -> None:
    assert (SENTIMENT.metric, SENTIMENT.higher_is_better, SENTIMENT.max_instances) == ("macro_f1", True, 256)
    assert positive(fit(), **vars(replace(SENTIMENT.example))) > 0.5
