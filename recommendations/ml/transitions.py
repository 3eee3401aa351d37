"""What a customer liked next, given what came before: rows from which a linear model learns to look ahead.

A model of who liked what together does not know what came first. These rows do: a customer's history is cut at several
places; what lies before a cut, faded with age, is to predict what was liked right after it (the transition part of
session-aware linear models: Choi et al., "Session-aware Linear Item-Item Models", 2021). They are put below the rows of
whole histories.
"""

from typing import Any

import numpy as np

from recommendations.ml.sequences import LIKED_FROM, Floats, Sequences

CUTS = 16  # of one customer, where there are few customers
MOST_CUTS = 100_000  # of all customers together
SHORTEST = 10  # rows of a customer whose history is cut
FIRST, LAST = 5, 3  # rows before the first cut, and after the last one
PER_CUT = 3  # rows that a customer has at least for each cut
AHEAD = 20  # rows after a cut that are to be predicted
HALF_LIFE = 50.0  # rows after which what lies before a cut counts half


def training_rows(found: Sequences, strengths: Floats, weight: float) -> tuple[Any, Any]:
    """Inputs and targets (CSR, rows x items, float32): whole histories, then the cuts times `weight`.

    `strengths` is how much liking each row of `found` shows; what is to be predicted is liked alone.
    """
    from scipy import sparse

    liked = np.where((found.stars >= LIKED_FROM) | (found.event > 0), strengths, 0.0)
    inputs, targets = [found.matrix(strengths)], [found.matrix(liked)]
    counts = np.bincount(found.users, minlength=found.user_count)
    most = int(np.clip(MOST_CUTS // max(found.user_count, 1), 1, CUTS))
    cuts = np.where(counts >= SHORTEST, np.minimum(most, counts // PER_CUT), 0)
    place = np.arange(len(found.users)) - (np.cumsum(counts) - counts)[found.users]
    for number in range(int(cuts.max(initial=0))):
        share = number / np.maximum(cuts - 1, 1)
        at = np.where(number < cuts, (FIRST + share * (counts - LAST - FIRST)).astype(int), 0)[found.users]
        fade = np.float32(weight) * 0.5 ** (np.maximum(at - 1 - place, 0) / HALF_LIFE)
        inputs.append(found.matrix(np.where(place < at, strengths * fade, 0.0)))
        ahead = (place >= at) & (place < at + AHEAD) & (at > 0)
        targets.append(found.matrix(np.where(ahead, liked * weight, 0.0)))
    return sparse.vstack(inputs, format="csr"), sparse.vstack(targets, format="csr")
