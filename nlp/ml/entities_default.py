"""The algorithm `spacy` of `entities`: en_core_web_sm of spaCy, a small network on the shapes of words, from its
package. The default, for which discovery must come to this file before the others: hence its name.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from experiments.mltask import Examples, Progress
from nlp.ml.entities import ENTITIES, EntitiesInput, EntitiesOutput, output_of, scores_of
from nlp.ml.spacy_pipeline import Pipeline
from nlp.ml.spans import Found, Span, merged

WINDOW, OVERLAP = 2_000, 200  # characters
WIDTH, DENSITY = 16, 0.05  # of the beam: how many readings of a text it holds, and how unlikely the last may be


@ENTITIES.algorithm("spacy")
class SpacyEntities:
    """What is answered is what the network finds going word by word, as it was taught to. A beam that holds several
    readings of the text finds less (on WNUT17, 99 right for 105), so it only gives the scores: an entity's is the share
    of the beam's probability that falls on readings which have it.
    """

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        """Needs no examples: brings the pipeline in."""
        progress(0, 1, "loading the pipeline")
        self.pipeline = Pipeline.brought("tok2vec", "tagger", "parser", "senter", "attribute_ruler", "lemmatizer")
        progress(1, 1, "ready")
        return self

    def predict(self, batch: Sequence[EntitiesInput]) -> list[EntitiesOutput]:
        return [output_of(one.text, self._spans(one.text)) for one in batch]

    def _spans(self, text: str) -> list[Span]:
        found = []
        for start, end in windows_of(text):
            found.append(Found(start, end, self._read(text[start:end], start)))
        return merged(len(text), found)

    def _read(self, text: str, offset: int) -> list[Span]:
        with self.pipeline.reading() as pipeline:
            document, recogniser = pipeline.make_doc(text), pipeline.get_pipe("ner")
            beams = recogniser.beam_parse([document], beam_width=WIDTH, beam_density=DENSITY)
            [scores] = recogniser.scored_ents(beams)  # before the document has entities: the network keeps to those
            return [
                Span(offset + one.start_char, offset + one.end_char, one.label_, scores[one.start, one.end, one.label_])
                for one in recogniser(document).ents
            ]

    def evaluate(self, examples: Examples) -> dict[str, float]:
        return scores_of(self, examples)

    def save(self, folder: Path) -> None:
        self.pipeline.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        self = cls()
        self.pipeline = Pipeline.load(folder)
        return self


def windows_of(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of windows that overlap, cut at white space where there is some in the overlap's length."""
    start = 0
    while start + WINDOW < len(text):
        end = _cut(text, start + WINDOW)
        yield start, end
        start = _cut(text, end - OVERLAP)
    yield start, len(text)


def _cut(text: str, at: int) -> int:
    """The end of the last white space that is not after `at`."""
    for place in range(at, at - OVERLAP // 2, -1):
        if text[place - 1].isspace():
            return place
    return at
