"""Where sentences end, and vectors that lie close where sentences say the same."""

from pathlib import Path

import numpy as np
import pytest

from nlp.ml.sentences import Encoder, sentences_of


def split(text: str) -> list[str]:
    return [one.text for one in sentences_of(text)]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.brought()


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It fits. It is red.", ["It fits.", "It is red."]),
        ("works great. would buy again", ["works great.", "would buy again"]),
        ("Dr. Smith and Mrs. Jones like it. So do I.", ["Dr. Smith and Mrs. Jones like it.", "So do I."]),
        ("It came at 5 p.m. yesterday. It left at 6 p.m. He cried.",
         ["It came at 5 p.m. yesterday.", "It left at 6 p.m.", "He cried."]),
        ("Small, light, etc. and cheap. Buy it.", ["Small, light, etc. and cheap.", "Buy it."]),
        ("J. K. Rowling wrote it. So did I. She did.", ["J. K. Rowling wrote it.", "So did I.", "She did."]),
        ("It costs $3.50 or 4.5 euros. Fine.", ["It costs $3.50 or 4.5 euros.", "Fine."]),
        ("See www.Amazon.com for No. 5 e.g. this one. Do.", ["See www.Amazon.com for No. 5 e.g. this one.", "Do."]),
        ("Well... it fits. And then... Nothing came.", ["Well... it fits.", "And then...", "Nothing came."]),
        ("Well… it fits… Good.", ["Well… it fits…", "Good."]),
        ('"Wow!" she said. "It fits." I agree.', ['"Wow!" she said.', '"It fits."', "I agree."]),
        ("Great!!! Really?! Yes!", ["Great!!!", "Really?!", "Yes!"]),
        ("Love it! will buy more", ["Love it!", "will buy more"]),
        ("(It is big. Really.) I like it.", ["(It is big.", "Really.)", "I like it."]),
        ("Pretty on her.I cannot say more.:) Satisfied.", ["Pretty on her.", "I cannot say more.:)", "Satisfied."]),
        ("1. Wash it cold. 2. Dry it.", ["1. Wash it cold.", "2. Dry it."]),
        ("no full stop\nanother line\r\n\n  a third  ", ["no full stop", "another line", "a third"]),
        ("😀😀 🎉", ["😀😀 🎉"]),
        ("?", ["?"]),
        ("", []),
        (" \n\t\n", []),
    ],
)  # fmt: skip
def test_a_sentence_ends_where_a_reader_would_end_it(text: str, sentences: list[str]) -> None:
    assert split(text) == sentences


def test_offsets_give_the_sentence_and_between_sentences_is_only_white_space() -> None:
    text = "  One é 😀 line. Two!\r\n\r\n\tThree... four?  Five "
    found = sentences_of(text)
    assert [text[one.start : one.end] for one in found] == ["One é 😀 line.", "Two!", "Three... four?", "Five"]
    edges = [0, *(edge for one in found for edge in (one.start, one.end)), len(text)]
    assert all(not text[start:end].strip() for start, end in zip(edges[::2], edges[1::2], strict=True))
    assert [(one.line, one.words) for one in found] == [(0, 4), (0, 1), (1, 2), (1, 1)]


def test_sentences_that_say_the_same_lie_closer_than_others(encoder: Encoder) -> None:
    vectors = encoder.vectors(["The shirt is too small.", "This shirt runs tight.", "The kettle boils fast."])
    assert vectors.shape == (3, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert vectors[0] @ vectors[1] > 0.4 > 0.2 > vectors[0] @ vectors[2]


def test_a_sentence_has_the_same_vector_whatever_stands_beside_it(encoder: Encoder) -> None:
    [alone] = encoder.vectors(["It fits."])
    assert np.array_equal(encoder.vectors(["A much longer sentence about something else.", "It fits."])[1], alone)


def test_a_sentence_longer_than_a_window_and_one_without_words_have_a_vector(encoder: Encoder) -> None:
    vectors = encoder.vectors(["soft " * 4_000, "\u200b", "☃"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert encoder.vectors([]).shape == (0, 384)


def test_an_encoder_comes_back_from_its_folder_the_same(encoder: Encoder, tmp_path: Path) -> None:
    encoder.save(tmp_path)
    given = ["It fits.", "Soft and light."]
    assert np.array_equal(Encoder.load(tmp_path).vectors(given), encoder.vectors(given))
