"""The algorithm `boosting` of `price`: gradient-boosted trees, the check on the network. Learned by scikit-learn,
stored as arrays and answered by numpy.
"""

from typing import Any

import numpy as np

from experiments.errors import Invalid
from experiments.exporting import assert_same
from experiments.mltask import Progress
from pricing.ml.lessons import PARTS, Lessons
from pricing.ml.price import PRICE, PriceModel
from pricing.ml.regression import Model
from pricing.ml.trees import Trees, features

SCALE_TREES = 60  # that tell how far off the others are
LEVEL_SHRINK = 5.0  # rows of the mean that stand beside those of a place
NEAREST = 1e-4  # how far off a row is at least, in scales of the target
SAME = 1e-9
SHOWN = 1_000  # rows that are compared


@PRICE.algorithm("boosting")
class PriceBoosting(PriceModel):
    """`trees` are the most of each member; as many are kept as did best on the validation part. A place is read as its
    level: how far its homes lie from a line through the numbers, at the mean.
    """

    kind = Trees

    def __init__(
        self, currency: str = "USD", area: str = "sqft", trees: int = 250, rate: float = 0.06, leaves: int = 12,
        seed: int = 0,
    ) -> None:  # fmt: skip
        self.currency, self.area = currency, area
        self.trees, self.rate, self.leaves, self.seed = int(trees), float(rate), int(leaves), int(seed)

    def _learn(self, lessons: Lessons, progress: Progress) -> tuple[Model, np.ndarray]:
        from threadpoolctl import threadpool_limits

        if self.trees < 1 or not self.rate > 0 or self.leaves < 2:
            raise Invalid("param", "trees must be 1 or more, rate over 0, leaves 2 or more.")
        with threadpool_limits(1, "openmp"):  # threads that share so little work wait for each other most of the time
            return self._learned(lessons, progress)

    def _learned(self, lessons: Lessons, progress: Progress) -> tuple[Model, np.ndarray]:
        """The members are those of the first deal: each leaves out another part."""
        steps = 3 * PARTS
        left_out = lessons.left_out[:, :PARTS]
        levels = np.array([_levels(lessons, ~out) for out in left_out.T])
        read = features(lessons.numbers, lessons.places, levels)
        count = self.trees
        centres: list[Any] = []
        for step in range(2 * PARTS):  # once to choose how many trees, and again with so many
            progress(step, steps, "learning")
            if step == PARTS:
                count = _best_count(centres, read, lessons)
            learns = ~left_out[:, step % PARTS]
            model = self._boosted(count, "squared_error")
            centres.append(model.fit(read[step % PARTS][learns], lessons.truth[learns]))
        centres = centres[PARTS:]
        said = np.array([model.predict(one) for model, one in zip(centres, read, strict=True)])
        off = np.abs(lessons.truth - (said * left_out.T).sum(axis=0) / left_out.sum(axis=1)) + NEAREST
        scales = []
        for member, out in enumerate(left_out.T):
            progress(2 * PARTS + member, steps, "learning how far off it is")
            scales.append(self._boosted(SCALE_TREES, "gamma").fit(read[member][~out], off[~out]))
        widths = np.array([np.log(model.predict(one)) for model, one in zip(scales, read, strict=True)])
        trees, each = Trees.of(centres, scales, levels), np.stack([said.T, widths.T], axis=2)
        ours = trees.answers(lessons.numbers[:SHOWN], lessons.places[:SHOWN])
        assert_same(ours, each[:SHOWN].mean(axis=1), "The trees as stored differ from scikit-learn's", SAME)
        return trees, each

    def _boosted(self, trees: int, loss: str) -> Any:
        from sklearn.ensemble import HistGradientBoostingRegressor

        return HistGradientBoostingRegressor(
            loss=loss, max_iter=trees, learning_rate=self.rate, max_leaf_nodes=self.leaves, l2_regularization=10.0,
            early_stopping=False, random_state=self.seed,
        )  # fmt: skip


def _levels(lessons: Lessons, learns: np.ndarray) -> np.ndarray:
    """Of each place, shape (places,): the mean of what a line through the numbers leaves, drawn to zero where there are
    few rows.
    """
    lines = np.column_stack([np.ones(int(learns.sum())), lessons.numbers[learns]])
    truth, places = lessons.truth[learns], lessons.places[learns]
    left = truth - lines @ np.linalg.lstsq(lines, truth)[0]
    rows = np.bincount(places, minlength=lessons.place_count)
    found: np.ndarray = np.bincount(places, left, lessons.place_count) / (rows + LEVEL_SHRINK)
    return found


def _best_count(models: list[Any], read: np.ndarray, lessons: Lessons) -> int:
    """How many trees a member need to have, for the least squared error of their mean on the validation part."""
    watched = lessons.validation
    stages = [np.array(list(model.staged_predict(one[watched]))) for model, one in zip(models, read, strict=True)]
    errors = ((np.mean(stages, axis=0) - lessons.truth[watched]) ** 2).mean(axis=1)
    return int(errors.argmin()) + 1
