"""The algorithm `logistic` of `category`: one linear score a category on a picture's vector."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from experiments.errors import DomainError, Invalid
from experiments.mltask import Examples, Progress
from vision.ml.category import CATEGORY, SHOWN, CategoryInput, CategoryOutput, Share
from vision.ml.embedding import DIMENSIONS
from vision.ml.image import softmax

STRENGTHS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)  # of C, tried in this order
FOLDS = 5


@CATEGORY.algorithm("logistic")
class Logistic:
    """Multinomial logistic regression on scaled vectors. `c` is its C; 0 takes the one that scores best on folds of the
    examples. It speaks of the vectors of one embedding version only, whose digest it keeps.
    """

    def __init__(self, c: float = 0.0) -> None:
        self.c = float(c)

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        """`examples` has the columns vector (a tuple), category and embedding (the digest of what made the vectors)."""
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
        scaler, model = _pipeline(chosen).fit(vectors, truth)
        weights, intercept = model.coef_, model.intercept_
        if len(model.classes_) == 2:  # scikit-learn gives the score of the second category alone
            weights, intercept = np.vstack([-weights / 2, weights / 2]), np.hstack([-intercept / 2, intercept / 2])
        weights = weights / scaler.scale_
        progress(len(STRENGTHS) + 1, len(STRENGTHS) + 1, "fitted")
        return self.use([str(name) for name in model.classes_], made_by[0], weights, intercept - weights @ scaler.mean_)

    def _best(self, vectors: np.ndarray, truth: np.ndarray, progress: Progress) -> float:
        """The C with the highest accuracy on held-out folds, of equals the smallest."""
        from sklearn.model_selection import StratifiedKFold, cross_val_score

        smallest = int(np.unique(truth, return_counts=True)[1].min())
        if smallest < 2:
            return STRENGTHS[len(STRENGTHS) // 2]
        folds = StratifiedKFold(min(FOLDS, smallest), shuffle=True, random_state=0)
        scores = []
        for step, strength in enumerate(STRENGTHS):
            progress(step, len(STRENGTHS) + 1, f"trying c {strength:g}")
            scores.append(cross_val_score(_pipeline(strength), vectors, truth, cv=folds).mean())
        return STRENGTHS[int(np.argmax(np.round(scores, 6)))]

    def use(self, categories: list[str], embedding: str, weights: np.ndarray, intercept: np.ndarray) -> Self:
        """`weights` has the shape (categories, 256), `intercept` (categories,)."""
        self.categories, self.embedding, self.weights, self.intercept = categories, embedding, weights, intercept
        return self

    def predict(self, batch: Sequence[CategoryInput]) -> list[CategoryOutput]:
        return [self._answer(one) for one in batch]

    def _answer(self, given: CategoryInput) -> CategoryOutput:
        if given.embedding and given.embedding != self.embedding:  # one that does not say, as the example, is believed
            raise DomainError(
                f"These categories were learned from vectors of the embedding version {self.embedding or 'unknown'};"
                f" this vector is from {given.embedding}. Train category again."
            )
        shares = softmax(self.weights @ _filled(given.vector) + self.intercept)
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
        np.save(folder / "weights.npy", self.weights)
        np.save(folder / "intercept.npy", self.intercept)

    @classmethod
    def load(cls, folder: Path) -> Self:
        kept = json.loads((folder / "head.json").read_text())
        arrays = np.load(folder / "weights.npy"), np.load(folder / "intercept.npy")
        return cls(kept["c"]).use(kept["categories"], kept["embedding"], *arrays)


def _pipeline(strength: float) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2_000))


def _filled(vector: Sequence[float]) -> np.ndarray:
    """With zeros up to all dimensions."""
    found = np.zeros(DIMENSIONS)
    found[: len(vector)] = vector
    return found
