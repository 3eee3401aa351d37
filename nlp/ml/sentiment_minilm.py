"""The algorithm `minilm` of `sentiment`: a small transformer that is taught further on the shop's reviews, all of it,
with the n-grams of `tfidf` beside it. It is trained with torch and served through ONNX Runtime.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from experiments.errors import DomainError, Invalid
from experiments.mltask import Examples, Progress, no_progress
from experiments.network import Network, params_of
from nlp.ml import minilm
from nlp.ml.calibration import best_threshold, logistic
from nlp.ml.sentiment import (
    LIMITS,
    POSITIVE_FROM,
    SENTIMENT,
    Scores,
    SentimentInput,
    SentimentOutput,
    TfidfSentiment,
    joined,
    scores_of,
)
from nlp.ml.tuning import Batch, tuned

LEARNED = 128  # tokens of a review that are learned from; all are read when it answers
HELD_BACK = 12  # one part in so many of the examples calibrates the scores
FEW = 600  # examples: of fewer a third does
NGRAMS = "ngrams"  # their folder
LAYERS = 4  # of six: the upper ones were taught how alike texts are, and without them it learns and answers faster
STAYS = 1e-3  # of the area under the curve may be lost by whole numbers of eight bits
TELLING = 50  # held-back reviews: fewer cannot tell whether it is


@SENTIMENT.algorithm("minilm")
class MiniLMSentiment:
    """Three scores from the mean of what the network says of the words: are the stars at least 3, 4, 5? A fourth is
    what the n-grams say, which know this shop's words and are wrong about other texts than the network. A logistic
    regression on held-back reviews makes one probability of them (Platt, 1999; Wolpert, "Stacked Generalization", 1992)
    and says from where on a review counts as positive. `rate` is the learning rate of the network.
    """

    def __init__(self, epochs: float = 2.0, rate: float = 2e-4, batch: int = 32, seed: int = 0) -> None:
        self.epochs, self.rate = float(epochs), float(rate)
        self.batch, self.seed = int(batch), int(seed)

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        """`examples` has the columns title, text (str) and stars (1 to 5), with rows on both sides of POSITIVE_FROM."""
        import pandas as pd

        if not (self.epochs > 0 and self.rate > 0 and self.batch > 0):
            raise Invalid("param", "epochs, rate and batch must be over 0.")
        parts = list(examples.parts(HELD_BACK if len(examples) >= FEW else 3, seed=self.seed))
        if len(parts) < 2:
            raise DomainError("There are too few reviews to learn from and to calibrate on.")
        held_back, *others = parts
        learned = Examples(pd.concat([one.rows for one in others]))
        stars = learned.rows["stars"].to_numpy(float)
        for one in (stars, held_back.rows["stars"].to_numpy(float)):
            if not ((one >= POSITIVE_FROM).any() and (one < POSITIVE_FROM).any()):
                raise DomainError("There are too few positive and negative reviews to learn from and to calibrate on.")
        self.ngrams = TfidfSentiment().fit(learned, progress=no_progress)  # first: it is the one that may refuse
        truth = np.stack([stars >= limit for limit in LIMITS], axis=1).astype(np.float32)
        self.tokens = minilm.tokens()
        windows = [self.tokens.windows(joined(*one), LEARNED)[0] for one in reviews_of(learned)]
        network = tuned(
            _scorer(), [Batch(window, row) for window, row in zip(windows, truth, strict=True)], epochs=self.epochs,
            rate=self.rate, size=self.batch, seed=self.seed, progress=progress,
        )  # fmt: skip
        self._settle(network, held_back, progress)
        return self

    def _settle(self, network: Any, held_back: Examples, progress: Progress) -> None:
        """Choose the file, calibrate its scores, and find the threshold."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.metrics import roc_auc_score

        progress(0, 1, "calibrating")
        truth = held_back.rows["stars"].to_numpy(float) >= POSITIVE_FROM
        fitted = []
        whole = minilm.as_file(network)
        for file in (whole, minilm.quantized(whole)) if len(truth) >= TELLING else (whole,):
            self.network = file
            scores = np.array([self._scores(title, text) for title, text in reviews_of(held_back)])
            model = LogisticRegression(C=1.0, max_iter=1_000).fit(scores, truth)
            positive = model.predict_proba(scores)[:, 1]
            fitted.append((float(roc_auc_score(truth, positive)), self.network, model, positive))
        large, small = fitted[0], fitted[-1]
        _, self.network, model, positive = small if small[0] >= large[0] - STAYS else large
        self.weights, self.intercept = model.coef_[0], float(model.intercept_[0])
        self.threshold = best_threshold(positive)
        progress(1, 1, "calibrated")

    def _scores(self, title: str, text: str) -> np.ndarray:
        """One a limit and that of the n-grams, shape (4,): of a long text the mean of its windows, by their length."""
        windows = self.tokens.windows(joined(title, text))
        found = np.array([self.network.run(one.array())[0][0] for one in windows], np.float64)
        weighted = np.average(found, axis=0, weights=[len(one.ids) for one in windows])
        return np.append(weighted, self.ngrams.logit(title, text))

    def predict(self, batch: Sequence[SentimentInput]) -> list[SentimentOutput]:
        """One text at a time: what stands beside it in a batch must not change its answer."""
        return [self._answer(one.title, one.text) for one in batch]

    def _answer(self, title: str, text: str) -> SentimentOutput:
        positive = logistic(float(self._scores(title, text) @ self.weights) + self.intercept)
        scores = Scores(positive=positive, negative=1 - positive)
        if positive >= self.threshold:
            return SentimentOutput("positive", positive, scores)
        return SentimentOutput("negative", 1 - positive, scores)

    def evaluate(self, examples: Examples) -> dict[str, float]:
        return scores_of(self, examples)

    def save(self, folder: Path) -> None:
        self.network.save(folder / minilm.NETWORK)
        self.tokens.save(folder)
        (folder / NGRAMS).mkdir()
        self.ngrams.save(folder / NGRAMS)
        kept = {"weights": self.weights.tolist(), "intercept": self.intercept, "threshold": self.threshold}
        (folder / "params.json").write_text(json.dumps({"params": params_of(self), **kept}))

    @classmethod
    def load(cls, folder: Path) -> Self:
        kept = json.loads((folder / "params.json").read_text())
        self = cls(**kept["params"])
        self.network, self.tokens = Network(folder / minilm.NETWORK), minilm.Tokens.load(folder)
        self.ngrams = TfidfSentiment.load(folder / NGRAMS)
        self.weights, self.intercept = np.array(kept["weights"]), kept["intercept"]
        self.threshold = kept["threshold"]
        return self


def reviews_of(examples: Examples) -> list[tuple[str, str]]:
    return list(zip(examples.rows["title"], examples.rows["text"], strict=True))


def _scorer() -> Any:
    """In torch: ids (texts, tokens) and their mask to a score for each of LIMITS; without a mask all tokens count."""
    import torch

    class Scorer(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = minilm.weighted()
            self.network.encoder.layer = self.network.encoder.layer[:LAYERS]
            self.network.embeddings.word_embeddings.weight.requires_grad_(False)  # most words are in no review
            self.head = torch.nn.Linear(minilm.DIMENSIONS, len(LIMITS))

        def forward(self, ids: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
            counted = torch.ones_like(ids) if mask is None else mask
            states = self.network(input_ids=ids, attention_mask=counted).last_hidden_state
            share = counted[..., None] / counted.sum(1)[:, None, None]
            scores: torch.Tensor = self.head((states * share).sum(1))
            return scores

    return Scorer()
