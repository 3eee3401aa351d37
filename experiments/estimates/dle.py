"""Direct loss estimation (DLE): how far off numbers are, from what answers like them were off by before.

As NannyML defines it ("Estimation of Performance of the Monitored Model", nannyml.readthedocs.io): a second model
learns the error of the first on reference rows whose truth is known. Fitted where it is asked, in seconds, and never
stored. It follows a change of what is asked as far as the reference knows such rows, and sees nothing where the same
inputs come to have other truths.
"""

from collections.abc import Callable
from statistics import NormalDist

import numpy as np

from experiments.errors import Invalid
from experiments.estimates.quality import Estimate, Known, assert_numbers

PARTS = 10  # of the reference: each model of the error leaves one out
SEED = 0
Z_95 = NormalDist().inv_cdf(0.975)
MOST_OFF = 1.0  # one false truth must not outweigh all others
TINY = 1e-12


def dle(reference: Known, facts: np.ndarray) -> dict[str, Estimate]:
    """`relative_error` (see below) of numbers without truths.

    The first column of the facts is the number that was said. From it and the others, what the error may depend on,
    boosted trees learn the error (by squares, which keep the mean). PARTS models each leave a part of the reference
    out, which shows how far single errors are from what is expected of them, over its size; the estimate is the mean
    of all. The variance of the interval is that of the errors of these rows and, by the delete-a-group jackknife (Kott,
    2001), that of the reference. Raises Invalid where a fact is not finite or the reference is too small.
    """
    assert_numbers("facts", facts)
    errors = _errors(reference)
    if len(errors) < 2 * PARTS:
        raise Invalid("truth", f"truth: expected {2 * PARTS} reference rows or more, got {len(errors)}.")
    part = np.random.default_rng(SEED).permutation(len(errors)) % PARTS
    models = [_error_model(reference.facts[part != one], errors[part != one]) for one in range(PARTS)]
    known = np.empty(len(errors))
    for one, model in enumerate(models):
        known[part == one] = model(reference.facts[part == one])
    each = np.array([model(facts) for model in models])
    means, expected = each.mean(axis=1), each.mean(axis=0)
    scatter = ((errors - known) ** 2).mean() / max((known**2).mean(), TINY)
    of_rows = scatter * (expected**2).mean() / len(facts)
    of_reference = (PARTS - 1) * means.var()
    value, reach = max(float(means.mean()), 0.0), Z_95 * float(np.sqrt(of_rows + of_reference))
    return {"relative_error": Estimate(value, max(value - reach, 0.0), min(value + reach, MOST_OFF))}


def relative_error(known: Known) -> dict[str, float]:
    """The mean of how far off numbers were over their truths (over 0), each at most MOST_OFF. Raises Invalid."""
    return {"relative_error": float(_errors(known).mean())}


def _errors(known: Known) -> np.ndarray:
    assert_numbers("facts", known.facts)
    assert_numbers("truth", known.truth)
    if known.truth.min() <= 0:
        raise Invalid("truth", "truth: expected numbers over 0.")
    errors: np.ndarray = np.minimum(np.abs(known.facts[:, 0] / known.truth - 1), MOST_OFF)
    return errors


def _error_model(facts: np.ndarray, errors: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    from sklearn.ensemble import HistGradientBoostingRegressor

    trees = HistGradientBoostingRegressor(max_iter=50, max_leaf_nodes=8, early_stopping=False, random_state=SEED)
    predict: Callable[[np.ndarray], np.ndarray] = trees.fit(facts, errors).predict
    return predict
