"""The columns that are made of the watched values of two windows: texts become several, rare values one."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pytest

from experiments.drift.columns import Column, columns
from experiments.drift.fields import Field
from experiments.drift.judging import judge
from experiments.drift.texts import languages, unknown_shares, words

REVIEWS = ["The lamp is bright and well made.", "A lovely kettle, quick and quiet.", "It broke after one week of use."]
GERMAN = ["Die Lampe ist hell und gut verarbeitet.", "Ein schöner Kessel, schnell und leise."]


def numbered(texts: Sequence[str], count: int) -> list[str]:
    return [f"{texts[number % len(texts)]} Number {number}." for number in range(count)]


def made(
    reference: Sequence[float | str | None], current: Sequence[float | str | None], *, kind: str = "text", embed=None
) -> dict[str, Column]:
    field = Field("input.a", kind, ("input", "a"))
    found = columns([field], {"input.a": reference}, {"input.a": current}, embed)
    return {column.name: column for column in found}


def test_numbers_are_kept_as_they_are_and_what_is_missing_left_out() -> None:
    column = made([1.0, None, 3.0], [None, 2.0], kind="number")["input.a"]
    assert column.kind == "number"
    assert (column.reference.tolist(), column.current.tolist()) == ([1.0, 3.0], [2.0])


@pytest.mark.parametrize("kind", ["number", "category", "text"])
def test_a_field_that_has_no_value_in_either_window_is_left_out(kind: str) -> None:
    assert made([None, None], [], kind=kind) == {}


def test_a_field_whose_values_stopped_is_still_a_column() -> None:
    column = made(["a", "b"], [None], kind="category")["input.a"]
    assert (column.reference.tolist(), column.current.tolist()) == (["a", "b"], [])
    assert [len(one.current) for one in made(numbered(REVIEWS, 50), []).values()] == [0, 0, 0]


def test_a_text_of_several_words_is_its_length_its_new_words_and_its_language() -> None:
    found = made(numbered(REVIEWS, 50), [*numbered(REVIEWS, 30), *numbered(GERMAN, 20)])
    assert {name: column.kind for name, column in found.items()} == {
        "input.a.words": "number", "input.a.new_words": "number", "input.a.language": "category",
    }  # fmt: skip
    assert found["input.a.words"].current[:3].tolist() == [8, 7, 8]
    assert found["input.a.new_words"].reference.max() == 0
    assert found["input.a.new_words"].current[:30].max() == 0
    assert found["input.a.new_words"].current[30:].min() > 0.5
    assert set(found["input.a.language"].reference) == {"en"}
    assert found["input.a.language"].current.tolist().count("de") == 20


def test_an_empty_text_has_no_words_and_neither_language_nor_new_words() -> None:
    found = made([*numbered(REVIEWS, 30), "", " ", "12"], numbered(REVIEWS, 40))
    assert found["input.a.words"].reference[-3:].tolist() == [0, 0, 0]
    assert len(found["input.a.new_words"].reference) == 30
    assert len(found["input.a.language"].reference) == 31


def test_a_choice_of_few_texts_is_a_category() -> None:
    column = made(REVIEWS * 20, REVIEWS[:2] * 20)["input.a"]
    assert column.kind == "category"
    assert set(column.reference) == set(REVIEWS)


def test_codes_are_a_category_however_many_there_are_and_beyond_fifty_they_are_one() -> None:
    codes = [f"98{number:03}" for number in range(60)]
    column = made(codes * 3, [*codes[:50] * 3, *codes[50:]])["input.a"]
    assert column.kind == "category"
    assert len(set(column.reference)) == 51
    assert (column.reference == "(others)").sum() == 30


def test_numbers_of_any_size_are_judged_in_numbers_that_json_has() -> None:
    [column] = made([-1.7e308, 1.7e308] * 600 + [*range(10)], [1.7e308] * 200, kind="number").values()
    [found] = judge([column])
    assert json.loads(json.dumps(asdict(found), allow_nan=False))["drifted"]


def test_a_very_long_choice_is_cut() -> None:
    assert {len(value) for value in made(["x" * 10_000] * 30, ["x" * 10_000] * 30)["input.a"].reference} == {100}


def test_texts_that_people_wrote_are_embedded_a_few_of_them_evenly() -> None:
    asked: list[Sequence[str]] = []

    def embed(texts: Sequence[str]) -> np.ndarray:
        asked.append(texts)
        return np.array([[len(text), 1] for text in texts])

    texts = [*numbered(REVIEWS, 700), ""]
    column = made(texts, texts[:40], embed=embed)["input.a.embedding"]
    assert (column.kind, column.reference.shape, column.current.shape) == ("vectors", (200, 2), (40, 2))
    assert (asked[0][0], asked[0][-1]) == (texts[0], texts[699])
    assert asked[1] == texts[:40]


def test_answers_are_not_embedded() -> None:
    texts, field = numbered(REVIEWS, 50), Field("output.a", "text", ("output", "a"))
    found = columns([field], {"output.a": texts}, {"output.a": texts}, lambda asked: np.ones((len(asked), 2)))
    assert [column.name for column in found] == ["output.a.words", "output.a.new_words", "output.a.language"]


def test_a_text_of_the_reference_is_held_against_the_others() -> None:
    reference, current = unknown_shares([["a", "b"], ["a", "c", "c"], []], [["a", "b", "d", "e"], []])
    assert reference == [0.5, pytest.approx(2 / 3), None]
    assert current == [0.5, None]


def test_words_are_runs_of_letters_of_any_script() -> None:
    assert words("It's 5 o'clock, Größe M_L!") == ["it", "s", "o", "clock", "größe", "m", "l"]
    assert words("лампа 灯") == ["лампа", "灯"]


def test_languages_are_told_and_what_is_too_short_is_not() -> None:
    texts = [*GERMAN, "Cette lampe est très belle et bien faite", "これは素晴らしいランプです", "ok", "5/5", ""]
    assert languages(texts) == ["de", "de", "fr", "ja", "und", "und", "und"]
