"""The algorithm `extractive` of `summary`: the sentences of the text that say what most of it says, in their order."""

import heapq
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from experiments.errors import Invalid
from experiments.mltask import Examples, Progress
from experiments.network import params_of
from nlp.ml.sentences import Encoder, Sentence, sentences_of
from nlp.ml.summary import SUMMARY, SummaryInput, SummaryOutput, answer, as_it_is, cut, scores_of, word_count
from nlp.ml.summary_words import FIRST_PERSON, stem, weights_of, words_in

MOST_SENTENCES = 400  # are read by the network: of more, those that the words speak for
SAME = 0.9  # cosine from which two sentences say the same
LINES = 3  # from so many on, each line counts as a text of its own, such as a review; else each sentence does


@SUMMARY.algorithm("extractive")
class ExtractiveSummary:
    """Needs no examples. Picks sentence after sentence, always the one that adds most a word (a greedy maximum of a
    submodular function: Lin and Bilmes, "A class of submodular functions for document summarization", 2011):

    - the words that it adds, each worth what share of the reviews or sentences has it (SumBasic: Nenkova and
      Vanderwende, 2005) to the power of `steepness`, function words `function_words` times that, and `again` times
      that each time that the summary has the word already; `opening` is taken off once a sentence;
    - `centrality` times how close it is to the mean of all sentences, as MiniLM reads them, in standard deviations;
    - less `first_person` times the share of its words that speak of the writer, and `redundancy` times its cosine to
      the nearest sentence picked before.

    `share` of the text's words is what it aims at, within the bounds.
    """

    def __init__(
        self,
        share: float = 0.35,
        steepness: float = 2.0,
        function_words: float = 0.5,
        again: float = 0.4,
        opening: float = 0.4,
        centrality: float = 0.06,
        first_person: float = 1.0,
        redundancy: float = 0.1,
    ) -> None:
        self.share, self.steepness, self.function_words, self.again = share, steepness, function_words, again
        self.opening, self.centrality = opening, centrality
        self.first_person, self.redundancy = first_person, redundancy

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        if not (0 < self.share <= 1 and 0 <= self.again < 1):
            raise Invalid("param", "share must be over 0 and at most 1, again at least 0 and under 1.")
        progress(0, 1, "copying the network")
        self.encoder = Encoder.brought()
        progress(1, 1, "copied")
        return self

    def predict(self, batch: Sequence[SummaryInput]) -> list[SummaryOutput]:
        return [as_it_is(one) or self._summary(one) for one in batch]

    def _summary(self, given: SummaryInput) -> SummaryOutput:
        sentences = sentences_of(given.text)
        most = given.max_length
        least = min(given.min_length, most)
        aim = min(max(round(self.share * word_count(given.text)), least, 1), most)
        picked = Picking(self, sentences).within(least, aim, most)
        return answer(given, " ".join(cut(sentences[at].text, words) for at, words in sorted(picked)), "extractive")

    def evaluate(self, examples: Examples) -> dict[str, float]:
        return scores_of(self, examples)

    def save(self, folder: Path) -> None:
        self.encoder.save(folder)
        (folder / "params.json").write_text(json.dumps(params_of(self)))

    @classmethod
    def load(cls, folder: Path) -> Self:
        self = cls(**json.loads((folder / "params.json").read_text()))
        self.encoder = Encoder.load(folder)
        return self


class Picking:
    """The sentences of one text, and those of them that are picked so far."""

    def __init__(self, model: ExtractiveSummary, sentences: Sequence[Sentence]) -> None:
        self.model, self.lengths = model, [one.words for one in sentences]
        plain = [words_in(one.text) for one in sentences]
        self.tokens = [Counter(map(stem, words)) for words in plain]
        texts: dict[int, Counter[str]] = {}
        several = sentences[-1].line + 1 >= LINES
        for at, (one, words) in enumerate(zip(sentences, self.tokens, strict=True)):
            texts.setdefault(one.line if several else at, Counter()).update(words)
        self.weights = weights_of(list(texts.values()), model.steepness, model.function_words)
        self.said: Counter[str] = Counter()
        self.base = np.array(
            [-model.first_person * sum(word in FIRST_PERSON for word in words) / max(len(words), 1) for words in plain]
        )
        self.nearest = np.zeros(len(sentences))  # cosine to what is picked
        self.candidates = sorted(range(len(sentences)), key=self.gain, reverse=True)[:MOST_SENTENCES]
        unlike = {sentences[at].text: at for at in self.candidates}
        self.vectors = dict(zip(unlike, model.encoder.vectors(list(unlike)), strict=True))
        self.texts = [one.text for one in sentences]
        self._centre()

    def _centre(self) -> None:
        """Adds how central each is to its base."""
        self.matrix = np.array([self.vectors[self.texts[at]] for at in self.candidates])
        close = self.matrix @ self.matrix.mean(axis=0)
        spread = float(close.std())
        if spread > 1e-6:
            self.base[self.candidates] += self.model.centrality * (close - close.mean()) / spread

    def gain(self, at: int) -> float:
        """What a sentence adds, a word. It only falls while others are picked."""
        again = self.model.again
        new = sum(
            self.weights[word] * again ** self.said[word] * (1 - again**count) / (1 - again)
            for word, count in self.tokens[at].items()
        )
        rate = (new - self.model.opening) / max(self.lengths[at], 1)
        return rate + float(self.base[at] - self.model.redundancy * self.nearest[at])

    def within(self, least: int, aim: int, most: int) -> list[tuple[int, int]]:
        """Numbers of sentences, and how many words of each are taken."""
        picked: dict[int, int] = {}
        self._fill(picked, least, aim, aim)
        if not picked or sum(picked.values()) < least:
            self._fill(picked, max(least, 1), max(least, 1), most)
        words = sum(picked.values())
        left = [at for at in self.candidates if at not in picked and self.nearest[at] < SAME]
        if left and words < max(least, 1):
            picked[max(left, key=self.gain)] = most - words  # no whole one fits
        return list(picked.items())

    def _fill(self, picked: dict[int, int], least: int, enough: int, room: int) -> None:
        """Picks whole sentences that fit into `room` words, until there are `enough`; from `least` on only those that
        add something.
        """
        words = sum(picked.values())
        heap = [(-self.gain(at), at) for at in self.candidates if at not in picked]
        heapq.heapify(heap)
        while heap and words < enough:
            _, at = heapq.heappop(heap)
            if words + self.lengths[at] > room or self.nearest[at] >= SAME:
                continue
            gain = self.gain(at)  # it may have fallen since it was put there
            if heap and gain < -heap[0][0]:
                heapq.heappush(heap, (-gain, at))
                continue
            if gain <= 0 and words >= max(least, 1):
                break
            picked[at] = self.lengths[at]
            words += self.lengths[at]
            self.said.update(self.tokens[at])
            self.nearest[self.candidates] = np.maximum(
                self.nearest[self.candidates], self.matrix @ self.vectors[self.texts[at]]
            )
