"""Scores that mean what they say: of all answers given with .8, four in five should be right."""

import math

import numpy as np

BINS = 15


def logistic(logit: float) -> float:
    """The probability of these odds."""
    return 1.0 / (1.0 + math.exp(-max(min(logit, 500.0), -500.0)))


def expected_calibration_error(positive: np.ndarray, truth: np.ndarray) -> float:
    """The gap between the confidence of an answer and how often it is right, averaged over bins of equal width, each
    weighted by the answers in it (Guo and others, "On Calibration of Modern Neural Networks", 2017). `positive` are
    probabilities and `truth` bools, both of shape (rows,).
    """
    confidence = np.maximum(positive, 1 - positive)
    right = (positive >= 0.5) == truth
    number = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(right[number == one].sum() - confidence[number == one].sum()) for one in range(BINS)]
    return float(sum(gaps) / len(truth))


def best_threshold(positive: np.ndarray) -> float:
    """The probability from which on to say positive, so that macro-averaged F1 is highest where these probabilities,
    shape (rows,), are true: in the middle between two rows. Counting what they promise instead of what was right is
    steadier on few rows (Ye and others, "Optimizing F-measures: A Tale of Two Approaches", 2012).
    """
    score = np.sort(positive)[::-1]
    hits, said = np.cumsum(score), np.arange(1, len(score) + 1)
    up, down = score.sum(), (1 - score).sum()
    if not (up and down):
        return 0.5
    missed_down = said - hits  # negatives that are called positive
    f1_up = 2 * hits / (said + up)
    f1_down = 2 * (down - missed_down) / (2 * (down - missed_down) + missed_down + (up - hits))
    macro = np.where(score[:-1] > score[1:], (f1_up + f1_down)[:-1] / 2, -1)  # no cut between equal scores
    if not len(macro) or macro.max() < 0:
        return 0.5
    best = int(np.argmax(macro))
    return float((score[best] + score[best + 1]) / 2)
