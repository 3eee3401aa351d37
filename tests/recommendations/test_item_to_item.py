"""Item-to-item weights and neighbours against numbers worked out by hand."""

from math import sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from experiments.mltask import Examples
from recommendations.ml.collaborative import Factors, UserNeighbours, fit_item_neighbours
from recommendations.ml.item_item import ItemItem, strongest
from recommendations.ml.sequences import Sequences, sequences

DENSE = np.array([[0, 2, 0.5], [1, 0, 0], [0, 3, 0]], np.float32)

# Who liked what:  ann 0 1 3   bob 0 1   cleo 0 2   dan 1 3
# Liked by:        0: 3   1: 3   2: 1   3: 2
# Liked together:  0 1: 2   0 2: 1   0 3: 1   1 3: 2
LIKED = {"ann": (0, 1, 3), "bob": (0, 1), "cleo": (0, 2), "dan": (1, 3)}
COSINE = {(0, 1): 2 / 3, (0, 2): 1 / sqrt(3), (0, 3): 1 / sqrt(6), (1, 3): 2 / sqrt(6)}


def places(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def liked() -> tuple[Sequences, np.ndarray]:
    rows = [(user, product, "rating", 4.0, 0.0) for user, products in LIKED.items() for product in products]
    found = sequences(Examples(pd.DataFrame(rows, columns=["unit", "product", "kind", "value", "at"])))
    return found, found.strength(0, 0)


def test_scores_are_the_weighted_sum_of_the_rows_of_the_history() -> None:
    matrix = ItemItem.of(sparse.csr_matrix(DENSE))
    assert matrix.scores(places(0, 2), np.array([1.0, 0.5])).tolist() == [0, 3.5, 0.5]
    assert matrix.scores(places(), np.zeros(0)).tolist() == [0, 0, 0]


def test_between_gives_the_entry_of_each_pair() -> None:
    matrix = ItemItem.of(sparse.csr_matrix(DENSE))
    assert matrix.between(places(2, 0), places(1, 2, 0)).tolist() == [[3, 0, 0], [2, 0.5, 0]]
    assert matrix.between(places(), places(1)).shape == (0, 1)


def test_a_score_is_the_sum_of_what_it_is_made_of() -> None:
    rng = np.random.default_rng(1)
    matrix = ItemItem.of(sparse.random(30, 30, 0.3, "csr", random_state=1))
    history, weights = np.sort(rng.permutation(30)[:7]), rng.normal(size=7)
    assert weights @ matrix.between(history, np.arange(30)) == pytest.approx(matrix.scores(history, weights), rel=1e-5)


def test_a_saved_matrix_is_the_same_when_loaded(tmp_path: Path) -> None:
    matrix = ItemItem.of(sparse.csr_matrix(DENSE))
    matrix.save(tmp_path, "m")
    again = ItemItem.load(tmp_path, "m")
    assert again.between(places(0, 1, 2), places(0, 1, 2)).tolist() == DENSE.tolist()


@pytest.mark.parametrize(
    ("count", "left"),
    [(1, [[0, 0, 3], [2, 0, 0]]), (2, [[1, 0, 3], [2, 2, 0]]), (9, [[1, 0, 3], [2, 2, 2]]), (0, [[0, 0, 0]] * 2)],
)
def test_each_row_keeps_its_largest_and_of_equal_ones_the_first(count: int, left: list[list[int]]) -> None:
    matrix = sparse.csr_matrix(np.array([[1, 0, 3], [2, 2, 2]]))
    assert strongest(matrix, count).toarray().tolist() == left


def test_item_neighbours_are_alike_as_the_cosine_of_who_liked_them_says() -> None:
    matrix = fit_item_neighbours(*liked(), neighbours=9, shrink=0)
    for (one, other), cosine in COSINE.items():
        assert matrix.between(places(one), places(other))[0, 0] == pytest.approx(cosine, rel=1e-6)
        assert matrix.between(places(other), places(one))[0, 0] == pytest.approx(cosine, rel=1e-6)
    assert matrix.between(places(2), places(1, 2, 3)).tolist() == [[0, 0, 0]]


def test_a_similarity_shrinks_where_few_liked_both() -> None:
    matrix = fit_item_neighbours(*liked(), neighbours=9, shrink=10)
    assert matrix.between(places(0), places(1, 2))[0] == pytest.approx(
        [COSINE[0, 1] * 2 / 12, COSINE[0, 2] / 11], rel=1e-6
    )


def test_only_the_nearest_neighbours_speak_for_a_product() -> None:
    matrix = fit_item_neighbours(*liked(), neighbours=1, shrink=0)
    spoken = matrix.between(places(0, 1, 2, 3), places(0, 1, 2, 3)) > 0
    assert spoken.sum(axis=0).tolist() == [1, 1, 1, 1]


def test_user_neighbours_score_what_like_minded_customers_liked() -> None:
    model = UserNeighbours.fit(*liked(), neighbours=2)
    # the history 3 alone: dan (1 / sqrt 2) and ann (1 / sqrt 3) are nearest; each of their likes weighs as much again
    dan, ann = 1 / 2, 1 / 3
    assert model.scores(places(3), np.ones(1)) == pytest.approx([ann, ann + dan, 0, ann + dan], rel=1e-6)
    assert model.between(places(3), places(0, 1)) == pytest.approx(np.array([[ann, ann + dan]]), rel=1e-6)


def test_folded_in_factors_are_those_of_the_least_squares() -> None:
    factors = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    model = Factors(factors, confidence=10.0, l2=0.1)
    confidence = np.diag([1, 1 + 10 * 1.0, 1, 1 + 10 * 0.5, 1, 1])
    wanted = np.array([0, 1, 0, 1, 0, 0])
    user = np.linalg.solve(factors.T @ confidence @ factors + 0.1 * np.eye(3), factors.T @ confidence @ wanted)
    assert model.scores(places(1, 3), np.array([1.0, 0.5])) == pytest.approx(factors @ user, rel=1e-4)
