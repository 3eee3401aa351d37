"""The summary of a text, in a bounded number of words: the task, its measure, and what all algorithms share."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np

from experiments.errors import Invalid
from experiments.mltask import Batching, Examples, MLTask, Number, Text
from nlp.ml.sentences import sentences_of

MOST_WORDS = 1_000
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class SummaryInput:
    """Lengths are in words, as white space parts them. Where the two contradict each other, `max_length` holds."""

    text: Annotated[str, Text(max_length=20_000, min_length=1)]
    max_length: Annotated[int, Number(ge=1, le=MOST_WORDS)] = 130
    min_length: Annotated[int, Number(ge=0, le=MOST_WORDS)] = 30


@dataclass(frozen=True)
class SummaryOutput:
    """Lengths are in words. Extractive are sentences of the text as they stand there, abstractive is new text."""

    summary: Annotated[str, Text(max_length=20_000)]
    original_length: int
    summary_length: int
    method: Literal["abstractive", "extractive"]


def checked(given: SummaryInput) -> SummaryInput:
    """Raises Invalid where no summary can keep both bounds; to be asked for what a client sends."""
    if given.max_length < given.min_length:
        raise Invalid(
            "max_length", f"Expected at least min_length ({given.min_length}), got {given.max_length}.", "min_value"
        )
    return given


EXAMPLE = """\
The shirt is soft and fits well, and the colour is as bright as in the picture. I wore it all summer.
The fabric is soft and light. It shrank a little in the first wash, so order one size up.
Great shirt for the price. It fits well, but the seams came apart after a month.
My husband likes the colour and wears it every week. Shipping took ten days."""


def tiny() -> Examples:
    import pandas as pd

    kettle = (
        "The kettle boils fast and is easy to clean. It is louder than my old one.\n"
        "It boils two cups in a minute. The lid is stiff, so hold it with both hands.\n"
        "Easy to clean and quick. The handle stays cool, which I like in the morning."
    )
    references = [
        "The shirt is soft, fits well and has a bright colour, but it shrinks in the wash and its seams come apart.",
        "The kettle boils fast and is easy to clean, though it is loud and its lid is stiff.",
    ]
    return Examples(pd.DataFrame({"unit": [1, 2], "text": [EXAMPLE, kettle], "summary": references}))


SUMMARY = MLTask(
    name="summary",
    input=SummaryInput,
    output=SummaryOutput,
    example=SummaryInput(EXAMPLE, 20, 8),
    tiny=tiny,
    public=False,  # nlp/views.py has its route
    batching=Batching(max_size=8, timeout_s=30.0),  # slow ones: who waits is counted, and refused beyond a bound
    pretrained=True,
    metric="rouge1",
)


def word_count(text: str) -> int:
    return len(text.split())


def cut(text: str, most: int) -> str:
    """At most so many words, a cut marked with an ellipsis."""
    kept = text.split()
    return text if len(kept) <= most else " ".join(kept[:most]).rstrip(".,;:!?…") + "…"


def trimmed(text: str, least: int, most: int) -> str:
    """At most so many words: whole sentences if they make up `least`, else cut at a word."""
    if word_count(text) <= most:
        return text.strip()
    end = words = 0
    for sentence in sentences_of(text):
        words += sentence.words
        if words > most:
            break
        end = sentence.end
    whole = text[:end].strip()
    return whole if whole and word_count(whole) >= least else cut(text, most)


def answer(given: SummaryInput, summary: str, method: Literal["abstractive", "extractive"]) -> SummaryOutput:
    return SummaryOutput(summary, word_count(given.text), word_count(summary), method)


def as_it_is(given: SummaryInput) -> SummaryOutput | None:
    """The answer for a text that has too few words to be made shorter."""
    length = word_count(given.text)
    return answer(given, given.text, "extractive") if length <= min(given.min_length, given.max_length) else None


def rouge1(found: str, reference: str) -> float:
    """F1 of the words that two texts share, each as often as both have it (Lin, "ROUGE", 2004), lower-cased."""
    ours, theirs = (Counter(WORD.findall(text.lower())) for text in (found, reference))
    shared = (ours & theirs).total()
    return 2 * shared / (ours.total() + theirs.total()) if shared else 0.0


def scores_of(predictor: Any, examples: Examples) -> dict[str, float]:
    """ROUGE-1 of any summary predictor, in as many words as the reference has; NaN without rows. Columns text, summary
    (the reference).
    """
    rows = examples.rows
    inputs = [
        SummaryInput(text, min(max(word_count(reference), 1), MOST_WORDS), 0)
        for text, reference in zip(rows["text"], rows["summary"], strict=True)
    ]
    found = [rouge1(one.summary, ref) for one, ref in zip(predictor.predict(inputs), rows["summary"], strict=True)]
    return {"rouge1": float(np.mean(found)) if found else float("nan")}
