"""The algorithm `points` of `review_summary`: sentences that stand for what several reviews say."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from experiments.mltask import Examples, Progress
from experiments.network import params_of
from nlp.ml.aspects import Nouns, aspects_of
from nlp.ml.review_summary import REVIEW_SUMMARY, Point, ReviewSummaryInput, ReviewSummaryOutput, Said
from nlp.ml.sentences import Encoder
from nlp.ml.spacy_pipeline import Pipeline

MOST_READ = 400  # sentences of a product that are compared with each other: some seconds
WORDS = (4, 30)  # of a sentence that may stand for others
SURE = 0.2  # how far from one half the sentiment of such a sentence is
SAME = 0.6  # cosine from which on two sentences say much the same
CITED = 30  # reviews of a sentence
POINTS = 5  # sentences of a summary
HEARD = 0.1  # share of the reviews from which on a side has a sentence of its own


@REVIEW_SUMMARY.algorithm("points")
class Points:
    """Content and discontented reviews are looked at apart. A sentence is taken whose sentiment is that of its review,
    and it cites only reviews of that side that say the same; each next one is that which the most reviews stand behind
    of those that nobody speaks for yet. `same` is the cosine from which on two sentences say the same.
    """

    def __init__(self, same: float = SAME) -> None:
        self.same = float(same)

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        """Learns nothing: the encoder and the tagger bring what they know."""
        progress(0, 1, "taking the encoder and the tagger")
        self.encoder, self.nouns = Encoder.brought(), Nouns.brought()
        progress(1, 1, "taken")
        return self

    def predict(self, batch: Sequence[ReviewSummaryInput]) -> list[ReviewSummaryOutput]:
        return [self._summary(one.said, one.about) for one in batch]

    def _summary(self, said: Sequence[Said], about: str = "") -> ReviewSummaryOutput:
        read = _spread([one for one in said if _speaks(one)], MOST_READ)
        points: list[Point] = []
        for side, count in _shares(said).items():
            own = [one for one in read if one.content is side]
            points += self._points(own, count)
        mentioned = _spread(list(said), MOST_READ)
        [itself, *nouns] = self.nouns.of([about.lower(), *(one.text for one in mentioned)])
        nouns = [[one for one in found if one not in itself] for found in nouns]
        aspects = aspects_of(mentioned, nouns, self.encoder.vectors)
        return ReviewSummaryOutput(_words(points, said), tuple(points), aspects)

    def _points(self, said: list[Said], count: int) -> list[Point]:
        """Up to `count` of one side, each for reviews that those before do not speak for."""
        if not said or not count:
            return []
        vectors = self.encoder.vectors([one.text for one in said])
        alike = vectors @ vectors.T
        review = np.array([one.review for one in said])
        behind = alike >= self.same
        spoken_for: set[int] = set()
        found: list[Point] = []
        while len(found) < count:
            fresh = behind & ~np.isin(review, list(spoken_for))
            support = np.array([len(set(review[row])) for row in fresh]) + alike.mean(axis=1)
            support[np.isin(review, list(spoken_for))] = 0
            best = int(support.argmax())
            if support[best] < (2 if found else 1):
                break  # what is left are single voices
            cited = dict.fromkeys([said[best].review, *review[np.argsort(-alike[best], kind="stable")].tolist()])
            near = set(review[behind[best]].tolist())
            ids = tuple(one for one in cited if one in near)[:CITED]
            found.append(Point(said[best].text, ids, said[best].content))
            spoken_for |= near
        return found

    def evaluate(self, examples: Examples) -> dict[str, float]:
        """`agreement`: the share of the sentences whose sentiment is that of the reviews that they cite. NaN without
        sentences. `said` is the column that is read.
        """
        agree = []
        for said in examples.rows["said"]:
            content = {one.review: one.content for one in said}
            sure = {one.text: one.positive >= 0.5 for one in said}
            for point in self._summary(said).sentences:
                cited = np.mean([content[one] for one in point.review_ids]) >= 0.5
                agree.append(sure[point.text] == cited)
        return {"agreement": float(np.mean(agree)) if agree else float("nan")}

    def save(self, folder: Path) -> None:
        self.encoder.save(folder)
        self.nouns.pipeline.save(folder)
        (folder / "params.json").write_text(json.dumps(params_of(self)))

    @classmethod
    def load(cls, folder: Path) -> Self:
        self = cls(**json.loads((folder / "params.json").read_text()))
        self.encoder, self.nouns = Encoder.load(folder), Nouns(Pipeline.load(folder))
        return self


def _speaks(one: Said) -> bool:
    """It may stand for others: of a length to be read, sure, and of the mind of its review."""
    return (
        WORDS[0] <= len(one.text.split()) <= WORDS[1]
        and abs(one.positive - 0.5) >= SURE
        and (one.positive >= 0.5) is one.content
    )


def _spread(said: list[Said], most: int) -> list[Said]:
    """At most so many, taken evenly from all."""
    if len(said) <= most:
        return said
    return [said[at] for at in np.linspace(0, len(said) - 1, most).astype(int)]


def _counts(said: Sequence[Said]) -> tuple[int, int]:
    """How many of the reviews are content, and how many are not."""
    content = {one.review: one.content for one in said}
    return sum(content.values()), len(content) - sum(content.values())


def _shares(said: Sequence[Said]) -> dict[bool, int]:
    """How many sentences each side has, the larger one first."""
    up, down = _counts(said)
    smaller = min(up, down) / max(up + down, 1)
    fewer = 0 if smaller < HEARD else 2 if smaller >= 1 / 3 else 1
    larger = up >= down
    return {larger: POINTS - fewer, not larger: fewer}


def _words(points: Sequence[Point], said: Sequence[Said]) -> str:
    """In the reviews' own words, with how many stand on each side."""
    up, down = _counts(said)
    parts = []
    for side, count, named in ((True, up, "content"), (False, down, "not content")):
        own = [point.text for point in points if point.positive is side]
        if own:
            parts.append(f"{count} of {up + down} reviewers are {named}: {' '.join(f'“{text}”' for text in own)}")
    return " ".join(parts)
