"""What monitoring asks of this room: vectors of texts, close where they mean the same."""

from collections.abc import Sequence

import numpy as np

from nlp.ml.sentences import Encoder


def embed(texts: Sequence[str]) -> np.ndarray:
    """Shape (texts, 384), of length 1, by MiniLM; of a long text its first window. The network is let go of after."""
    return Encoder.brought().vectors(texts)
