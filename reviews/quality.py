"""What monitoring asks of this room: how right the sentiment of a review is, held against its writer's stars."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from experiments.estimates.cbpe import cbpe, classification
from experiments.estimates.quality import Quality
from nlp.ml.sentiment import POSITIVE_FROM, SentimentInput
from reviews.models import Review

POSITIVE, NEGATIVE = Review.Sentiment.POSITIVE.value, Review.Sentiment.NEGATIVE.value


def _truth(value: Any) -> float | None:
    """Of a review's outcome, where the stars are read already, and of a reported one: in the words of the answer."""
    return float(value == POSITIVE) if value in (POSITIVE, NEGATIVE) else None


def _asked(rows: pd.DataFrame) -> tuple[Sequence[SentimentInput], np.ndarray]:
    inputs = [SentimentInput(text, title) for title, text in zip(rows["title"], rows["text"], strict=True)]
    return inputs, (rows["stars"].to_numpy(float) >= POSITIVE_FROM).astype(float)


def _facts(given: Mapping[str, Any], said: Mapping[str, Any]) -> tuple[float, float]:
    return said["scores"]["positive"], float(said["sentiment"] == POSITIVE)


sentiment = Quality(
    names=("accuracy", "f1", "macro_f1", "auc"), outcomes=("review", "reported"), truth=_truth, asked=_asked,
    facts=_facts, estimate=cbpe, measure=classification,
)  # fmt: skip
