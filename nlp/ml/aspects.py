"""What reviews speak of: the nouns of a shop's own reviews, those that mean the same taken together."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from nlp.ml.review_summary import Aspect, Quote, Said
from nlp.ml.spacy_pipeline import Pipeline

MOST = 8  # aspects of a product
PHRASES = 120  # that are looked at
SAME = 0.6  # cosine from which on two phrases mean the same
SHARE = 0.04  # of the reviews that must speak of it, and never fewer than two
QUOTED = (4, 25)  # words
SAYS_NOTHING = """
thing lot bit time day week month year way one anyone everyone someone something everything nothing people person
problem issue reason review reviewer star product item purchase order money store customer other part kind sort type end
love hope case fact idea friend husband wife daughter son mother sister occasion today pair
"""
NEVER = frozenset(SAYS_NOTHING.split())  # nouns that say nothing of a product


class Nouns:
    """Finds nouns, and nouns of several words, by spaCy's small English tagger."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline

    @classmethod
    def brought(cls) -> Self:
        return cls(Pipeline.brought("parser", "ner", "lemmatizer", "senter"))

    def of(self, texts: Sequence[str]) -> list[list[str]]:
        """Those of each text, lower-cased, in the singular."""
        with self.pipeline.reading() as pipeline:
            return [_nouns(pipeline(text)) for text in texts]


def _nouns(tokens: Any) -> list[str]:
    found, run = [], []
    for token in tokens:
        if token.pos_ == "NOUN" and token.text.isalpha():
            run.append(_singular(token.text.lower(), token.tag_))
            continue
        found.append(" ".join(run))
        run = []
    found.append(" ".join(run))
    return [one for one in dict.fromkeys(found) if one and one not in NEVER]


def _singular(word: str, tag: str) -> str:
    if tag != "NNS" or not word.endswith("s") or word.endswith("ss"):
        return word
    return word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]


def aspects_of(
    said: Sequence[Said], nouns: Sequence[list[str]], vectors: Callable[[Sequence[str]], np.ndarray]
) -> tuple[Aspect, ...]:
    """Those that most reviews speak of. `nouns` are those of each sentence, `vectors` makes unit vectors of phrases."""
    reviews: dict[str, set[int]] = defaultdict(set)
    for one, found in zip(said, nouns, strict=True):
        for phrase in found:
            reviews[phrase].add(one.review)
    least = max(2, SHARE * len({one.review for one in said}))
    counted = Counter({phrase: len(found) for phrase, found in reviews.items() if len(found) >= 2})
    names = _together([phrase for phrase, _ in counted.most_common(PHRASES)], vectors)
    spoken: dict[str, list[Said]] = defaultdict(list)
    for one, found in zip(said, nouns, strict=True):
        for name in {names[phrase] for phrase in found if phrase in names}:
            spoken[name].append(one)
    made = (_aspect(name, found) for name, found in spoken.items())
    kept = [one for one in made if one.positive + one.negative >= least]
    return tuple(sorted(kept, key=lambda one: (-one.positive - one.negative, one.name))[:MOST])


def _together(phrases: list[str], vectors: Callable[[Sequence[str]], np.ndarray]) -> dict[str, str]:
    """Each phrase to the name of its aspect: the most frequent phrase that means the same."""
    if not phrases:
        return {}
    made, names = vectors(phrases), {}
    heads: list[int] = []
    for at, phrase in enumerate(phrases):
        alike = made[heads] @ made[at] if heads else np.zeros(0)
        if len(alike) and alike.max() >= SAME:
            names[phrase] = phrases[heads[int(alike.argmax())]]
        else:
            heads.append(at)
            names[phrase] = phrase
    return names


def _aspect(name: str, said: list[Said]) -> Aspect:
    """A review that speaks both well and badly of it counts as what it says more surely."""
    by_review: dict[int, float] = defaultdict(float)
    for one in said:
        by_review[one.review] += one.positive - 0.5
    up = sum(total >= 0 for total in by_review.values())
    quotes = [_quote([one for one in said if (one.positive >= 0.5) is side]) for side in (True, False)]
    return Aspect(name, up, len(by_review) - up, tuple(one for one in quotes if one))


def _quote(said: list[Said]) -> Quote | None:
    """The surest sentence of a length to be read."""
    fitting = [one for one in said if QUOTED[0] <= len(one.text.split()) <= QUOTED[1]]
    best = max(fitting, key=lambda one: abs(one.positive - 0.5), default=None)
    return Quote(best.text, best.review) if best else None
