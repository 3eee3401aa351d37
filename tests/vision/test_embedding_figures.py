"""How good vectors are is measured by their neighbours."""

import math

import numpy as np
import pytest

from experiments.mltask import Examples
from vision.ml.embedding import nearest, precision
from vision.ml.image import IMAGE, Classes, scores_of, softmax

AROUND = np.array([[math.cos(angle), math.sin(angle)] for angle in (0.0, 0.1, 0.3, 3.0, 3.1)])


def test_the_nearest_others_come_nearest_first_and_never_the_row_itself() -> None:
    assert nearest(AROUND, 2).tolist() == [[1, 2], [0, 2], [1, 0], [4, 2], [3, 2]]
    assert nearest(AROUND, 10).shape == (5, 4)


def test_precision_is_the_share_of_neighbours_of_the_own_category() -> None:
    assert precision(AROUND, ["a", "a", "a", "b", "b"], 1) == 1
    assert precision(AROUND, ["a", "a", "b", "b", "b"], 1) == pytest.approx(4 / 5)
    assert precision(AROUND, ["a", "a", "a", "b", "b"], 2) == pytest.approx((3 * 1 + 2 * 0.5) / 5)


@pytest.mark.parametrize("rows", [0, 1])
def test_fewer_than_two_rows_measure_nothing(rows: int) -> None:
    assert math.isnan(precision(AROUND[:rows], ["a"] * rows, 5))


def test_shares_come_out_of_any_logits() -> None:
    shares = softmax(np.array([1_000.0, 1_000.0, -1_000.0]))
    assert shares.tolist() == [0.5, 0.5, 0]


def test_classes_are_answered_best_first_and_no_more_than_there_are() -> None:
    answer = Classes(("a", "b"), ("an a", "a b")).answer(np.array([0.25, 0.75]))
    assert [(one.label, one.description, one.confidence) for one in answer.predictions] == [
        ("b", "a b", 0.75), ("a", "an a", 0.25),
    ]  # fmt: skip


def test_a_classifier_is_right_where_the_label_or_its_words_are_the_category() -> None:
    import pandas as pd

    class Always:
        def predict(self, batch: list[object]) -> list[object]:
            return [Classes(("n1", "n2"), ("lamp", "kettle")).answer(np.array([0.75, 0.25])) for _ in batch]

    rows = pd.DataFrame({"image": [b""] * 4, "category": ["n1", "lamp", "kettle", "shoe"]})
    assert scores_of(Always(), Examples(rows)) == {"accuracy": 0.5, "accuracy@5": 0.75}
    assert math.isnan(scores_of(Always(), IMAGE.tiny())["accuracy"])
