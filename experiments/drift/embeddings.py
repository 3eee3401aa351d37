"""How far the meaning of two samples of texts is apart, from a vector of each text."""

import numpy as np

from experiments.drift.distances import Tested

PERMUTATIONS = 1_999  # p is at least one of 2,000: small enough for a hundred values that are tested together


def mean_distance(reference: np.ndarray, current: np.ndarray, *, seed: int = 0) -> Tested:
    """The distance between the mean vectors of two samples, each of shape (texts, dimensions).

    Evidently's `distance` method with `euclidean` (src/evidently/legacy/metrics/data_drift/
    embedding_drift_methods.py). What distance is far depends on the network, and theirs of .2 is for no one in
    particular; so p says how often rows that are dealt anew into two samples of the same sizes are as far apart (a
    permutation test, with the p-value of Phipson and Smyth 2010, which is never 0).
    """
    vectors, rows = np.concatenate([reference, current]).astype(float), len(reference)
    total = vectors.sum(axis=0)
    dealt = np.zeros((PERMUTATIONS + 1, len(vectors)))
    dealt[:, :rows] = 1
    dealt[1:] = np.random.default_rng(seed).permuted(dealt[1:], axis=1)
    first = dealt @ vectors
    distances = np.linalg.norm(first / rows - (total - first) / (len(vectors) - rows), axis=1)
    rounding = 1e-12 * float(np.abs(vectors).max())
    reached = int((distances[1:] >= distances[0] - rounding).sum())
    return Tested(float(distances[0]), (reached + 1) / (PERMUTATIONS + 1))
