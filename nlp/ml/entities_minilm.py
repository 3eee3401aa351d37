"""The algorithm `minilm` of `entities`: MiniLM taught on sentences whose names are marked, from a file in CoNLL's form
or from rows. Taught in torch, answered by ONNX Runtime.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from experiments.errors import DomainError, Invalid
from experiments.mltask import Examples, Progress
from experiments.network import Network, params_of
from nlp.ml.conll import TAG, Sentence, sentences_in
from nlp.ml.entities import ENTITIES, EntitiesInput, EntitiesOutput, as_text, output_of, scores_of
from nlp.ml.minilm import NETWORK, Tokens, tokens
from nlp.ml.spans import Found, Place, Span, joined, merged, words_of
from nlp.ml.tagging import Piece, likeliest, log_softmax, pieces_of
from nlp.ml.tuning import every_core

HEAD, STORED = "head.npz", "labels.json"
HELD_BACK = 10  # one sentence of so many, to choose on


@ENTITIES.algorithm("minilm")
class MiniLMEntities:
    """`conll` is the path of the sentences to learn from, `dev` that of those which say after which epoch it was best
    and how sure it must be of a name; with none, a tenth of the others is held back. `rate` is the step of the topmost
    layer.
    """

    def __init__(self, conll: str = "", dev: str = "", epochs: int = 6, rate: float = 1e-4, seed: int = 0) -> None:
        self.conll, self.dev = conll, dev
        self.epochs, self.rate, self.seed = int(epochs), float(rate), int(seed)

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        """With no file, `examples` has the columns words and labels (BIO), a tuple of str each. Raises DomainError for
        a file that cannot be read, with the line, and where no name is marked.
        """
        if self.epochs < 1 or not self.rate > 0:
            raise Invalid("param", "epochs must be 1 or more, rate over 0.")
        sentences = sentences_in(self.conll, "conll") if self.conll else _in_rows(examples)
        if not any(label != "O" for one in sentences for label in one.labels):
            raise DomainError(
                "There is no marked name to learn from: name a file, a word, a tab and its label a line, with"
                " --param conll=FILE."
            )
        held = sentences_in(self.dev, "dev") if self.dev else []
        return self.learn(sentences, held, progress=progress)

    def learn(self, sentences: list[Sentence], held: list[Sentence], *, progress: Progress) -> Self:
        """With none in `held`, some of the others are."""
        from nlp.ml.tagging_training import trained

        if not held:
            order = np.random.default_rng(self.seed).permutation(len(sentences))
            aside = set(order[: len(sentences) // HELD_BACK].tolist())
            held = [one for number, one in enumerate(sentences) if number in aside] or sentences
            sentences = [one for number, one in enumerate(sentences) if number not in aside]
        with every_core(len(sentences)):
            network, weight, bias, labels = trained(
                sentences, held, epochs=self.epochs, rate=self.rate, seed=self.seed, progress=progress
            )
        self.use(network, tokens(), weight, bias, labels)
        progress(1, 1, "learned, exported and checked")
        return self

    def use(self, network: Network, words: Tokens, weight: np.ndarray, bias: np.ndarray, labels: Sequence[str]) -> Self:
        """`weight` has the shape (384, labels), `bias` (labels,)."""
        self.network, self.tokens, self.weight, self.bias = network, words, weight, bias
        self.labels = tuple(labels)
        return self

    def predict(self, batch: Sequence[EntitiesInput]) -> list[EntitiesOutput]:
        return [output_of(one.text, self._spans(one.text, words_of(one.text))) for one in batch]

    def spans_in(self, words: Sequence[str]) -> list[Span]:
        """Of words that are told apart already; places are those of `as_text`."""
        text, places = as_text(words)
        return self._spans(text, places)

    def _spans(self, text: str, words: list[Place]) -> list[Span]:
        """One window at a time: in a batch with longer ones it would come out otherwise in the last digits."""
        found = []
        for piece in pieces_of(text, words, self.tokens):
            logs = self._logs(piece)
            numbers = likeliest(logs, self.labels)
            scores = np.exp(logs[np.arange(len(numbers)), numbers]).tolist()
            places = [words[number] for number in piece.words]
            spans = joined(places, [self.labels[number] for number in numbers], scores)
            found.append(Found(piece.start, piece.end, spans))
        return merged(len(text), found)

    def _logs(self, piece: Piece) -> np.ndarray:
        """Logarithms of probability, shape (words, labels)."""
        [states] = self.network.run(piece.window.array(), np.array([piece.shapes], np.int64))[0]
        return log_softmax((states[list(piece.firsts)] @ self.weight + self.bias).astype(np.float64))

    def evaluate(self, examples: Examples) -> dict[str, float]:
        return scores_of(self, examples)

    def save(self, folder: Path) -> None:
        self.network.save(folder / NETWORK)
        self.tokens.save(folder)
        np.savez(folder / HEAD, weight=self.weight, bias=self.bias)
        (folder / STORED).write_text(json.dumps({"params": params_of(self), "labels": self.labels}))

    @classmethod
    def load(cls, folder: Path) -> Self:
        stored = json.loads((folder / STORED).read_text())
        with np.load(folder / HEAD) as head:
            weight, bias = head["weight"], head["bias"]
        return cls(**stored["params"]).use(
            Network(folder / NETWORK), Tokens.load(folder), weight, bias, stored["labels"]
        )


def _in_rows(examples: Examples) -> list[Sentence]:
    """Raises Invalid for labels that are no BIO, or not one a word."""
    found = []
    for number, (words, labels) in enumerate(zip(examples.rows["words"], examples.rows["labels"], strict=True), 1):
        if len(words) != len(labels) or not all(TAG.fullmatch(label) for label in labels):
            raise Invalid("labels", f"Row {number:,} has not one label O, B-… or I-… a word.")
        if words:
            found.append(Sentence(tuple(words), tuple(labels)))
    return found
