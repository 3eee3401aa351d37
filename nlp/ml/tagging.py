"""A label for each word of a text from MiniLM: what goes into the network, and the likeliest labels from what comes
out.

MiniLM reads lower-cased words, and capitals are what a name is known by: so beside each token goes the shape of its
word, in the place that BERT has for the number of a sentence.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from nlp.ml.minilm import Tokens, Window
from nlp.ml.spans import Place, tokens_of

SHAPES = {
    name: re.compile(pattern)
    for name, pattern in {
        "address": r"https?://.*|www\..*",
        "person": r"@\w.*",
        "topic": r"#\w.*",
        "symbol": r"[\W_]+",
        "number": r"[\W\d]*\d[\W\d]*",
        "with a digit": r".*\d.*",
    }.items()
}
CASES = ("lower", "title", "one capital", "upper", "mixed")
NUMBERS = {name: number for number, name in enumerate((*CASES, *SHAPES))}
LOWER = NUMBERS["lower"]  # 0: also of what is no word


def shape_of(word: str) -> int:
    """Of NUMBERS."""
    for name, pattern in SHAPES.items():
        if pattern.fullmatch(word):
            return NUMBERS[name]
    if word == word.lower():
        return LOWER
    if word == word.upper():
        return NUMBERS["one capital" if len(word) == 1 else "upper"]
    return NUMBERS["title" if word[0].isupper() and word[1:] == word[1:].lower() else "mixed"]


@dataclass(frozen=True)
class Piece:
    """A window of a text: a shape a token; the numbers of its words and the first token of each. `start` and `end` say
    what it covers, in characters.
    """

    window: Window
    shapes: tuple[int, ...]
    words: tuple[int, ...]
    firsts: tuple[int, ...]
    start: int
    end: int


def pieces_of(text: str, words: Sequence[Place], tokens: Tokens) -> list[Piece]:
    """The windows of a text that have words."""
    found = []
    forms = [shape_of(text[start:end]) for start, end in words]
    for number, window in enumerate(tokens.windows(text)):
        inner = window.places[1:-1]
        if not inner:
            continue
        start = inner[0][0] if number else 0
        shapes, seen, firsts = [LOWER] * len(window.ids), [], []
        for word, first, last in tokens_of(words, inner, start):
            seen.append(word)
            firsts.append(first + 1)
            shapes[first + 1 : last + 1] = [forms[word]] * (last - first)
        if seen:
            found.append(Piece(window, tuple(shapes), tuple(seen), tuple(firsts), start, inner[-1][1]))
    return found


def labels_for(kinds: Sequence[str]) -> tuple[str, ...]:
    """O, and B- and I- of each kind."""
    return ("O", *(f"{prefix}-{kind}" for kind in kinds for prefix in "BI"))


@cache
def _barred(labels: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Minus infinity where a label cannot come first, shape (labels,), or after another, shape (labels, labels): an I-
    comes after the B- or I- of its kind alone.
    """
    first = np.array([-np.inf if label[0] == "I" else 0.0 for label in labels])
    after = np.array(
        [[-np.inf if to[0] == "I" and before[2:] != to[2:] else 0.0 for to in labels] for before in labels]
    )
    return first, after


def likeliest(logs: np.ndarray, labels: tuple[str, ...]) -> list[int]:
    """The labels of which the logarithms of probability, shape (words, labels), have the largest sum among those that
    may follow each other (Viterbi, 1967). Numbers, one a word.
    """
    if not len(logs):
        return []
    first, after = _barred(labels)
    best, came = first + logs[0], []
    for row in logs[1:]:
        paths = best[:, None] + after
        came.append(paths.argmax(axis=0))
        best = paths.max(axis=0) + row
    found = [int(best.argmax())]
    for row in reversed(came):
        found.append(int(row[found[-1]]))
    return found[::-1]


def log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    logs: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return logs
