"""Boosted trees as arrays: they answer as scikit-learn does, to the last digits, and as their own batch."""

from typing import Any

import numpy as np
import pytest

from experiments.errors import DomainError, Invalid
from experiments.mltask import no_progress
from pricing.ml import price_trees
from pricing.ml.price import tiny
from pricing.ml.price_trees import PriceBoosting
from pricing.ml.trees import Trees, features
from tests.pricing.conftest import homes


def test_numpy_answers_as_scikit_learn_for_rows_that_it_never_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    make = Trees.of

    def watched(*given: Any) -> Trees:
        seen[:] = given
        return make(*given)

    monkeypatch.setattr(Trees, "of", watched)
    model = PriceBoosting(trees=50).fit(homes(500), progress=no_progress)
    centres, scales, levels = seen
    draw = np.random.default_rng(2)
    numbers, places = draw.normal(0, 2, (600, 3)), draw.integers(0, levels.shape[1], 600)
    read = features(numbers, places, levels)
    theirs = np.column_stack([
        np.mean([one.predict(rows) for one, rows in zip(centres, read, strict=True)], axis=0),
        np.mean([np.log(one.predict(rows)) for one, rows in zip(scales, read, strict=True)], axis=0),
    ])  # fmt: skip
    ours = model.regression.model.answers(numbers, places)
    assert np.abs(ours - theirs).max() < 1e-9
    assert ours.std(axis=0).min() > 0.05


def test_trees_that_numpy_cannot_follow_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_trees, "SAME", -1.0)
    with pytest.raises(DomainError, match="as stored differ from scikit-learn"):
        PriceBoosting(trees=2).fit(tiny(), progress=no_progress)


def test_it_comes_near_the_truth_and_keeps_no_more_trees_than_it_needs() -> None:
    model = PriceBoosting(trees=150, rate=0.2).fit(homes(1_000), progress=no_progress)
    assert model.evaluate(homes(1_000, seed=1))["r2_log"] > 0.65
    assert int(model.regression.model.centres) < 5 * 150


def test_what_was_saved_has_plain_arrays_alone(tmp_path: Any) -> None:
    model = PriceBoosting(trees=5).fit(tiny(), progress=no_progress)
    model.save(tmp_path)
    with np.load(tmp_path / "trees.npz", allow_pickle=False) as kept:
        assert all(kept[name].dtype.kind in "fiu" for name in kept.files)


@pytest.mark.parametrize("params", [{"trees": 0}, {"rate": 0}, {"leaves": 1}])
def test_parameters_out_of_bounds_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="trees must be 1 or more"):
        PriceBoosting(**params).fit(tiny(), progress=no_progress)
