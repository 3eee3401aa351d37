"""A sentiment model that takes its time, and one that says the opposite."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from nlp.ml.sentiment import SENTIMENT, SentimentInput, SentimentOutput, TfidfSentiment, output_of


@SENTIMENT.algorithm("slow")
class Slow(TfidfSentiment):
    """Right, and `seconds` later than it could be."""

    def __init__(self, seconds: float = 0.0, **params: Any) -> None:
        super().__init__(**params)
        self.seconds = float(seconds)

    def predict(self, batch: Sequence[SentimentInput]) -> list[SentimentOutput]:
        time.sleep(self.seconds)
        return super().predict(batch)

    def save(self, folder: Path) -> None:
        super().save(folder)
        (folder / "seconds.txt").write_text(str(self.seconds))

    @classmethod
    def load(cls, folder: Path) -> Self:
        self = super().load(folder)
        self.seconds = float((folder / "seconds.txt").read_text())
        return self


@SENTIMENT.algorithm("wrong")
class Wrong(TfidfSentiment):
    """As sure as ever."""

    def predict(self, batch: Sequence[SentimentInput]) -> list[SentimentOutput]:
        return [output_of(1 - one.scores.positive) for one in super().predict(batch)]
