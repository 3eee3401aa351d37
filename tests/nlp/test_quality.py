"""What monitoring asks of this room."""

import numpy as np

from experiments.discovery import modules
from nlp.quality import embed


def test_texts_that_mean_the_same_are_close_and_the_room_is_found_by_name() -> None:
    lamp, light, kettle = embed(["The lamp is bright.", "This light shines strongly.", "My kettle leaks water."])
    assert lamp.shape == (384,)
    assert abs(np.linalg.norm(lamp) - 1) < 1e-5
    assert lamp @ light > lamp @ kettle + 0.2
    assert embed in [getattr(module, "embed", None) for module in modules("quality")]


def test_no_texts_are_no_vectors() -> None:
    assert embed([]).shape == (0, 384)
