"""Teaching a torch network further on texts: batches of about equal length, AdamW, a warm-up and a linear way down.

No dropout: in the one or two times that the texts are gone through, the network has little time to learn them by heart,
and without it a step is a quarter shorter.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.mltask import Progress
from nlp.ml.minilm import Window, padded

WARM_UP = 0.1  # of all steps
DECAY, LONGEST_STEP = 0.01, 1.0
HEAD_RATE = 10  # a new layer learns so many times faster than what was taught before
FEW = 200  # texts
SORTED = 16  # batches that are sorted by length together


@dataclass(frozen=True)
class Batch:
    """One text with what is to be said of it, an array of 0 and 1."""

    window: Window
    truth: np.ndarray


def tuned(
    network: Any, examples: Sequence[Batch], *, epochs: float, rate: float, size: int, seed: int, progress: Progress
) -> Any:
    """The network (a module with `network`, taught before, and `head`, new), changed in place. It is called with ids
    and mask of `size` texts and taught by the binary cross entropy of its scores.
    """
    import torch

    torch.manual_seed(seed)
    with every_core(len(examples)):
        steps = max(1, round(epochs * len(examples) / size))
        groups = [
            {"params": [one for one in network.network.parameters() if one.requires_grad], "full": rate},
            {"params": list(network.head.parameters()), "full": rate * HEAD_RATE},
        ]
        optimiser = torch.optim.AdamW(groups, weight_decay=DECAY)
        network.eval()
        for step, batch in zip(range(steps), _batches(examples, size, seed), strict=False):
            progress(step, steps, "learning")
            warm = min(1.0, (step + 1) / (WARM_UP * steps))
            for group in optimiser.param_groups:
                group["lr"] = group["full"] * warm * (1 - step / steps)
            ids, mask = (torch.from_numpy(one) for one in padded([one.window for one in batch]))
            truth = torch.from_numpy(np.stack([one.truth for one in batch]))
            loss = torch.nn.functional.binary_cross_entropy_with_logits(network(ids, mask), truth)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), LONGEST_STEP)
            optimiser.step()
        progress(steps, steps, "learned")
    return network


@contextmanager
def every_core(examples: int) -> Iterator[None]:
    """Or one, where there are so few examples that threads would only wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads((os.cpu_count() or 1) if examples > FEW else 1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _batches(examples: Sequence[Batch], size: int, seed: int) -> Iterator[list[Batch]]:
    """For ever, in another order each time round; texts of one batch are about as long as each other."""
    draw = np.random.default_rng(seed)
    while True:
        order = draw.permutation(len(examples))
        batches = []
        for start in range(0, len(order), size * SORTED):
            some = sorted(order[start : start + size * SORTED].tolist(), key=lambda at: len(examples[at].window.ids))
            batches += [some[first : first + size] for first in range(0, len(some), size)]
        for number in draw.permutation(len(batches)):
            yield [examples[at] for at in batches[number]]
