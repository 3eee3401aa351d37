"""Sentiment of a review: is its writer content? Trained on reviews with stars, 4 and up meaning positive."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np

from experiments.errors import DomainError, Invalid
from experiments.mltask import Examples, MLTask, Progress, Text
from nlp.ml.calibration import expected_calibration_error, logistic
from nlp.ml.ngrams import Ngrams

POSITIVE_FROM = 4  # stars: a review with so many is positive
LIMITS = (3, POSITIVE_FROM, 5)


@dataclass(frozen=True)
class SentimentInput:
    text: Annotated[str, Text(max_length=10_000, min_length=1)]
    title: Annotated[str, Text(max_length=300)] = ""


@dataclass(frozen=True)
class Scores:
    """Probabilities that sum to one."""

    positive: float
    negative: float


@dataclass(frozen=True)
class SentimentOutput:
    sentiment: Literal["positive", "negative"]
    confidence: float
    scores: Scores


def tiny() -> Examples:
    import pandas as pd

    good = ["Lovely soft fabric, fits well", "I love it", "Not bad at all, very happy", "Great value and great fit"]
    bad = ["Terrible fabric, fits badly", "I hate it", "Not good at all, very sad", "Poor value and poor fit"]
    return Examples(pd.DataFrame({"title": "", "text": (good + bad) * 4, "stars": [5, 5, 4, 4, 1, 1, 2, 3] * 4}))


SENTIMENT = MLTask(
    name="sentiment",
    input=SentimentInput,
    output=SentimentOutput,
    example=SentimentInput(text="The fabric is lovely and it fits me very well.", title="Love it"),
    tiny=tiny,
    metric="macro_f1",
)


def output_of(positive: float) -> SentimentOutput:
    """The answer for a probability of positive."""
    return SentimentOutput(
        sentiment="positive" if positive >= 0.5 else "negative",
        confidence=max(positive, 1 - positive),
        scores=Scores(positive=positive, negative=1 - positive),
    )


@SENTIMENT.algorithm("tfidf")
class TfidfSentiment:
    """TF-IDF of words and pairs of words, and three logistic regressions on them: are the stars at least 3, 4, 5?

    The score is the mean of the three, so a text of five stars teaches more than that it is no three (an ordinal model:
    Frank and Hall, 2001). For each, an n-gram is scaled by how much more often it stands on the upper side, the naive
    Bayes log-count ratio (Wang and Manning, "Baselines and Bigrams", 2012). The title is read twice: with the text, and
    as a field of its own, where a word says more. All of it is linear, so one weight an n-gram is what is kept. `c` is
    the inverse of the regularisation, `smoothing` is added to every count of the ratio, `longest` is the longest n-gram
    in words and `min_df` the number of texts that it must stand in.
    """

    def __init__(self, c: float = 3.0, smoothing: float = 1.0, longest: int = 2, min_df: int = 2) -> None:
        self.c = float(c)
        self.smoothing = float(smoothing)
        self.longest = int(longest)
        self.min_df = int(min_df)

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        """`examples` has the columns title, text (str) and stars (1 to 5), with rows on both sides of POSITIVE_FROM."""
        stars = examples.rows["stars"].to_numpy(float)
        limits = [limit for limit in LIMITS if (stars >= limit).any() and (stars < limit).any()]
        if POSITIVE_FROM not in limits:
            raise DomainError(
                f"Sentiment needs positive and negative reviews to learn from, {POSITIVE_FROM} stars and up and fewer;"
                " there is only one kind."
            )
        if min(self.c, self.smoothing) <= 0 or min(self.longest, self.min_df) < 1:
            raise Invalid("param", "c and smoothing must be over 0, longest and min_df at least 1.")
        steps = 2 + len(limits)
        titles, texts = list(examples.rows["title"]), list(examples.rows["text"])
        fields = {"text": [joined(t, x) for t, x in zip(titles, texts, strict=True)], "title": titles}
        blocks: list[Any] = []
        vocabularies: list[tuple[list[str], np.ndarray]] = []
        for step, (name, values) in enumerate(fields.items()):
            progress(step, steps, f"counting n-grams of the {name}")
            block, words, idf = self._counted(name, values)
            blocks.append(block)
            vocabularies.append((words, idf))
        weights, self.intercept = np.zeros(sum(block.shape[1] for block in blocks)), 0.0
        if not len(weights):
            raise DomainError(f"No word stands in {self.min_df} reviews or more: there is nothing to learn from.")
        for step, limit in enumerate(limits):
            progress(2 + step, steps, f"fitting at least {limit} stars")
            weight, intercept = self._regression(blocks, stars >= limit)
            weights += weight / len(limits)
            self.intercept += intercept / len(limits)
        self.text, self.title = (
            self._ngrams(name).use(words, idf, part)
            for name, (words, idf), part in zip(
                fields, vocabularies, np.split(weights, [blocks[0].shape[1]]), strict=True
            )
        )
        progress(steps, steps, "fitted")
        return self

    def _counted(self, name: str, values: list[str]) -> tuple[Any, list[str], np.ndarray]:
        """The TF-IDF matrix of a field, its n-grams and their inverse document frequencies."""
        from scipy import sparse

        vectorizer = self._ngrams(name).vectorizer()
        try:
            block = vectorizer.fit_transform(values)
        except ValueError:  # no n-gram stands in enough texts: this field says nothing
            return sparse.csr_matrix((len(values), 0)), [], np.array([])
        return block, list(vectorizer.get_feature_names_out()), vectorizer.idf_

    def _regression(self, blocks: list[Any], upper: np.ndarray) -> tuple[np.ndarray, float]:
        """One weight a column, its scale multiplied in, and the intercept."""
        from scipy import sparse
        from sklearn.linear_model import LogisticRegression

        scales = [_log_count_ratio(block, upper, self.smoothing) for block in blocks]
        features = sparse.hstack([block.multiply(scale) for block, scale in zip(blocks, scales, strict=True)]).tocsr()
        model = LogisticRegression(C=self.c, class_weight="balanced", max_iter=1_000).fit(features, upper)
        return model.coef_[0] * np.concatenate(scales), float(model.intercept_[0])

    def _ngrams(self, name: str) -> Ngrams:
        return Ngrams(self.longest if name == "text" else min(self.longest, 2), self.min_df)

    def predict(self, batch: Sequence[SentimentInput]) -> list[SentimentOutput]:
        return [output_of(logistic(self.logit(one.title, one.text))) for one in batch]

    def logit(self, title: str, text: str) -> float:
        """The logarithm of the odds that the review is positive."""
        score: float = self.intercept + self.text.score(joined(title, text)) + self.title.score(title)
        return score

    def evaluate(self, examples: Examples) -> dict[str, float]:
        """Macro-averaged F1, area under the ROC curve (NaN with one class) and accuracy."""
        return scores_of(self, examples)

    def save(self, folder: Path) -> None:
        self.text.save(folder, "text")
        self.title.save(folder, "title")
        params = {"c": self.c, "smoothing": self.smoothing, "longest": self.longest, "min_df": self.min_df}
        (folder / "params.json").write_text(json.dumps({"params": params, "intercept": self.intercept}))

    @classmethod
    def load(cls, folder: Path) -> Self:
        stored = json.loads((folder / "params.json").read_text())
        self = cls(**stored["params"])
        self.intercept = stored["intercept"]
        self.text = self._ngrams("text").load(folder, "text")
        self.title = self._ngrams("title").load(folder, "title")
        return self


def _log_count_ratio(block: Any, positive: np.ndarray, smoothing: float) -> np.ndarray:
    """log of how often each column is present in positive rows over how often in negative ones; shape (columns,)."""
    present = block > 0
    up = smoothing + np.asarray(present[positive].sum(axis=0), float).ravel()
    down = smoothing + np.asarray(present[~positive].sum(axis=0), float).ravel()
    ratio: np.ndarray = np.log((up / up.sum()) / (down / down.sum()))
    return ratio


def scores_of(predictor: Any, examples: Examples) -> dict[str, float]:
    """Quality of any sentiment predictor on rows with the columns title, text and stars."""
    from sklearn.metrics import f1_score, roc_auc_score

    rows = examples.rows
    outputs = predictor.predict([SentimentInput(x, t) for t, x in zip(rows["title"], rows["text"], strict=True)])
    positive = np.array([output.scores.positive for output in outputs])
    said = np.array([output.sentiment == "positive" for output in outputs])
    truth = rows["stars"].to_numpy(float) >= POSITIVE_FROM
    both = 0 < truth.sum() < len(truth)
    return {
        "macro_f1": float(f1_score(truth, said, average="macro")),
        "auc": float(roc_auc_score(truth, positive)) if both else float("nan"),
        "accuracy": float((truth == said).mean()),
        "calibration_error": expected_calibration_error(positive, truth),
    }


def joined(title: str, text: str) -> str:
    return f"{title} . {text}" if title else text
