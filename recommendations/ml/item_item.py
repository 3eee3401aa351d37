"""Scores by item-to-item weights: what each product of a history adds to every other product. A request costs no more
than the entries that it touches, and the arrays are memory-mapped, so that processes share them.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np

from recommendations.ml.sequences import Floats, Ints

ARRAYS = ("indptr", "indices", "values")


class Rows:
    """A sparse matrix in CSR form, in plain arrays."""

    def __init__(self, indptr: Ints, indices: Ints, values: Floats) -> None:
        self.indptr, self.indices, self.values = indptr, indices, values

    @classmethod
    def of(cls, matrix: Any) -> Self:
        matrix = matrix.tocsr().astype(np.float32)
        matrix.sort_indices()
        return cls(matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data)  # one type for kernels

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def entries(self, places: Ints) -> tuple[Ints, Ints]:
        """Where the entries of these rows lie, and which of the places each comes from."""
        starts = self.indptr[places]
        lengths = self.indptr[places + 1] - starts
        source = np.repeat(np.arange(len(places)), lengths)
        before = np.cumsum(lengths) - lengths
        return np.arange(len(source)) + (starts - before)[source], source

    def save(self, folder: Path, name: str) -> None:
        for array in ARRAYS:
            np.save(folder / f"{name}_{array}.npy", getattr(self, array))

    @classmethod
    def load(cls, folder: Path, name: str) -> Self:
        return cls(*(np.asarray(np.load(folder / f"{name}_{array}.npy", mmap_mode="r")) for array in ARRAYS))


class ItemItem:
    """A matrix twice: by row (a product of the history, and the products that it speaks for) and by column (a product,
    and those that speak for it), since scores need the one, and what a score is made of the other.
    """

    def __init__(self, rows: Rows, columns: Rows) -> None:
        self.rows, self.columns = rows, columns

    @classmethod
    def of(cls, matrix: Any) -> Self:
        return cls(Rows.of(matrix), Rows.of(matrix.T))

    def scores(self, places: Ints, weights: Floats) -> Floats:
        """One score a column for a history at these places, each with its weight: `matrix[places].T @ weights`, by the
        two kernels of scipy that this comes down to, since what stands around them takes four times as long as they do.
        """
        from scipy.sparse import _sparsetools as kernels

        rows, width = self.rows, len(self.columns)
        starts = np.zeros(len(places) + 1, rows.indptr.dtype)
        np.cumsum(rows.indptr[places + 1] - rows.indptr[places], out=starts[1:])
        columns, values = np.empty(starts[-1], rows.indices.dtype), np.empty(starts[-1], np.float32)
        kernels.csr_row_index(
            len(places), places.astype(rows.indptr.dtype), rows.indptr, rows.indices, rows.values, columns, values
        )
        found = np.zeros(width, np.float32)
        kernels.csc_matvec(width, len(places), starts, columns, values, weights.astype(np.float32), found)
        return found

    def between(self, places: Ints, targets: Ints) -> Floats:
        """len(places) x len(targets): the entry of each pair."""
        row = np.full(len(self.rows), -1, np.int64)
        row[places] = np.arange(len(places))
        entries, target = self.columns.entries(targets)
        at = row[self.columns.indices[entries]]
        kept = at >= 0
        found = np.zeros((len(places), len(targets)))
        found[at[kept], target[kept]] = self.columns.values[entries[kept]]
        return found

    def save(self, folder: Path, name: str) -> None:
        self.rows.save(folder, f"{name}_rows")
        self.columns.save(folder, f"{name}_columns")

    @classmethod
    def load(cls, folder: Path, name: str) -> Self:
        return cls(Rows.load(folder, f"{name}_rows"), Rows.load(folder, f"{name}_columns"))


def strongest(matrix: Any, count: int) -> Any:
    """Each row's `count` largest values, the others gone (CSR). Of equal ones the first columns stay."""
    from scipy import sparse

    matrix = matrix.tocsr()
    matrix.sort_indices()
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((matrix.indices, -matrix.data, rows))
    kept = order[np.arange(matrix.nnz) - matrix.indptr[rows] < count]  # `rows` is the same in this order
    return sparse.csr_matrix((matrix.data[kept], (rows[kept], matrix.indices[kept])), shape=matrix.shape)


def most_alike(alike: Any, count: int, first: int) -> Any:
    """Each row's `count` largest among those above 0 (CSR; of equal ones the first columns stay). Row k is product
    first + k, which is not like itself. Overwrites `alike`.
    """
    for product, (start, end) in enumerate(pairwise(alike.indptr.tolist()), first):
        values = alike.data[start:end]
        values[alike.indices[start:end] == product] = 0
        least = np.partition(values, -count)[-count] if end - start > count else 0
        values[values < max(least, 0)] = 0  # now, as a few are sorted faster than all
    alike.eliminate_zeros()
    return strongest(alike, count)
