"""The algorithm `efficientnet_lite0_tuned` of `image_embedding`: the upper blocks of the network go on learning on the
shop's own pictures and their categories, so that what is of one category comes to look alike. The trunk stays as it
is, so what it sees of each view of a picture is worked out once.
"""

import copy
import random
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from PIL import Image as Pillow
from PIL import ImageEnhance, ImageOps

from experiments.errors import DomainError, Invalid
from experiments.mltask import Examples, Image, Progress
from experiments.network import Network
from experiments.pictures import opened
from vision.ml.embedding import IMAGE_EMBEDDING
from vision.ml.lite0_network import FEATURES, MARGIN, SIDE, Lite0Network, top, trunk, upper, weighted
from vision.ml.lite0_vectors import Lite0Vectors
from vision.ml.pixels import LITE, Picture, centre

VIEWS = 10  # of each picture: as it is, mirrored, and the rest cut out and tinted at random
MOST = 8_000  # views that are held: 350 MB
BATCH = 32
WARM_UP = 0.15  # of all steps
DECAY, SMOOTHING, DROPOUT = 0.05, 0.1, 0.2
AVERAGE = 0.98  # of the weights over the steps


@IMAGE_EMBEDDING.algorithm("efficientnet_lite0_tuned")
class Lite0Tuned(Lite0Vectors):
    """`rate` is that of the blocks, `head_rate` that of the layer which tells the categories apart, and is thrown away
    in the end. AdamW with a cosine, weights averaged; batch norm keeps the statistics of ImageNet.
    """

    def __init__(self, epochs: int = 6, rate: float = 1e-3, head_rate: float = 5e-3, seed: int = 0) -> None:
        self.epochs, self.seed = int(epochs), int(seed)
        self.rate, self.head_rate = float(rate), float(head_rate)

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        """`examples` has the columns image (bytes of a file) and category."""
        kinds, labels = np.unique(examples.rows["category"].to_numpy(str), return_inverse=True)
        if len(kinds) < 2:
            raise DomainError("There must be pictures of two categories or more to learn from.")
        if self.epochs < 1 or not (self.rate > 0 and self.head_rate > 0):
            raise Invalid("param", "epochs must be 1 or more, rate and head_rate over 0.")
        seen = _seen(examples, self.seed, progress)
        above = self._trained(_above(weighted(), len(kinds)), seen, labels, progress)
        self.network = Lite0Network(trunk(), top(above.features))
        progress(1, 1, "learned, exported and checked")
        return self

    def _trained(self, above: Any, seen: np.ndarray, labels: np.ndarray, progress: Progress) -> Any:
        """`seen` has the shape (views, pictures, …), `labels` (pictures,)."""
        import torch

        torch.manual_seed(self.seed)
        draw, count = np.random.default_rng(self.seed), len(labels)
        batch = min(BATCH, count)
        groups = [
            {"params": list(above.features.parameters()), "full": self.rate},
            {"params": list(above.head.parameters()), "full": self.head_rate},
        ]
        optimiser = torch.optim.AdamW(groups, lr=self.rate, weight_decay=DECAY)
        averaged = copy.deepcopy(above)
        steps = self.epochs * (count // batch)
        for step in range(steps):
            progress(step, steps, "learning")
            place = step * batch % (count // batch * batch)
            if not place:
                order = draw.permutation(count)
            rows = order[place : place + batch]
            for group in optimiser.param_groups:
                warm = min(1.0, (step + 1) / (WARM_UP * steps))
                group["lr"] = group["full"] * warm * 0.5 * (1 + np.cos(np.pi * step / steps))
            views = seen[draw.integers(len(seen), size=batch), rows].astype(np.float32)
            loss = torch.nn.functional.cross_entropy(
                above(torch.from_numpy(views)), torch.from_numpy(labels[rows]), label_smoothing=SMOOTHING
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            _follow(averaged, above, min(AVERAGE, (step + 1) / (step + 11)))
        return averaged.eval()


def _follow(slow: Any, fast: Any, keep: float) -> None:
    import torch

    with torch.no_grad():
        for one, other in zip(slow.parameters(), fast.parameters(), strict=True):
            one.lerp_(other, 1 - keep)


def _above(network: Any, kinds: int) -> Any:
    """What learns: `features` ends in 1280 of them, `head` tells the categories apart."""
    import torch

    class Above(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = upper(network)
            self.head = torch.nn.Linear(FEATURES, kinds)
            torch.nn.init.zeros_(self.head.weight)
            torch.nn.init.zeros_(self.head.bias)

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            features = torch.nn.functional.dropout(self.features(values), DROPOUT, training=True)
            scores: torch.Tensor = self.head(features)
            return scores

    return Above().eval()  # batch norm as it is: there are too few pictures for statistics of their own


def _seen(examples: Examples, seed: int, progress: Progress) -> np.ndarray:
    """What the trunk sees of each view, shape (views, pictures, channels, height, width) in half precision."""
    network = Network(trunk())
    count = max(2, min(VIEWS, MOST // len(examples)))
    found = []
    for done, data in enumerate(examples.rows["image"]):
        progress(done, len(examples), "looking at views of the pictures")
        views = _views(Image(data), count, random.Random(seed + done))
        found.append([network.run(LITE(view)[None])[0][0].astype(np.float16) for view in views])
    return np.array(found).swapaxes(0, 1)


def _views(image: Image, count: int, draw: random.Random) -> Iterator[Picture]:
    upright = centre(image, SIDE, SIDE, MARGIN)
    yield upright
    yield ImageOps.mirror(upright)
    whole = opened(image.data, least=2 * SIDE)
    for _ in range(count - 2):
        yield _varied(whole, draw)


def _varied(picture: Picture, draw: random.Random) -> Picture:
    """A part of the picture, perhaps mirrored, in other light."""
    area = draw.uniform(0.45, 1) * picture.width * picture.height
    ratio = np.exp(draw.uniform(np.log(3 / 4), np.log(4 / 3)))
    width, height = min(picture.width, (area * ratio) ** 0.5), min(picture.height, (area / ratio) ** 0.5)
    x, y = draw.uniform(0, picture.width - width), draw.uniform(0, picture.height - height)
    found = picture.resize((SIDE, SIDE), Pillow.Resampling.BICUBIC, box=(x, y, x + width, y + height))
    if draw.random() < 0.5:
        found = ImageOps.mirror(found)
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        found = enhance(found).enhance(draw.uniform(0.7, 1.3))
    return found
