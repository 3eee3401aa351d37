"""Entities of a text: who and what it names, and where. Models have labels of their own; they are answered under one
vocabulary, whichever model answers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from experiments.mltask import Batching, Examples, MLTask, Text
from nlp.ml.spans import Span, f1, joined

KINDS = ("PER", "ORG", "LOC", "PRODUCT", "WORK", "MISC", "DATE", "MONEY", "NUMBER")
COUNTED = {"DATE", "MONEY", "NUMBER"}  # no names: most data does not mark them
OTHER = "MISC"
VOCABULARY = {
    label: kind
    for kind, labels in {
        "PER": "per person",
        "ORG": "org organization organisation corporation group",
        "LOC": "loc location gpe fac",
        "PRODUCT": "product",
        "WORK": "work work_of_art creative-work",
        "MISC": "misc norp event law language",
        "DATE": "date time",
        "MONEY": "money",
        "NUMBER": "number cardinal ordinal percent quantity",
    }.items()
    for label in labels.split()
}  # of OntoNotes (spaCy), CoNLL-2003 and WNUT17


@dataclass(frozen=True)
class EntitiesInput:
    text: Annotated[str, Text(max_length=20_000, min_length=1)]


@dataclass(frozen=True)
class Entity:
    """`word` is text[start:end] of the text as it was sent, counted in code points; `score` is 0 to 1, and `label` the
    model's own.
    """

    word: Annotated[str, Text(max_length=20_000)]
    score: float
    start: int
    end: int
    label: str


@dataclass(frozen=True)
class EntitiesOutput:
    """By kind, in the order of KINDS, those that there are; of one kind by where they stand."""

    entities: Mapping[str, tuple[Entity, ...]]


def tiny() -> Examples:
    import pandas as pd

    sentences = [
        "Maria/B-person Lopez/I-person moved/O to/O Lisbon/B-location ./O",
        "My/O Kindle/B-product broke/O in/O New/B-location York/I-location ./O",
        "Acme/B-corporation sold/O it/O to/O Peter/B-person ./O",
        "It/O fits/O well/O and/O is/O warm/O ./O",
    ]
    pairs = [[one.rpartition("/")[::2] for one in sentence.split()] for sentence in sentences] * 4
    words, labels = ([tuple(pair[side] for pair in one) for one in pairs] for side in (0, 1))
    return Examples(pd.DataFrame({"unit": range(len(pairs)), "words": words, "labels": labels}))


ENTITIES = MLTask(
    name="entities",
    input=EntitiesInput,
    output=EntitiesOutput,
    example=EntitiesInput("I bought a dress from Zara in New York for Maria Lopez, and it fits."),
    tiny=tiny,
    metric="f1",
    public=False,  # nlp/views.py has its route
    batching=Batching(max_size=8, timeout_s=30.0),  # slow ones: who waits is counted, and refused beyond a bound
    pretrained=True,
)


def kind_of(label: str) -> str:
    """Of KINDS, for the label of any model, with or without B- or I- before it."""
    bare = label.lower()
    return VOCABULARY.get(bare[2:] if bare[1:2] == "-" else bare, OTHER)


def output_of(text: str, spans: Iterable[Span]) -> EntitiesOutput:
    found: dict[str, list[Entity]] = {kind: [] for kind in KINDS}
    for one in sorted(spans, key=lambda span: span.start):
        word = text[one.start : one.end]
        start, end = one.start + len(word) - len(word.lstrip()), one.end - len(word) + len(word.rstrip())
        if start < end:
            entity = Entity(text[start:end], min(max(one.score, 0.0), 1.0), start, end, one.label)
            found[kind_of(one.label)].append(entity)
    return EntitiesOutput({kind: tuple(entities) for kind, entities in found.items() if entities})


def scores_of(predictor: Any, examples: Examples) -> dict[str, float]:
    """Micro-averaged F1, precision and recall of whole entities, as conlleval counts them: right where both ends and
    the kind are. Columns words and labels (BIO), a tuple of str each; NaN with no rows. Dates and numbers count where
    the labels know any: data that does not mark them does not say that there are none.
    """
    found, truth = [], []
    for words, labels in zip(examples.rows["words"], examples.rows["labels"], strict=True):
        text, places = as_text(words)
        truth.append({(one.start, one.end, kind_of(one.label)) for one in joined(places, labels)})
        [answer] = predictor.predict([EntitiesInput(text)])
        found.append({(one.start, one.end, kind) for kind, several in answer.entities.items() for one in several})
    if not any(kind in COUNTED for one in truth for _, _, kind in one):
        found = [{(start, end, kind) for start, end, kind in one if kind not in COUNTED} for one in found]
    return f1(found, truth)


def as_text(words: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Words with a space between, and where each starts and ends."""
    places, at = [], 0
    for word in words:
        places.append((at, at + len(word)))
        at += len(word) + 1
    return " ".join(words), places
