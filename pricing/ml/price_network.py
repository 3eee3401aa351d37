"""The algorithm `network` of `price`: small networks over the numbers and an embedding of the location. Learned in
Keras, answered by numpy, and in a browser by TensorFlow.js (pricing/ml/browser.py).
"""

from pathlib import Path

import numpy as np

from experiments.mltask import Progress
from pricing.ml.browser import BROWSER, browser_files
from pricing.ml.lessons import Lessons
from pricing.ml.members import Members
from pricing.ml.price import PRICE, PriceModel
from pricing.ml.regression import Model
from pricing.ml.training import learned


@PRICE.algorithm("network")
class PriceNetwork(PriceModel):
    """`epochs` are the most that it learns for, `rate` is its first step."""

    kind = Members

    def __init__(
        self, currency: str = "USD", area: str = "sqft", epochs: int = 40, rate: float = 3e-3, seed: int = 0
    ) -> None:
        self.currency, self.area = currency, area
        self.epochs, self.rate, self.seed = int(epochs), float(rate), int(seed)

    def _learn(self, lessons: Lessons, progress: Progress) -> tuple[Model, np.ndarray]:
        return learned(lessons, epochs=self.epochs, rate=self.rate, seed=self.seed, progress=progress)

    def save(self, folder: Path) -> None:
        super().save(folder)
        (folder / BROWSER).mkdir()
        for name, content in browser_files(self).items():
            (folder / BROWSER / name).write_bytes(content)
