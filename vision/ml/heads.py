"""The algorithm `logistic` of `category`: one linear score a category on a picture's vector."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from experiments.errors import DomainError, Invalid
from experiments.mltask import Examples, Progress
from vision.ml.category import CATEGORY, SHOWN, CategoryInput, CategoryOutput, Share
from vision.ml.embedding import DIMENSIONS, unit
from vision.ml.image import softmax

STRENGTHS = (10.0, 3.0, 30.0, 1.0)  # of C: of equals the first one is taken
FOLDS = 5
ARRAYS = ("middle", "weights", "intercept")


@CATEGORY.algorithm("logistic")
class Logistic:
    """Multinomial logistic regression on the direction of a vector from the middle of all. `c` is its C; 0 takes the
    one that scores best on folds of the examples. It speaks of the vectors of one embedding version only, whose digest
    it keeps.
    """

    def __init__(self, c: float = 0.0) -> None:
        self.c = float(c)

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        """`examples` has the columns vector, category and embedding (the digest of what made the vectors)."""
        rows = examples.rows
        if not self.c >= 0:
            raise Invalid("param", "c must be 0 (chosen on the examples) or more.")
        if rows["category"].nunique() < 2:
            raise DomainError("There must be pictures of two categories or more to learn from.")
        made_by = sorted(set(rows["embedding"]))
        if len(made_by) > 1:
            raise DomainError(f"The vectors were made by several embedding versions: {', '.join(made_by)}.")
        vectors = np.array([_filled(vector) for vector in rows["vector"]])
        truth = rows["category"].to_numpy()
        chosen = self.c or self._best(vectors, truth, progress)
        progress(len(STRENGTHS), len(STRENGTHS) + 1, "fitting all examples")
        fitted = _pipeline(chosen).fit(vectors, truth)
        middle, model = fitted[0].mean_, fitted[-1]
        weights, intercept = model.coef_, model.intercept_
        if len(model.classes_) == 2:  # scikit-learn gives the score of the second category alone
            weights, intercept = np.vstack([-weights / 2, weights / 2]), np.hstack([-intercept / 2, intercept / 2])
        progress(len(STRENGTHS) + 1, len(STRENGTHS) + 1, "fitted")
        return self.use([str(name) for name in model.classes_], made_by[0], middle, weights, intercept)

    def _best(self, vectors: np.ndarray, truth: np.ndarray, progress: Progress) -> float:
        """The C with the highest accuracy on held-out folds."""
        from sklearn.model_selection import StratifiedKFold, cross_val_score

        smallest = int(np.unique(truth, return_counts=True)[1].min())
        if smallest < 2:
            return STRENGTHS[0]
        folds = StratifiedKFold(min(FOLDS, smallest), shuffle=True, random_state=0)
        scores = []
        for step, strength in enumerate(STRENGTHS):
            progress(step, len(STRENGTHS) + 1, f"trying c {strength:g}")
            scores.append(cross_val_score(_pipeline(strength), vectors, truth, cv=folds).mean())
        return STRENGTHS[int(np.argmax(np.round(scores, 6)))]

    def use(
        self, categories: list[str], embedding: str, middle: np.ndarray, weights: np.ndarray, intercept: np.ndarray
    ) -> Self:
        """`middle` has the shape (1280,), `weights` (categories, 1280), `intercept` (categories,)."""
        self.categories, self.embedding = categories, embedding
        self.middle, self.weights, self.intercept = middle, weights, intercept
        return self

    def predict(self, batch: Sequence[CategoryInput]) -> list[CategoryOutput]:
        return [self._answer(one) for one in batch]

    def _answer(self, given: CategoryInput) -> CategoryOutput:
        if given.embedding and given.embedding != self.embedding:  # one that does not say, as the example, is believed
            raise DomainError(
                f"These categories were learned from vectors of the embedding version {self.embedding or 'unknown'};"
                f" this vector is from {given.embedding}. Train category again."
            )
        shares = softmax(self.weights @ unit(_filled(given.vector) - self.middle) + self.intercept)
        best = np.argsort(-shares, kind="stable")[:SHOWN]
        found = tuple(Share(self.categories[one], float(shares[one])) for one in best)
        return CategoryOutput(found, found[0].confidence)

    def evaluate(self, examples: Examples) -> dict[str, float]:
        """Accuracy and macro-averaged F1."""
        from sklearn.metrics import f1_score

        rows = examples.rows
        inputs = [CategoryInput(*row) for row in zip(rows["vector"], rows["embedding"], strict=True)]
        guesses = [output.categories[0].category for output in self.predict(inputs)]
        truth = list(rows["category"])
        return {
            "accuracy": float(np.mean([guess == right for guess, right in zip(guesses, truth, strict=True)])),
            "macro_f1": float(f1_score(truth, guesses, average="macro")),
        }

    def save(self, folder: Path) -> None:
        kept = {"c": self.c, "categories": self.categories, "embedding": self.embedding}
        (folder / "head.json").write_text(json.dumps(kept))
        for name in ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> Self:
        kept = json.loads((folder / "head.json").read_text())
        arrays = (np.load(folder / f"{name}.npy") for name in ARRAYS)
        return cls(kept["c"]).use(kept["categories"], kept["embedding"], *arrays)


def _pipeline(strength: float) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer, StandardScaler

    return make_pipeline(StandardScaler(with_std=False), Normalizer(), LogisticRegression(C=strength, max_iter=2_000))


def _filled(vector: Sequence[float]) -> np.ndarray:
    """With zeros up to all dimensions."""
    found = np.zeros(DIMENSIONS)
    found[: len(vector)] = vector
    return found
