"""Labels of models under one vocabulary, words with labels joined to entities, and how many of them are right."""

import math
from typing import Any

import pandas as pd
import pytest

from experiments.mltask import Examples
from nlp.ml.entities import KINDS, EntitiesInput, EntitiesOutput, Entity, as_text, kind_of, output_of, scores_of
from nlp.ml.spans import Found, Span, f1, joined, merged, words_of


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("PERSON", "PER"), ("I-PER", "PER"), ("B-person", "PER"), ("NORP", "MISC"), ("GPE", "LOC"), ("FAC", "LOC"),
        ("B-location", "LOC"), ("B-corporation", "ORG"), ("I-group", "ORG"), ("ORG", "ORG"), ("PRODUCT", "PRODUCT"),
        ("B-creative-work", "WORK"), ("WORK_OF_ART", "WORK"), ("MISC", "MISC"), ("TIME", "DATE"), ("MONEY", "MONEY"),
        ("CARDINAL", "NUMBER"), ("PERCENT", "NUMBER"), ("LABEL_3", "MISC"), ("", "MISC"), ("B-", "MISC"),
    ],
)  # fmt: skip
def test_labels_of_every_known_model_have_a_kind_and_others_are_misc(label: str, kind: str) -> None:
    assert kind_of(label) == kind


def test_kinds_come_in_one_order_and_only_those_that_there_are() -> None:
    text = "Monday Oslo Ann Rome"
    spans = [Span(16, 20, "GPE"), Span(0, 6, "DATE"), Span(12, 15, "PERSON"), Span(7, 11, "location")]
    found = output_of(text, spans).entities
    assert list(found) == ["PER", "LOC", "DATE"]
    assert [(one.word, one.label) for one in found["LOC"]] == [("Oslo", "location"), ("Rome", "GPE")]
    assert list(found) == [kind for kind in KINDS if kind in found]


def test_white_space_around_an_entity_is_left_out_and_an_empty_one_with_it() -> None:
    found = output_of("a \r\n Oslo \n b", [Span(1, 12, "LOC", 0.5), Span(2, 4, "PER")])
    assert found == EntitiesOutput({"LOC": (Entity("Oslo", 0.5, 5, 9, "LOC"),)})


def spans(*labels: str) -> list[tuple[int, int, str]]:
    """Places in words."""
    found = joined([(number, number + 1) for number in range(len(labels))], labels)
    return [(one.start, one.end, one.label) for one in found]


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        (["B-PER", "I-PER", "O", "B-LOC"], [(0, 2, "PER"), (3, 4, "LOC")]),
        (["B-PER", "B-PER"], [(0, 1, "PER"), (1, 2, "PER")]),
        (["I-PER", "I-PER", "I-ORG"], [(0, 2, "PER"), (2, 3, "ORG")]),  # CoNLL-2003 begins with I-
        (["B-PER", "E-PER", "S-PER"], [(0, 2, "PER"), (2, 3, "PER")]),
        (["B-PER", "L-PER", "I-PER"], [(0, 2, "PER"), (2, 3, "PER")]),
        (["PER", "PER", "O", "PER"], [(0, 2, "PER"), (3, 4, "PER")]),
        (["O", "O"], []),
        ([], []),
    ],
)
def test_words_with_labels_are_joined_to_entities(labels: list[str], wanted: list[Any]) -> None:
    assert spans(*labels) == wanted


def test_the_score_of_an_entity_is_the_mean_of_its_words() -> None:
    [span] = joined([(0, 3), (4, 8)], ["B-LOC", "I-LOC"], [0.9, 0.6])
    assert span == Span(0, 8, "LOC", pytest.approx(0.75))


def test_an_entity_that_two_windows_see_is_taken_once_where_it_stands_further_inside() -> None:
    first = Found(0, 100, [Span(10, 14, "LOC"), Span(70, 75, "LOC", 0.9), Span(95, 99, "PER")])
    second = Found(60, 160, [Span(70, 75, "ORG", 0.3), Span(90, 99, "ORG"), Span(150, 155, "LOC")])
    found = merged(160, [first, second])
    assert found == [Span(10, 14, "LOC"), Span(70, 75, "LOC", 0.9), Span(90, 99, "ORG"), Span(150, 155, "LOC")]


def test_what_only_the_edge_of_a_window_shows_is_not_believed() -> None:
    assert merged(160, [Found(0, 100, [Span(97, 100, "LOC")]), Found(60, 160, [])]) == []
    assert merged(100, [Found(0, 100, [Span(97, 100, "LOC")])]) == [Span(97, 100, "LOC")]  # that edge is the text's own


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I love New York, it's great!", ["I", "love", "New", "York", ",", "it", "'", "s", "great", "!"]),
        ("@ann, #Oslo at https://x.org/a?b (now)", ["@ann", ",", "#Oslo", "at", "https://x.org/a?b", "(", "now", ")"]),
        ("U.S. Coca-Cola AT&T 3.5", ["U.S.", "Coca-Cola", "AT&T", "3.5"]),
        ("Ame\u0301lie🎉 met\u00a0Zoë", ["Ame\u0301lie", "🎉", "met", "Zoë"]),
        ("شهر تهران، ایران", ["شهر", "تهران،", "ایران"]),
        ("می\u200cرود", ["می\u200cرود"]),
    ],
)  # fmt: skip
def test_words_are_told_apart_with_their_marks(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in words_of(text)] == words


def test_f1_counts_whole_entities_over_all_texts() -> None:
    figures = f1([{1, 2}, {3}], [{1}, {3, 4, 5}])
    assert figures == {"f1": pytest.approx(4 / 7), "precision": pytest.approx(2 / 3), "recall": pytest.approx(0.5)}
    assert f1([{1}], [set()]) == {"f1": 0.0, "precision": 0.0, "recall": 0.0}


class Says:
    """Answers Oslo as a place and 2019 as a date, wherever they stand."""

    def predict(self, batch: list[EntitiesInput]) -> list[EntitiesOutput]:
        return [output_of(one.text, self.spans(one.text)) for one in batch]

    def spans(self, text: str) -> list[Span]:
        labels = {"Oslo": "GPE", "2019": "DATE"}
        return [Span(text.index(word), text.index(word) + 4, label) for word, label in labels.items() if word in text]


def scored(*rows: tuple[str, str]) -> dict[str, float]:
    columns = {"unit": range(len(rows)), "words": [tuple(one.split()) for one, _ in rows],
               "labels": [tuple(one.split()) for _, one in rows]}  # fmt: skip
    return scores_of(Says(), Examples(pd.DataFrame(columns)))


def test_an_answer_is_right_where_its_ends_and_its_kind_are() -> None:
    assert scored(("in Oslo", "O B-location"), ("Oslo Airport", "B-location I-location"))["f1"] == 0.5
    assert scored(("in Oslo", "O B-LOC"))["f1"] == 1.0
    assert scored(("in Oslo", "O B-PER"))["f1"] == 0.0


def test_dates_are_held_against_nobody_where_the_labels_know_none() -> None:
    assert scored(("Oslo 2019", "B-LOC O"))["precision"] == 1.0
    assert scored(("Oslo 2019", "B-LOC O"), ("in May", "O B-DATE"))["precision"] == 0.5


def test_without_rows_there_is_no_figure() -> None:
    rows = pd.DataFrame({"unit": [], "words": [], "labels": []})
    assert all(math.isnan(figure) for figure in scores_of(Says(), Examples(rows)).values())


def test_words_are_found_again_in_the_text_that_joins_them() -> None:
    text, places = as_text(["Zoë", "🎉", "x"])
    assert [text[start:end] for start, end in places] == ["Zoë", "🎉", "x"]
