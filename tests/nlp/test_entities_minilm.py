"""MiniLM taught to see names, from a file in CoNLL's form: what it learns, and which files it refuses."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments.discovery import task_named
from experiments.errors import DomainError, Invalid
from experiments.mltask import Examples, no_progress
from nlp.ml.conll import Sentence, sentences_in
from nlp.ml.entities import EntitiesInput
from nlp.ml.minilm import tokens
from nlp.ml.spans import words_of
from nlp.ml.tagging import NUMBERS, labels_for, likeliest, pieces_of, shape_of

NAMES = ["Maria", "Peter", "Anna", "John", "Fatima", "Chen", "Olga", "Pedro", "Aisha", "Tom"]
PLACES = ["Berlin", "Oslo", "New York", "Lima", "Cape Town", "Rome", "Cairo", "Los Angeles", "Paris", "Delhi"]
NOTHING = Examples(pd.DataFrame({"unit": [], "words": [], "labels": []}))


def conll() -> str:
    """Forty sentences."""
    lines = []
    for number in range(40):
        name, place = NAMES[number % 10], PLACES[number * 3 % 10].split()
        before, after = [("i met", "in"), ("yesterday", "went to"), ("my friend", "likes"), ("", "moved to")][
            number % 4
        ]
        lines += [f"{word}\tO" for word in before.split()]
        lines += [f"{name}\tB-person"]
        lines += [f"{word}\tO" for word in after.split()]
        lines += [f"{word}\t{'I' if at else 'B'}-location" for at, word in enumerate(place)]
        lines += [".\tO", ""]
    return "\n".join(lines)


def fit(path: Path, **parameters: Any) -> Any:
    return task_named("entities").algorithms["minilm"](conll=str(path), **parameters).fit(NOTHING, progress=no_progress)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("conll") / "names.conll"
    path.write_text(conll())
    return fit(path, dev=str(path), epochs=4, rate=5e-4)


def found(model: Any, text: str) -> list[tuple[str, str, str]]:
    [answer] = model.predict([EntitiesInput(text)])
    return [(one.word, kind, one.label) for kind, several in answer.entities.items() for one in several]


def test_it_finds_the_names_that_it_learned(learned: Any) -> None:
    assert found(learned, "i met Maria in New York.") == [("Maria", "PER", "person"), ("New York", "LOC", "location")]


def test_it_finds_names_that_it_has_never_seen(learned: Any) -> None:
    assert found(learned, "my friend Gustavo likes Madrid.") == [
        ("Gustavo", "PER", "person"), ("Madrid", "LOC", "location"),
    ]  # fmt: skip


def test_words_that_are_told_apart_already_keep_their_places(learned: Any) -> None:
    spans = learned.spans_in(["i", "met", "Peter", "in", "Cape", "Town"])
    assert [(one.start, one.end, one.label) for one in spans] == [(6, 11, "person"), (15, 24, "location")]


def test_in_a_long_text_each_name_is_found_once_also_where_windows_meet(learned: Any) -> None:
    text = "i met Maria in Berlin. " * 120
    starts = [at for at in range(len(text)) if text.startswith("Maria", at)]
    [answer] = learned.predict([EntitiesInput(text)])
    assert [one.start for one in answer.entities["PER"]] == starts


def test_the_same_seed_learns_the_same(tmp_path: Path) -> None:
    path = tmp_path / "names.conll"
    path.write_text(conll())
    first, again, other = (fit(path, epochs=1, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first.weight, again.weight)
    assert not np.array_equal(first.weight, other.weight)


def test_rows_teach_where_no_file_is_named(fitted: Any) -> None:
    assert fitted("entities", "minilm").labels[:3] == ("O", "B-corporation", "I-corporation")


@pytest.mark.parametrize("examples", [NOTHING, Examples(pd.DataFrame({"words": [("a", "b")], "labels": [("O", "O")]}))])
def test_without_a_marked_name_it_is_said_how_to_name_a_file(examples: Examples) -> None:
    with pytest.raises(DomainError, match="--param conll=FILE"):
        task_named("entities").algorithms["minilm"]().fit(examples, progress=no_progress)


@pytest.mark.parametrize("labels", [("O",), ("O", "person"), ("O", "B-")])
def test_rows_without_one_label_a_word_are_refused(labels: tuple[str, ...]) -> None:
    rows = pd.DataFrame({"words": [("a", "b"), ("a", "b")], "labels": [("O", "B-x"), labels]})
    with pytest.raises(Invalid, match="Row 2 "):
        task_named("entities").algorithms["minilm"]().fit(Examples(rows), progress=no_progress)


@pytest.mark.parametrize("parameters", [{"epochs": 0}, {"rate": 0.0}, {"rate": float("nan")}])
def test_parameters_out_of_bounds_are_refused(tmp_path: Path, parameters: dict[str, Any]) -> None:
    path = tmp_path / "names.conll"
    path.write_text(conll())
    with pytest.raises(Invalid, match="epochs must be 1 or more, rate over 0"):
        fit(path, **parameters)


# The file


def read(path: Path, content: bytes) -> list[Sentence]:
    path.write_bytes(content)
    return sentences_in(str(path), "conll")


def test_empty_lines_divide_sentences_and_the_last_column_is_the_label(tmp_path: Path) -> None:
    content = (
        "-DOCSTART- -X- -X- O\n\nEU NNP B-NP I-ORG\nrejects VBZ B-VP O\n\t\n\n@ann\tB-person\r\n😀\tO\r\nx y\tO"
    ).encode()
    assert read(tmp_path / "a", content) == [
        Sentence(("EU", "rejects"), ("I-ORG", "O")),
        Sentence(("@ann", "😀", "x y"), ("B-person", "O", "O")),
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"Oslo\tB-loc\nis\n", "Line 2 of .* has not the form word, tab, label: 'is'"),
        (b"Oslo\tB-loc\n\nis\tQ\n", "Line 3 of .* has the label 'Q'; expected O, B-… or I-…"),
        (b"Oslo\tB-\n", "Line 1 of .* has the label 'B-'"),
        (b"a\tO\n\tO\n", "Line 2 of .* has not the form"),
        (b"\n \n", "There is no sentence in"),
        (b"", "There is no sentence in"),
        (b"Oslo\tB-loc\n\xff\tO\n", "cannot be read: it is not in UTF-8"),
    ],
)
def test_a_malformed_file_is_refused_with_its_line(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        read(tmp_path / "names.conll", content)


@pytest.mark.parametrize("field", ["conll", "dev"])
@pytest.mark.parametrize(
    ("name", "says"), [("none", "no such file or directory"), (".", "is a directory"), ("\0", "no such name")]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, field: str, name: str, says: str) -> None:
    good = tmp_path / "good.conll"
    good.write_text(conll())
    make = task_named("entities").algorithms["minilm"]
    with pytest.raises(Invalid, match=f"cannot be read: {says}") as caught:
        make(**{"conll": str(good), field: str(tmp_path / name)}).fit(NOTHING, progress=no_progress)
    assert caught.value.field == field


# What goes in and what comes out


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ("house", "lower"), ("Oslo", "title"), ("I", "one capital"), ("NASA", "upper"), ("iPhone", "mixed"),
        ("McDonald", "mixed"), ("@ann", "person"), ("#oslo", "topic"), ("http://x.org", "address"), ("3.5", "number"),
        ("$200", "number"), ("B2B", "with a digit"), ("...", "symbol"), ("🎉", "symbol"), ("تهران", "lower"),
        ("@", "symbol"), ("É", "one capital"), ("www.x.org", "address"),
    ],
)  # fmt: skip
def test_words_have_shapes(word: str, shape: str) -> None:
    assert shape_of(word) == NUMBERS[shape]


def test_every_word_is_read_from_its_first_token() -> None:
    text = "Maria Schwarzenegger-Lopez 😀 is @home"
    words = words_of(text)
    [piece] = pieces_of(text, words, tokens())
    starts = [piece.window.places[first][0] for first in piece.firsts]
    assert starts == [words[number][0] for number in piece.words]
    shapes = [piece.shapes[first] for first in piece.firsts]
    assert shapes == [shape_of(text[words[number][0] : words[number][1]]) for number in piece.words]


def test_a_word_that_a_window_cuts_is_read_in_the_window_where_it_begins() -> None:
    text = " ".join(f"internationalization{number}" for number in range(300))
    words = words_of(text)
    pieces = pieces_of(text, words, tokens())
    assert len(pieces) > 3
    for piece in pieces:
        assert all(
            piece.window.places[first][0] == words[n][0] for n, first in zip(piece.words, piece.firsts, strict=True)
        )
    assert {number for piece in pieces for number in piece.words} == set(range(300))


def test_labels_follow_each_other_as_they_may_though_others_are_likelier() -> None:
    labels = labels_for(["loc", "per"])
    assert labels == ("O", "B-loc", "I-loc", "B-per", "I-per")
    shares = np.array([[0.3, 0.1, 0.5, 0.05, 0.05], [0.1, 0.1, 0.7, 0.05, 0.05], [0.1, 0.1, 0.1, 0.2, 0.5]])
    named = [labels[number] for number in likeliest(np.log(shares), labels)]
    assert named == ["B-loc", "I-loc", "B-per"]
    assert likeliest(np.zeros((0, 5)), labels) == []
