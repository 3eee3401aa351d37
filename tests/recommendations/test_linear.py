"""Item-item linear models against least squares written out in double precision."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from benchmarks.power_law import ratings
from recommendations.ml import linear
from recommendations.ml.linear import item_weights

DENSE, SPARSE = linear.DENSE_BYTES, 0
WAYS = pytest.mark.parametrize("dense_bytes", [DENSE, SPARSE], ids=["dense", "sparse"])


def likes(users: int = 300, items: int = 40, seed: int = 0, share: float = 0.2) -> Any:
    rng = np.random.default_rng(seed)
    strong = rng.random(items) * 2 * share  # some are liked more than others
    found = (rng.random((users, items)) < strong) * rng.uniform(0.5, 1.5, (users, items))
    return sparse.csr_matrix(found.astype(np.float32))


def learn(inputs: Any, targets: Any = None, l2: float = 5.0, neighbours: int = 1_000, **more: Any) -> Any:
    return item_weights(inputs, inputs if targets is None else targets, l2=l2, neighbours=neighbours, **more)


def closed_form(matrix: Any, l2: float) -> np.ndarray:
    x = matrix.toarray().astype(np.float64)
    inverse = np.linalg.inv(x.T @ x + l2 * np.eye(x.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


def one_regression_a_column(inputs: Any, targets: Any, l2: float) -> np.ndarray:
    """Each target on every input but its own, as least squares with l2 as further rows."""
    x, y = inputs.toarray().astype(np.float64), targets.toarray().astype(np.float64)
    weights = np.zeros((x.shape[1], x.shape[1]))
    for item in range(x.shape[1]):
        others = np.arange(x.shape[1]) != item
        rows = np.vstack([x[:, others], np.sqrt(l2) * np.eye(others.sum())])
        wanted = np.concatenate([y[:, item], np.zeros(others.sum())])
        weights[others, item] = np.linalg.lstsq(rows, wanted)[0]
    return weights


@WAYS
@pytest.mark.parametrize("l2", [0.5, 50.0])
def test_weights_are_those_of_the_closed_form(dense_bytes: int, l2: float) -> None:
    matrix = likes()
    np.testing.assert_allclose(
        learn(matrix, l2=l2, dense_bytes=dense_bytes).toarray(), closed_form(matrix, l2), atol=1e-5
    )


@WAYS
def test_weights_for_other_targets_are_those_of_least_squares_without_the_product_itself(dense_bytes: int) -> None:
    inputs, targets = likes(seed=1), likes(seed=2) + likes(seed=1) * 0.5
    found = learn(inputs, targets, dense_bytes=dense_bytes).toarray()
    np.testing.assert_allclose(found, one_regression_a_column(inputs, targets, 5.0), atol=1e-5)


@WAYS
def test_targets_that_equal_the_inputs_give_what_the_inputs_alone_do(dense_bytes: int) -> None:
    matrix = likes()
    alone = learn(matrix, dense_bytes=dense_bytes).toarray()
    np.testing.assert_allclose(learn(matrix, matrix.copy(), dense_bytes=dense_bytes).toarray(), alone, atol=1e-6)


@WAYS
@pytest.mark.parametrize("other", [False, True], ids=["same", "other"])
def test_blocks_do_not_show_in_the_weights(dense_bytes: int, other: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, targets = likes(seed=1), likes(seed=2) if other else None
    whole = learn(inputs, targets, neighbours=15, dense_bytes=dense_bytes).toarray()
    monkeypatch.setattr(linear, "BLOCK_BYTES", 4 * 40 * 7)  # seven products of forty
    monkeypatch.setattr(linear, "SYSTEM_BYTES", 4 * 15**2 * 11)
    again = learn(inputs, targets, neighbours=15, dense_bytes=dense_bytes).toarray()
    np.testing.assert_allclose(again, whole, atol=1e-6)


def test_the_dense_way_keeps_the_strongest_weights_of_each_column() -> None:
    full = closed_form(likes(), 5.0)
    least = np.sort(np.abs(full), axis=0)[-6]
    np.testing.assert_allclose(
        learn(likes(), neighbours=6).toarray(), np.where(np.abs(full) >= least, full, 0), atol=1e-5
    )


def test_the_sparse_way_regresses_each_product_on_those_that_explain_most_alone() -> None:
    matrix = likes()
    x = matrix.toarray().astype(np.float64)
    both = x.T @ x
    gain = both**2 / (both.diagonal() + 5.0)[:, None]
    np.fill_diagonal(gain, -1)
    expected = np.zeros_like(both)
    for item in range(len(both)):
        chosen = np.argsort(-gain[:, item])[:6]
        expected[chosen, item] = np.linalg.solve(both[np.ix_(chosen, chosen)] + 5 * np.eye(6), both[chosen, item])
    np.testing.assert_allclose(learn(matrix, neighbours=6, dense_bytes=SPARSE).toarray(), expected, atol=1e-5)


@WAYS
def test_a_result_is_sorted_single_precision_without_a_diagonal_and_within_its_bound(dense_bytes: int) -> None:
    found = learn(likes(), likes(seed=3), neighbours=7, dense_bytes=dense_bytes)
    assert sparse.issparse(found) and found.format == "csr" and found.shape == (40, 40) and found.dtype == np.float32
    assert found.has_sorted_indices and all((np.diff(row.indices) > 0).all() for row in found)
    assert not found.diagonal().any() and found.data.all()
    assert np.diff(found.tocsc().indptr).max() == 7


@WAYS
def test_the_same_likes_give_the_same_weights(dense_bytes: int) -> None:
    first, second = (learn(likes(), neighbours=9, dense_bytes=dense_bytes) for _ in range(2))
    assert (first.indptr == second.indptr).all() and (first.indices == second.indices).all()
    assert (first.data == second.data).all()


@WAYS
@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (5, 4), (1, 1)])
def test_nothing_liked_gives_no_weights(dense_bytes: int, shape: tuple[int, int]) -> None:
    found = learn(sparse.csr_matrix(shape, dtype=np.float32), dense_bytes=dense_bytes)
    assert found.shape == (shape[1], shape[1]) and found.nnz == 0 and found.dtype == np.float32


@WAYS
def test_a_single_product_says_nothing_of_itself(dense_bytes: int) -> None:
    found = learn(sparse.csr_matrix(np.ones((4, 1), np.float32)), dense_bytes=dense_bytes)
    assert found.shape == (1, 1) and found.nnz == 0


@WAYS
@pytest.mark.parametrize("other", [False, True], ids=["same", "other"])
def test_a_product_that_nobody_rated_has_no_weights_and_the_others_have_theirs(dense_bytes: int, other: bool) -> None:
    matrix = likes().tolil()
    matrix[:, [3, 17]] = 0
    matrix = matrix.tocsr()
    found = learn(matrix, matrix.copy() if other else matrix, dense_bytes=dense_bytes).toarray()
    assert np.isfinite(found).all() and not found[[3, 17]].any() and not found[:, [3, 17]].any()
    np.testing.assert_allclose(found, closed_form(matrix, 5.0), atol=1e-5)


@WAYS
def test_more_neighbours_than_liked_together_are_no_harm(dense_bytes: int) -> None:
    matrix = sparse.block_diag([np.ones((3, 2), np.float32)] * 5, format="csr")  # five pairs
    found = learn(matrix, l2=1.0, neighbours=4, dense_bytes=dense_bytes).toarray()
    np.testing.assert_allclose(found, np.kron(np.eye(5), [[0, 0.75], [0.75, 0]]), atol=1e-6)


@WAYS
def test_no_neighbours_give_no_weights(dense_bytes: int) -> None:
    assert learn(likes(), neighbours=0, dense_bytes=dense_bytes).nnz == 0


@WAYS
def test_l2_is_above_zero(dense_bytes: int) -> None:
    with pytest.raises(ValueError, match="above 0"):
        learn(likes(), l2=0.0, dense_bytes=dense_bytes)


def test_an_l2_too_small_for_single_precision_is_said() -> None:
    column = likes(items=1, share=0.5) * 1_000
    with pytest.raises(ValueError, match="too small"):
        learn(sparse.hstack([column, column], format="csr"), l2=1e-6)


@WAYS
def test_inputs_are_left_as_they_were(dense_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "PER_ROW", 5)
    matrix = likes()
    before = matrix.copy()
    learn(matrix, dense_bytes=dense_bytes)
    assert (matrix != before).nnz == 0


def test_of_a_long_row_the_strongest_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "PER_ROW", 5)
    matrix = likes()
    rows = matrix.toarray()
    kept = np.where(rows >= np.sort(rows, axis=1)[:, [-5]], rows, 0)
    found = learn(matrix, dense_bytes=SPARSE).toarray()
    np.testing.assert_allclose(found, closed_form(sparse.csr_matrix(kept), 5.0), atol=1e-5)


def test_of_a_long_row_of_equals_every_product_is_read_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "PER_ROW", 10)
    found = linear._strongest_of_rows(sparse.csr_matrix(np.ones((2_000, 40), np.float32)))
    assert np.diff(found.indptr).tolist() == [10] * 2_000
    assert np.bincount(found.indices, minlength=40).min() > 300 and np.bincount(found.indices).max() < 700


def test_progress_rises_to_the_total() -> None:
    for dense_bytes in (DENSE, SPARSE):
        told: list[tuple[int, int, str]] = []
        learn(likes(), dense_bytes=dense_bytes, progress=lambda *step, told=told: told.append(step))
        assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
        assert len({total for _, total, _ in told}) == 1 and told[-1][0] == told[-1][1]


def test_synthetic_ratings_are_as_many_as_asked_in_order_and_each_once() -> None:
    rows = ratings(20_000, products=2_000, seed=3)
    assert len(rows) == 20_000 and list(rows.columns) == ["unit", "product", "value", "at"]
    assert not rows.duplicated(["unit", "product"]).any() and rows["product"].between(1, 2_000).all()
    assert rows.equals(rows.sort_values(["unit", "at"], kind="stable"))
    assert (rows["value"] * 2 % 1 == 0).all() and rows["value"].between(0.5, 5).all()
    counts = rows.groupby("unit").size()
    assert len(counts) == 200 and counts.min() >= 20 and counts.max() > 5 * counts.median()
    assert rows.equals(ratings(20_000, products=2_000, seed=3)) and not rows.equals(ratings(20_000, products=2_000))


def test_synthetic_ratings_hold_something_to_learn() -> None:
    rows = ratings(50_000, products=1_000)
    known = np.random.default_rng(0).random(len(rows)) < 0.8
    liked = (rows["value"] >= 3.5).to_numpy()

    def matrix(chosen: np.ndarray) -> Any:
        mine = rows[chosen]
        ones = np.ones(len(mine), np.float32)
        return sparse.csr_matrix((ones, (mine["unit"] - 1, mine["product"] - 1)), shape=(500, 1_000))

    seen, wanted = matrix(known), matrix(~known & liked).toarray() > 0
    popular = np.tile(np.asarray(matrix(known & liked).sum(axis=0)), (500, 1))
    learned = (matrix(known & liked) @ learn(matrix(known & liked), l2=50.0, neighbours=100)).toarray()

    def hits(scores: np.ndarray) -> int:
        best = np.argsort(-np.where(seen.toarray() > 0, -np.inf, scores), axis=1)[:, :10]
        return int(np.take_along_axis(wanted, best, axis=1).sum())

    assert hits(learned) > 1.5 * hits(popular)
