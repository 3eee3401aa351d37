"""Item-item linear models: what each liked product adds to the score of every other, learned by least squares.

W minimises |targets - inputs W|^2 + l2 |W|^2 with a diagonal of zero, so that no product speaks for itself (EASE:
Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", 2019). Two ways:
  - dense, where the catalogue is small: the closed form, by one inverse of an items x items matrix;
  - sparse, for any other: each product is regressed on the few that alone would explain it best, and on no others. That
    is the same least squares on a support chosen beforehand (fsSLIM: Ning and Karypis, "SLIM", 2011; neighbourhoods as
    in Steck, "Markov Random Fields for Collaborative Filtering", 2019), so with a support of all products it is EASE.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments.mltask import Progress, no_progress

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

DENSE_BYTES = 10**8  # 5,000 products: for more the other way ranks as well in a third of the time
BLOCK_BYTES = 10**8  # of one block of rows of an items x items matrix
SYSTEM_BYTES = 2 * 10**9  # of the equations that are gathered at once by the sparse way
CANDIDATES = 200  # products at most that one is regressed on by the sparse way
PER_ROW = 500  # entries of a row that the sparse way looks at: its work grows with their square
TOO_SMALL = "l2 of {} is too small for single precision"


def item_weights(
    inputs: "csr_matrix", targets: "csr_matrix", *, l2: float, neighbours: int, dense_bytes: int = DENSE_BYTES,
    progress: Progress = no_progress,
) -> "csr_matrix":  # fmt: skip
    """W (items x items, CSR, float32): row = a liked product, columns = what it adds to each other; the scores for
    histories x are x @ W. `inputs` and `targets` are users x items; where they are one object, the work is less.

    Each column keeps its `neighbours` largest entries by absolute value. `l2` is above 0. The dense way holds one
    matrix of 4 * items**2 bytes, and is taken where that fits `dense_bytes`. The sparse way holds SYSTEM_BYTES at most
    instead, keeps CANDIDATES a column at most, and of a row with more than PER_ROW entries reads the strongest. Either
    needs some 5 * BLOCK_BYTES + 60 * items * neighbours bytes beside that, and copies of the inputs.
    """
    if l2 <= 0:
        raise ValueError("l2 is to be above 0")
    items = inputs.shape[1]
    dense = 4 * items**2 <= dense_bytes
    if min(items - 1, neighbours, inputs.nnz, targets.nnz) <= 0:
        return _matrix(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32), items)
    return (_dense if dense else _sparse)(inputs, targets, l2, min(neighbours, items - 1), progress)


def _dense(inputs: Any, targets: Any, l2: float, neighbours: int, progress: Progress) -> Any:
    """With P = (X'X + l2)^-1: W = P X'Y - P diag(g), where g_j = (P X'Y)_jj / P_jj makes the diagonal zero. For Y = X
    that is -P_ij / P_jj.
    """
    from scipy.linalg import lapack

    items = inputs.shape[1]
    blocks = _blocks(items)
    gram = np.empty((items, items), np.float32, order="F")
    for start, rows in _products(inputs, inputs):
        gram[:, start : start + len(rows)] = rows.T
        progress(start, 3 * items, "products together")
    gram[np.diag_indices(items)] += np.float32(l2)
    # In place and in single precision: a second matrix would double the memory, doubles would double it again.
    for step in (lapack.spotrf, lapack.spotri):
        gram, failed = step(gram, lower=1, **{"overwrite_a" if step is lapack.spotrf else "overwrite_c": 1})
        if failed:
            raise ValueError(TOO_SMALL.format(l2))
    progress(2 * items, 3 * items, "inverse")
    for block in blocks:  # LAPACK leaves the upper half as it was
        gram[block, block] = np.tril(gram[block, block]) + np.tril(gram[block, block], -1).T
        gram[block, block.stop :] = gram[block.stop :, block].T
    diagonal = gram.diagonal().copy()
    sources, values = np.empty((items, neighbours), np.int64), np.empty((items, neighbours), np.float32)
    together = ((block.start, None) for block in blocks) if targets is inputs else _products(targets, inputs)
    for block, (_, rows) in zip(blocks, together, strict=True):
        own = np.arange(block.start, block.stop)
        inverse = gram[:, block].T / diagonal[block, None]
        found = -inverse if rows is None else rows @ gram
        if rows is not None:
            found -= inverse * found[own - block.start, own][:, None]
        found[own - block.start, own] = 0
        sources[block] = _largest(np.abs(found), neighbours)
        values[block] = np.take_along_axis(found, sources[block], axis=1)
        progress(2 * items + block.stop, 3 * items, "weights")
    return _weights(sources, values)


def _sparse(inputs: Any, targets: Any, l2: float, neighbours: int, progress: Progress) -> Any:
    """Two readings of products together: the first chooses what each product is regressed on, the second fills in the
    equations, for as many products at once as fit SYSTEM_BYTES.
    """
    from scipy.linalg import lapack
    from threadpoolctl import threadpool_limits

    same = targets is inputs
    inputs = _strongest_of_rows(inputs)
    targets = inputs if same else _strongest_of_rows(targets)
    items, count = inputs.shape[1], min(neighbours, CANDIDATES)
    power = np.asarray(inputs.multiply(inputs).sum(axis=0), np.float32).ravel() + np.float32(l2)
    sources, wanted = np.empty((items, count), np.int64), np.empty((items, count), np.float32)
    at_once = int(min(items, max(1, SYSTEM_BYTES // (4 * count**2))))
    total = items * (1 + -(-items // at_once))
    for start, rows in _products(targets, inputs):
        gain = rows**2 / power  # how much of the squares input i alone takes away from this target
        gain[np.arange(len(rows)), np.arange(start, start + len(rows))] = -1  # never itself
        block = slice(start, start + len(rows))
        sources[block] = _largest(gain, count)
        wanted[block] = np.take_along_axis(rows, sources[block], axis=1)
        progress(start, total, "neighbours")
    values = np.empty((items, count), np.float32)
    systems = np.empty((at_once, count, count), np.float32)
    each = np.arange(count)
    for number, first in enumerate(range(0, items, at_once)):
        mine = sources[first : first + at_once]
        place = np.argsort(mine, axis=None, kind="stable")  # by source
        ends = np.searchsorted(mine.ravel()[place], np.arange(items + 1))
        for start, rows in _products(inputs, inputs):
            for source, row in enumerate(rows, start):
                target, equation = np.divmod(place[ends[source] : ends[source + 1]], count)
                systems[target, equation] = row.take(mine[target], mode="clip")
            progress((1 + number) * items + start, total, "weights")
        systems[:, each, each] += np.float32(l2)
        with threadpool_limits(1, "blas"):  # threads that share a system as small as these take seven times as long
            for item, system in enumerate(systems[: len(mine)], first):
                # By Cholesky, in doubles; transposed it is the same system, in the order that LAPACK wants.
                _, values[item], failed = lapack.dposv(system.T, wanted[item])
                if failed:
                    raise ValueError(TOO_SMALL.format(l2))
    progress(total, total, "weights")
    return _weights(sources, values)


def _strongest_of_rows(matrix: Any) -> Any:
    """Each row's PER_ROW largest entries by absolute value; of equal ones an arbitrary choice, another in each row, so
    that no product is left out everywhere.
    """
    from scipy import sparse

    counts = np.diff(matrix.indptr)
    rows = np.repeat(np.arange(matrix.shape[0]), counts)
    long = np.flatnonzero(counts[rows] > PER_ROW)
    if not len(long):
        return matrix
    user, item = rows[long], matrix.indices[long].astype(np.int64)
    order = np.lexsort(
        (user * 73_856_093 % 1_000_003 ^ item * 19_349_663 % 1_000_003, -np.abs(matrix.data[long]), user)
    )
    starts = np.searchsorted(user, user)
    kept = np.ones(matrix.nnz, bool)
    kept[long[order[np.arange(len(long)) - starts >= PER_ROW]]] = False
    return sparse.csr_matrix((matrix.data[kept], (rows[kept], matrix.indices[kept])), shape=matrix.shape)


def _blocks(items: int) -> list[slice]:
    size = max(1, BLOCK_BYTES // (4 * items))
    return [slice(start, min(start + size, items)) for start in range(0, items, size)]


def _products(left: Any, right: Any) -> Any:
    """left' right as dense blocks of rows, each with the number of its first."""
    columns, right = left.tocsc(), right.tocsr()
    for block in _blocks(left.shape[1]):
        yield block.start, (columns[:, block].T @ right).toarray()


def _largest(found: Floats, count: int) -> Ints:
    """Where each row's `count` largest are, in order of place; where fewer are above 0, the first zeros too."""
    places = np.empty((len(found), count), np.int64)
    for row, place in zip(found, places, strict=True):
        chosen = np.flatnonzero(row > 0)  # first, as a partition of many equal numbers takes ten times as long
        if len(chosen) > count:
            chosen = chosen[np.argpartition(row[chosen], -count)[-count:]]
        place[: len(chosen)] = chosen
        place[len(chosen) :] = np.flatnonzero(row == 0)[: count - len(chosen)]
        place.sort()
    return places


def _weights(sources: Ints, values: Floats) -> Any:
    """From the sources of each target and their weights."""
    items, count = sources.shape
    return _matrix(sources.ravel(), np.repeat(np.arange(items), count), values.ravel(), items)


def _matrix(rows: Ints, columns: Ints, values: Floats, items: int) -> Any:
    from scipy import sparse

    found = sparse.csr_matrix((values, (rows, columns)), shape=(items, items))
    found.eliminate_zeros()
    found.sort_indices()
    return found
