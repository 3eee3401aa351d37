"""Confidence-based performance estimation (CBPE): how good a classifier of two classes is, from how sure it says it is.

As NannyML defines it ("Estimation of Performance of the Monitored Model", nannyml.readthedocs.io): where 0.9 is said of
many rows and scores are calibrated, nine in ten of them are positive, so each row adds 0.9 of a row to one cell of the
confusion matrix and 0.1 to another. Figures are those of the expected matrix. They follow a change of what is asked,
and see nothing where the same inputs come to have other truths.
"""

import numpy as np
import scipy  # its parts are read when first used; no start waits for them

from experiments.errors import Invalid
from experiments.estimates.quality import Estimate, Known, assert_numbers

DRAWS = 200
SEED = 0
SURE = 1e-6  # a score is read as no nearer to 0 or 1
RIDGE = 0.01  # of the calibration: finite where no score is on the wrong side
STEPS, CLOSE = 20, 1e-4  # at most, and how small the last one is


def cbpe(reference: Known, facts: np.ndarray) -> dict[str, Estimate]:
    """`accuracy`, `f1` (of the positives), `macro_f1` and `auc` of answers without truths.

    Columns of the facts: the probability of positive, and 1 where positive was said, else 0; truths are 1 or 0. Scores
    are calibrated on the reference: NannyML does it by isotonic regression, beta calibration (Kull, Silva Filho and
    Flach, 2017) needs fewer rows for the same. The interval is a bootstrap of DRAWS with a fixed seed: each draws a
    calibration, by weights of the reference's rows (the Bayesian bootstrap: Rubin, 1981), and the truths by it. What
    is not defined, such as the AUC where one class is not expected, is left out. Raises Invalid where the facts are no
    such columns, or the reference has one class.
    """
    score, said = _answers(facts)
    known, _ = _answers(reference.facts)
    assert_numbers("truth", reference.truth)
    if len(np.unique(reference.truth)) < 2:
        raise Invalid("truth", "truth: the reference has one class, so scores cannot be calibrated.")
    ranks, draw = _ranks(score), np.random.default_rng(SEED)
    chances = _chances(known, reference.truth, score, draw)
    truths = (draw.random((DRAWS, len(score))) < chances[1:]).astype(float)
    expected, drawn = _figures(chances[:1], said, ranks), _figures(truths, said, ranks)
    return {
        name: _estimate(float(value), drawn[name])
        for name, [value] in expected.items()
        if np.isfinite(value) and np.isfinite(drawn[name]).mean() > 0.5
    }


def _estimate(value: float, drawn: np.ndarray) -> Estimate:
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return Estimate(value, min(value, float(low)), max(value, float(high)))


def classification(known: Known) -> dict[str, float]:
    """The same figures by the truths. Raises Invalid where the facts are no such columns."""
    score, said = _answers(known.facts)
    assert_numbers("truth", known.truth)
    found = _figures(known.truth[None], said, _ranks(score))
    return {name: float(value) for name, [value] in found.items() if np.isfinite(value)}


def _figures(positive: np.ndarray, said: np.ndarray, ranks: np.ndarray) -> dict[str, np.ndarray]:
    """Of each row of `positive`, (draws, rows): the chance that a truth is positive, or the truth, 1 or 0. NaN where a
    figure is not defined.

    The AUC counts pairs of a positive and a negative (Mann and Whitney, 1947), ties half, each pair with the chance
    that it is one; a row makes no pair with itself.
    """
    rows, said_up, up = positive.shape[1], said.sum(), positive.sum(axis=1)
    hits = positive @ said
    right_down = (rows - said_up) - (up - hits)
    twice = up**2 - (positive**2).sum(axis=1)  # of all pairs, counted twice, the chance that both are positive
    with np.errstate(divide="ignore", invalid="ignore"):
        f1, f1_down = 2 * hits / (said_up + up), 2 * right_down / (2 * rows - said_up - up)
        auc = (positive @ (ranks - 1) - twice / 2) / (up * (rows - 1) - twice)
    return {"accuracy": (hits + right_down) / rows, "f1": f1, "macro_f1": (f1 + f1_down) / 2, "auc": auc}


def _chances(known: np.ndarray, truth: np.ndarray, score: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Of positive: as calibrated first, then by DRAWS calibrations; shape (1 + DRAWS, rows). All are fitted at once, by
    Newton's method from nothing.
    """
    odds = _odds(known)
    columns = odds.shape[1]
    products = (odds[:, :, None] * odds[:, None, :]).reshape(-1, columns**2)
    weights = np.vstack([np.ones(len(known)), draw.exponential(size=(DRAWS, len(known)))])
    found = np.zeros((len(weights), columns))
    for _ in range(STEPS):
        chance = scipy.special.expit(found @ odds.T)
        slope = (weights * (truth - chance)) @ odds - RIDGE * found
        curvature = (weights * chance * (1 - chance)) @ products
        bend = curvature.reshape(-1, columns, columns) + RIDGE * np.eye(columns)
        step = np.linalg.solve(bend, slope[:, :, None])[:, :, 0]
        found += step
        if np.abs(step).max() < CLOSE:
            break
    chances: np.ndarray = scipy.special.expit(found @ _odds(score).T)
    return chances


def _odds(score: np.ndarray) -> np.ndarray:
    inner = np.clip(score, SURE, 1 - SURE)
    return np.column_stack([np.log(inner), -np.log1p(-inner), np.ones(len(inner))])


def _ranks(score: np.ndarray) -> np.ndarray:
    ranks: np.ndarray = scipy.stats.rankdata(score)
    return ranks


def _answers(facts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    assert_numbers("facts", facts)
    score, said = facts[:, 0], facts[:, 1]
    if not (score.min() >= 0 and score.max() <= 1 and np.isin(said, (0, 1)).all()):
        raise Invalid("facts", "facts: expected a probability, and 1 or 0 for what was said.")
    return score, said
