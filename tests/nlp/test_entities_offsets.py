"""Where an entity stands, in the text as it was sent: whatever that text is made of, and however long it is."""

# ruff: noqa: RUF001  # letters of other scripts are what this is about

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from experiments.discovery import task_named
from nlp.ml.entities import EntitiesInput, Entity

ALGORITHMS = ["spacy", "hub", "minilm"]
every = pytest.mark.parametrize("algorithm", ALGORITHMS)
Fitted = Callable[..., Any]
TEXTS = {
    "emoji": "😀😀 I met Maria in New York 🎉🇩🇪 and Peter in Berlin👍🏽!",
    "a family of joiners": "👩‍👩‍👧 Maria went to Berlin 👩‍👩‍👧 with Peter",
    "combining marks": "Cafe\u0301 Mari\u0301a, A\u030angstro\u0308m and Peter in Berlin",
    "lines of Windows": "I met Maria\r\nin New York.\r\n\r\nPeter lives in\r\nBerlin.\r\n",
    "right to left": "\u200fماريا في برلين\u200f and Maria in Berlin, \u202bשלום\u202c Peter",
    "wide letters": "Maria in Berlin　とピーター、東京",
    "outside of the first plane": "𝔐𝔞𝔯𝔦𝔞 is not Maria, and 𝟚𝟘 is in Berlin",
    "soft hyphens and zero widths": "Ma\u00adria in New\u200bYork, Ber\u200dlin and Berlin",
    "tabs and many spaces": "\t  Maria   in \t New  York    .",
    "only emoji": "🎉🎉🎉😀",
    "only marks": "\u0301\u0301 \u0308",
    "only white space between": "\n \u2028 x \u0085",
    "a control character": "Maria\x07 in \x1bBerlin\x00".replace("\x00", "\x01"),
}


def entities(fitted: Fitted, algorithm: str, text: str) -> list[Entity]:
    [answer] = fitted("entities", algorithm).predict([EntitiesInput(text)])
    return [one for several in answer.entities.values() for one in several]


@every
def test_every_algorithm_is_known(algorithm: str) -> None:
    assert algorithm in task_named("entities").algorithms


@every
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_word_is_what_stands_between_start_and_end(fitted: Fitted, algorithm: str, text: str) -> None:
    for one in entities(fitted, algorithm, text):
        assert one.word == text[one.start : one.end] == one.word.strip()
        assert 0 <= one.start < one.end <= len(text)
        assert 0 <= one.score <= 1


@pytest.mark.parametrize("algorithm", ["spacy", "hub"])
@pytest.mark.parametrize("before", ["", "😀😀 ", "e\u0301e\u0301 ", "\r\n\r\n", "\u200f\u202b\u202c ", "𝔐𝔞 "])
def test_what_stands_before_an_entity_moves_it_by_its_code_points(fitted: Fitted, algorithm: str, before: str) -> None:
    text = f"{before}I met Peter in Berlin."
    start = len(before) + len("I met Peter in ")
    assert (start, start + 6) in {(one.start, one.end) for one in entities(fitted, algorithm, text)}


@pytest.mark.parametrize("algorithm", ["spacy", "hub"])
def test_in_a_long_text_each_is_found_once_also_where_windows_meet(fitted: Fitted, algorithm: str) -> None:
    text = "I met Peter in Berlin and it was fine.\n" * 400
    places = [at for at in range(len(text)) if text.startswith("Berlin", at)]
    found = sorted(one.start for one in entities(fitted, algorithm, text) if one.word == "Berlin")
    assert found == places


@every
def test_a_long_text_without_a_space_is_answered(fitted: Fitted, algorithm: str) -> None:
    text = "MariaBerlin" * 600
    for one in entities(fitted, algorithm, text):
        assert one.word == text[one.start : one.end]


@every
def test_entities_of_an_answer_do_not_overlap(fitted: Fitted, algorithm: str) -> None:
    text = "Maria Lopez met Peter in New York, and Zara opened in Berlin 🎉 yesterday. " * 90
    found = sorted(entities(fitted, algorithm, text), key=lambda one: one.start)
    assert len(found) > 90
    assert all(one.end <= other.start for one, other in pairwise(found))
