"""A sentiment model that does what its parameters say: for tests of what surrounds a model."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from experiments.mltask import Examples
from nlp.ml.sentiment import SentimentInput, output_of


def nothing(batch: Sequence[SentimentInput]) -> None:
    pass


class Scripted:
    """Says `positive` of every text, fails on a batch with `fails_on` in a text, and scores `score`, give or take
    `noise`.
    """

    before = staticmethod(nothing)  # called with each batch

    def __init__(self, positive: float = 0.9, score: float = 0.8, noise: float = 0.0, fails_on: str = "") -> None:
        self.positive = positive
        self.score = score
        self.noise = noise
        self.fails_on = fails_on

    def fit(self, examples: Examples, *, progress: Any) -> Self:
        return self

    def predict(self, batch: Sequence[SentimentInput]) -> list[Any]:
        self.before(batch)
        if self.fails_on and any(self.fails_on in one.text for one in batch):
            raise RuntimeError("the secret of the model")
        return [output_of(self.positive) for _ in batch]

    def evaluate(self, examples: Examples) -> dict[str, float]:
        side = 1 if examples.rows.index[0] // 2 % 2 else -1
        return {"macro_f1": float(self.score) + side * self.noise}

    def save(self, folder: Path) -> None:
        (folder / "script.json").write_text(json.dumps(vars(self)))

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(**json.loads((folder / "script.json").read_text()))
