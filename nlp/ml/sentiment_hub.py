"""The algorithm `hub` of `sentiment`: any classifier of texts that transformers can load, by its name on the hub or
from a folder. What it loaded is kept in the artifact, and nothing is fetched afterwards.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from experiments.errors import DomainError
from experiments.mltask import Examples, Progress
from nlp.ml.hub import PARAMS, Reader, brought
from nlp.ml.sentiment import POSITIVE_FROM, SENTIMENT, SentimentInput, SentimentOutput, joined, output_of, scores_of

EXAMPLE = "distilbert/distilbert-base-uncased-finetuned-sst-2-english"


@SENTIMENT.algorithm("hub")
class HubSentiment(Reader):
    """`model` is a name on the hub or a folder. Its labels may be sentiments (positive, neutral, negative) or stars. A
    long text is read in windows, and the mean of these counts.
    """

    def __init__(self, model: str = "") -> None:
        self.model = model

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        """Needs no examples: brings the network in."""
        progress(0, 1, "loading the network")
        self.use(*brought(_loaded, self.model, EXAMPLE))
        progress(1, 1, "loaded")
        return self

    def use(self, network: Any, tokenizer: Any) -> Self:
        self.take(network, tokenizer)
        self.positive = share_of_positive(self.labels)
        return self

    def predict(self, batch: Sequence[SentimentInput]) -> list[SentimentOutput]:
        return [output_of(self._positive(joined(one.title, one.text))) for one in batch]

    def _positive(self, text: str) -> float:
        ids = self.fast.encode(text, add_special_tokens=False).ids
        parts = [ids[start : start + self.window] for start in range(0, max(len(ids), 1), self.window)]
        found = [float(self.shares(part) @ self.positive) for part in parts]
        return float(np.clip(np.average(found, weights=[max(len(part), 1) for part in parts]), 0, 1))

    def evaluate(self, examples: Examples) -> dict[str, float]:
        return scores_of(self, examples)

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(**json.loads((folder / PARAMS).read_text())).use(*_loaded(str(folder), True))


def share_of_positive(labels: Sequence[str]) -> np.ndarray:
    """How much each label counts as positive, 0 to 1: a neutral one half. Raises DomainError for labels that are no
    sentiments.
    """
    if [one.upper() for one in labels] == ["LABEL_0", "LABEL_1"]:  # as transformers names two that nobody named
        return np.array([0.0, 1.0])
    found = [_of(one.lower()) for one in labels]
    if None in found or len(set(found)) < 2:
        raise DomainError(f"Its labels are no sentiments and no stars: {', '.join(labels)[:200]}.")
    return np.array(found, float)


def _of(label: str) -> float | None:
    for start, share in (("pos", 1.0), ("neg", 0.0), ("neu", 0.5), ("mixed", 0.5)):
        if label.startswith(start) or f"_{start}" in label or f" {start}" in label:  # very_negative, very positive
            return share
    stars = re.fullmatch(r"([1-5])( stars?)?", label)
    return float(int(stars[1]) >= POSITIVE_FROM) if stars else None


def _loaded(source: str, local: bool) -> tuple[Any, Any]:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    network = AutoModelForSequenceClassification.from_pretrained(source, local_files_only=local)
    return network.eval(), AutoTokenizer.from_pretrained(source, local_files_only=local)
