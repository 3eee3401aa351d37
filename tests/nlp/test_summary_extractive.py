"""Summaries made of the text's own sentences: their bounds, their order, and what is said once only."""

import math
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments.discovery import task_named
from experiments.errors import Invalid
from experiments.mltask import Examples, no_progress
from nlp.ml.sentences import sentences_of
from nlp.ml.summary import EXAMPLE, SummaryInput, checked, cut, rouge1, tiny, trimmed
from nlp.ml.summary_words import stem

WORDS = len(EXAMPLE.split())


@pytest.fixture(scope="module")
def model() -> Any:
    return fit()


def fit(**params: Any) -> Any:
    return task_named("summary").algorithms["extractive"](**params).fit(tiny(), progress=no_progress)


def summary(model: Any, text: str, most: int = 130, least: int = 30) -> str:
    [output] = model.predict([SummaryInput(text, most, least)])
    assert output.original_length == len(text.split())
    assert output.summary_length == len(output.summary.split()) <= most
    assert output.method == "extractive"
    return str(output.summary)


def test_the_first_algorithm_of_the_task_is_the_extractive_one() -> None:
    assert next(iter(task_named("summary").algorithms)) == "extractive"


@pytest.mark.parametrize(("most", "least"), [(5, 5), (9, 0), (20, 10), (30, 29), (60, 50), (WORDS, WORDS - 1)])
def test_a_summary_keeps_both_bounds(model: Any, most: int, least: int) -> None:
    assert least <= len(summary(model, EXAMPLE, most, least).split()) <= most


def test_sentences_stand_in_the_order_of_the_text_and_as_they_stand_there(model: Any) -> None:
    places = [EXAMPLE.index(one.text) for one in sentences_of(summary(model, EXAMPLE, 50, 40))]
    assert len(places) > 3
    assert places == sorted(places)


def test_a_shorter_bound_leaves_sentences_out_and_does_not_cut_them(model: Any) -> None:
    for most in range(6, 40):
        assert {one.text for one in sentences_of(summary(model, EXAMPLE, most, 0))} <= {
            one.text for one in sentences_of(EXAMPLE)
        }


def test_what_is_said_three_times_is_in_the_summary_once(model: Any) -> None:
    said = "The zip broke after two days."
    text = f"{said} I took it on a trip to Spain.\n{said} My sister chose the blue one.\n{said} It came in a small box."
    assert summary(model, text, 30, 15).count(said) == 1


def test_a_text_that_only_repeats_itself_is_summed_up_by_one_sentence(model: Any) -> None:
    assert summary(model, "It fits me very well. " * 100) == "It fits me very well."


def test_what_most_reviews_say_is_preferred_to_what_one_says(model: Any) -> None:
    common = ["The battery lasts long.", "Long battery life.", "The battery lasts two days.", "Battery lasts a week."]
    text = "\n".join([*common, "My uncle bought a boat.", "The parcel was green."])
    assert "battery" in summary(model, text, 5, 0).lower()


def test_a_text_shorter_than_the_least_length_is_returned_as_it_is(model: Any) -> None:
    text = "  Good.\n\nIt   fits, and so on"
    assert summary(model, text) == text


def test_a_sentence_longer_than_the_bound_is_cut_at_a_word(model: Any) -> None:
    text = " ".join(f"word{number}" for number in range(200))
    found = summary(model, text, 40, 10)
    assert found == " ".join(f"word{number}" for number in range(40)) + "…"


def test_where_whole_sentences_are_too_few_words_the_last_one_is_cut(model: Any) -> None:
    first, second = ("The " + f"{word} " * 28 + "end." for word in ("shirt", "kettle"))
    found = summary(model, f"{first} {second}", 50, 40)
    assert len(found.split()) == 50
    assert found.endswith("…")


@pytest.mark.parametrize("text", ["😀", "😀😀 🎉 ☃", "a", "?", " . ", "\u200b", "雨", "\u0130 i"])
@pytest.mark.parametrize("least", [0, 30])
def test_a_text_of_hardly_anything_has_a_summary(model: Any, text: str, least: int) -> None:
    assert set(summary(model, text, 30, least).split()) <= set(text.split())
    assert summary(model, text, 30, least).strip()


def test_emoji_alone_are_cut_to_the_bound(model: Any) -> None:
    assert len(summary(model, "😀 🎉 " * 500, 7, 3).split()) == 7


@pytest.mark.parametrize(
    "text",
    [
        " ".join(f"The part {number} of it works well." for number in range(1_000)),
        "".join(f"{number}! " for number in range(10_000)),
        "x" * 20_000,
        "😀" * 20_000,
        "a b " * 5_000,
        "." * 20_000,
        ". " * 10_000,
        "Mr. " * 5_000,
        '".' * 10_000,
    ],
    ids=["sentences", "numbers", "one word", "emoji", "words", "stops", "stops apart", "titles", "quotes"],
)
def test_twenty_thousand_characters_take_seconds(model: Any, text: str) -> None:
    start = time.process_time()
    assert summary(model, text[:20_000], 1_000, 500)
    assert time.process_time() - start < 10


def test_bounds_that_contradict_each_other_are_refused_by_name() -> None:
    with pytest.raises(Invalid, match=r"Expected at least min_length \(30\), got 29\.") as caught:
        checked(SummaryInput("text", 29, 30))
    assert (caught.value.field, caught.value.field_code) == ("max_length", "min_value")
    assert checked(SummaryInput("text", 30, 30)) == SummaryInput("text", 30, 30)


def test_where_bounds_contradict_each_other_all_the_same_the_upper_one_holds(model: Any) -> None:
    assert len(summary(model, EXAMPLE, 6, 30).split()) == 6


@pytest.mark.parametrize("params", [{"share": 0.0}, {"share": 1.5}, {"again": 1.0}, {"share": math.nan}])
def test_parameters_out_of_bounds_are_refused(params: dict[str, float]) -> None:
    with pytest.raises(Invalid, match="share must be over 0"):
        fit(**params)


def test_the_measure_counts_the_words_that_are_shared() -> None:
    assert rouge1("The cat sat", "the CAT slept here") == pytest.approx(2 * 2 / 7)
    assert rouge1("a a a", "a b") == pytest.approx(2 / 5)
    assert rouge1("x", "y") == rouge1("", "y") == 0.0


def test_a_summary_that_is_the_reference_scores_one_and_no_rows_score_nothing(model: Any) -> None:
    rows = pd.DataFrame({"unit": [1], "text": ["It fits."], "summary": ["it FITS"]})
    assert model.evaluate(Examples(rows)) == {"rouge1": 1.0}
    assert np.isnan(model.evaluate(Examples(rows[:0]))["rouge1"])


def test_a_text_is_trimmed_at_a_sentence_where_that_leaves_enough() -> None:
    assert trimmed("One two. Three four five. Six", 2, 6) == "One two. Three four five. Six"
    assert trimmed("One two. Three four five. Six", 2, 5) == "One two. Three four five."
    assert trimmed("One two. Three four five. Six", 3, 4) == "One two. Three four…"
    assert cut("one, two, three", 2) == "one, two…"


@pytest.mark.parametrize(
    "words", [("fit", "fits", "fitting", "fitted"), ("battery", "batteries"), ("dress", "dresses"), ("wash", "washed")]
)
def test_forms_of_a_word_are_one(words: tuple[str, ...]) -> None:
    assert len({stem(word) for word in words}) == 1


def test_words_that_only_look_alike_stay_apart() -> None:
    words = ["boss", "bos", "this", "thing", "string", "bed", "fly", "is", "as"]
    assert len({stem(word) for word in words}) == len(words)
