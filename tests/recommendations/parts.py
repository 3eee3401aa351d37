"""Parts of a recommender that say what a test wants them to."""

import numpy as np
import pandas as pd

from recommendations.ml.blend import Parts
from recommendations.ml.content import Content
from recommendations.ml.sequences import Floats, Ints

COUNT = 60


class Next:
    """Knows the truth: after product k comes k + 1."""

    def scores(self, places: Ints, weights: Floats) -> Floats:
        return np.bincount((places + 1) % COUNT, weights, COUNT)


class Nothing:
    def scores(self, places: Ints, weights: Floats) -> Floats:
        return np.zeros(COUNT)


def parts(collaborative: object) -> Parts:
    words = pd.DataFrame({"product": range(COUNT), "name": "lamp", "category": "", "description": ""})
    return Parts(collaborative, Content().fit(words), np.zeros(COUNT), np.zeros(COUNT))
