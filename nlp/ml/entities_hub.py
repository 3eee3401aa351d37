"""The algorithm `hub` of `entities`: any network for tokens that transformers can load, by its name on the hub or from
a folder. What it loaded is kept in the artifact, and nothing is fetched afterwards.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from experiments.mltask import Examples, Progress
from nlp.ml.entities import ENTITIES, EntitiesInput, EntitiesOutput, output_of, scores_of
from nlp.ml.hub import PARAMS, Reader, brought
from nlp.ml.spans import Found, Place, Span, joined, merged, tokens_of, words_of

EXAMPLE = "dbmdz/bert-large-cased-finetuned-conll03-english"


@ENTITIES.algorithm("hub")
class HubEntities(Reader):
    """`model` is a name on the hub or a folder. A word has the label of its first token, and the mean of what its
    tokens give that label for a score.
    """

    def __init__(self, model: str = "") -> None:
        self.model = model

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        """Needs no examples: brings the network in. Raises DomainError where it cannot be had."""
        progress(0, 1, "loading the network")
        self.use(*brought(_loaded, self.model, EXAMPLE))
        progress(1, 1, "ready")
        return self

    def use(self, network: Any, tokenizer: Any) -> Self:
        self.take(network, tokenizer)
        return self

    def predict(self, batch: Sequence[EntitiesInput]) -> list[EntitiesOutput]:
        return [output_of(one.text, self._spans(one.text)) for one in batch]

    def _spans(self, text: str) -> list[Span]:
        words, tokens, found = words_of(text), self.fast.encode(text, add_special_tokens=False), []
        overlap = self.window // 8
        for start in range(0, max(len(tokens.ids) - overlap, 1), self.window - overlap):
            part = slice(start, start + self.window)
            places = tokens.offsets[part]
            if places:
                spans = self._read(tokens.ids[part], places, words, places[0][0] if start else 0)
                found.append(Found(places[0][0] if start else 0, places[-1][1], spans))
        return merged(len(text), found)

    def _read(self, ids: list[int], places: list[Place], words: list[Place], first: int) -> list[Span]:
        shares = self.shares(ids)[len(self.before) : len(self.before) + len(ids)]
        seen, labels, scores = [], [], []
        for number, token, last in tokens_of(words, places, first):
            label = int(shares[token].argmax())
            seen.append(words[number])
            labels.append(self.labels[label])
            scores.append(float(shares[token:last, label].mean()))
        return joined(seen, labels, scores)

    def evaluate(self, examples: Examples) -> dict[str, float]:
        return scores_of(self, examples)

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(**json.loads((folder / PARAMS).read_text())).use(*_loaded(str(folder), True))


def _loaded(source: str, local: bool) -> tuple[Any, Any]:
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    network = AutoModelForTokenClassification.from_pretrained(source, local_files_only=local)
    return network.eval(), AutoTokenizer.from_pretrained(source, local_files_only=local)
