"""Places in a text that have a label: words, labels of words joined to spans, what several windows over one text found
made into one answer, and how many spans are right.
"""

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any

Place = tuple[int, int]  # start and end, in characters of the text
ENDS = "EeLlSsUu"  # prefixes after which an entity is over (BIOES, BILOU)
# Everything else but white space is part of a word, so that a mark which combines stays with its letter. The joiners of
# Persian and of emoji (U+200C, U+200D) are no symbols here.
SYMBOL = (
    r"!-/:-@\[-^`{-~\u00a1-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u2000-\u200b\u200e-\u2bff\u3000-\u303f"
    r"\ufe00-\ufe0f\uff01-\uff0f\U0001f000-\U0001faff"
)
LETTERS = rf"[^\s{SYMBOL}]+"
WORD = re.compile(
    rf"(?:https?://|www\.)\S+|[@#]{LETTERS}|(?:[A-Za-z]\.){{2,}}|{LETTERS}(?:[-.&]{LETTERS})*|[^\s]", re.UNICODE
)


@dataclass(frozen=True)
class Span:
    """`score` is 0 to 1."""

    start: int
    end: int
    label: str
    score: float = 1.0


@dataclass(frozen=True)
class Found:
    """The spans of a window, which reaches from `start` to `end` of the text."""

    start: int
    end: int
    spans: Sequence[Span]


def words_of(text: str) -> list[Place]:
    """Words, addresses and names with @ or # are one each, and so is every other symbol."""
    return [match.span() for match in WORD.finditer(text)]


def tokens_of(words: Sequence[Place], places: Sequence[Place], first: int) -> list[tuple[int, int, int]]:
    """Which tokens are of which word: number of the word, its first token and the one after its last. Without the
    words that have no token and those that begin before `first`, where the window does.
    """
    found, token = [], 0
    for number, (start, end) in enumerate(words):
        while token < len(places) and places[token][1] <= start:
            token += 1
        last = token
        while last < len(places) and places[last][0] < end:
            last += 1
        if last > token and start >= first:
            found.append((number, token, last))
    return found


def joined(words: Sequence[Place], labels: Sequence[str], scores: Sequence[float] = ()) -> list[Span]:
    """Spans of whole words from a label each: B-PER, I-PER, O. An I- where nothing began begins a span (as in
    CoNLL-2003), labels without a prefix run on, and E-, L-, S- and U- end one. The score is the mean of its words'.
    """
    found: list[tuple[str, list[int]]] = []
    within = ""  # the label of the span that may go on
    for number, label in enumerate(labels):
        if label == "O":
            within = ""
            continue
        prefix, bare = (label[0], label[2:]) if label[1:2] == "-" else ("I", label)
        if bare == within and prefix not in "BbSsUu":
            found[-1][1].append(number)
        else:
            found.append((bare, [number]))
        within = "" if prefix in ENDS else bare
    values = scores or [1.0] * len(labels)
    return [
        Span(words[of[0]][0], words[of[-1]][1], label, sum(float(values[one]) for one in of) / len(of))
        for label, of in found
    ]


def merged(length: int, windows: Sequence[Found]) -> list[Span]:
    """What windows that overlap found in a text of `length` characters: each span once, from the window in which it
    stands further from an edge that is not the text's own. Spans of the answer do not overlap.
    """

    def margin(window: Found, span: Span) -> float:
        """Negative where it reaches out of the window."""
        before = span.start - window.start if window.start > 0 else float("inf")
        after = window.end - span.end if window.end < length else float("inf")
        return min(before, after)

    kept = []
    for number, window in enumerate(windows):
        beside = [*windows[max(number - 1, 0) : number], *windows[number + 1 : number + 2]]
        for span in window.spans:
            mine = margin(window, span)
            if all(margin(other, span) <= mine for other in beside):
                kept.append((mine, span))
    answer: list[Span] = []
    for _, span in sorted(kept, key=lambda one: (-one[0], one[1].start)):
        if all(span.end <= other.start or other.end <= span.start for other in answer):
            answer.append(span)
    return sorted(answer, key=lambda span: span.start)


def f1(found: Sequence[Set[Any]], truth: Sequence[Set[Any]]) -> dict[str, float]:
    """Over all texts at once, a set of spans each: f1, precision, recall; 0 with nothing right, NaN with no text."""
    if not truth:
        return dict.fromkeys(("f1", "precision", "recall"), float("nan"))
    right = sum(len(one & other) for one, other in zip(found, truth, strict=True))
    answered, asked = sum(map(len, found)), sum(map(len, truth))
    return {
        "f1": 2 * right / (answered + asked) if right else 0.0,
        "precision": right / answered if answered else 0.0,
        "recall": right / asked if asked else 0.0,
    }
