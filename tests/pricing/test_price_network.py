"""The network of price: numpy answers as Keras does, quickly, the same each time, and near the truth."""

import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
from django.conf import settings

from experiments.errors import DomainError, Invalid
from experiments.mltask import Examples, no_progress
from pricing.ml import training
from pricing.ml.members import Members
from pricing.ml.price import PRICE, PriceInput, tiny
from pricing.ml.price_network import PriceNetwork
from tests.pricing.conftest import LEVELS, homes

ASKED = PriceInput(bedrooms=3, bathrooms=2.0, sqft=float(np.exp(7.5)), location="98103")


def as_keras(members: Members) -> Any:
    """The same weights in plain layers: an embedding and Dense layers a member, and the mean of them all."""
    import keras
    from keras import layers

    columns = members.kernels[0].shape[1] - members.embedding.shape[2]
    numbers, place = keras.Input((columns,)), keras.Input((1,), dtype="int32")
    answers = []
    for member in range(members.embedding.shape[1]):
        embed = layers.Embedding(len(members.embedding), members.embedding.shape[2])
        hidden = layers.Concatenate()([numbers, layers.Flatten()(embed(place))])
        embed.set_weights([members.embedding[:, member]])
        for kernels, biases in zip(members.kernels, members.biases, strict=True):
            last = kernels is members.kernels[-1]
            dense = layers.Dense(kernels.shape[2], activation=None if last else "relu")
            hidden = dense(hidden)
            dense.set_weights([kernels[member], biases[member]])
        answers.append(hidden)
    return keras.Model([numbers, place], layers.Average()(answers))


def test_numpy_answers_as_the_same_weights_do_in_plain_layers_of_keras(network: Any) -> None:
    draw = np.random.default_rng(1)
    members = network.regression.model
    numbers, places = draw.normal(0, 2, (200, 3)), draw.integers(0, len(members.embedding), 200)
    theirs = np.asarray(as_keras(members)([numbers.astype(np.float32), places[:, None]]))
    ours = members.answers(numbers, places)
    assert np.abs(ours - theirs).max() < 1e-5
    assert ours.std(axis=0).min() > 0.05


def test_the_answer_is_the_mean_of_the_members(network: Any) -> None:
    members = network.regression.model
    numbers, places = np.random.default_rng(1).normal(size=(5, 3)), np.array([0, 1, 2, 3, 4])
    each = members.each(numbers, places)
    assert each.shape == (5, 10, 2)
    assert members.answers(numbers, places) == pytest.approx(each.mean(axis=1), abs=1e-12)
    assert each[:, :, 0].std(axis=1).min() > 0, "they learned from different rows"


def test_a_network_that_numpy_cannot_follow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "SAME", 0.0)
    with pytest.raises(DomainError, match="as stored differs from Keras"):
        PriceNetwork(epochs=1).fit(tiny(), progress=no_progress)


def test_it_finds_the_level_of_a_place_and_the_slope_over_the_area(network: Any) -> None:
    [answer] = network.predict([ASKED])
    assert np.log(answer.predicted_price) == pytest.approx(LEVELS["98103"], abs=0.05)
    found = network.evaluate(homes(2_000, seed=1))
    assert 0.7 < found["r2_log"] < 0.85  # the formula's own is 0.81
    assert found["mape"] < 0.18


def test_training_twice_gives_the_same_model_and_another_seed_another() -> None:
    first, second, other = (
        PriceNetwork(epochs=2, seed=seed).fit(tiny(), progress=no_progress).predict([PRICE.example])
        for seed in (0, 0, 1)
    )
    assert first == second != other


def test_currency_and_unit_of_the_area_are_named_in_every_answer_and_stored(tmp_path: Any) -> None:
    model = PriceNetwork(currency="EUR", area="m2", epochs=1).fit(tiny(), progress=no_progress)
    model.save(tmp_path)
    for one in (model, PriceNetwork.load(tmp_path)):
        [answer] = one.predict([PRICE.example])
        assert (answer.currency, answer.area_unit) == ("EUR", "m2")


def test_one_home_takes_well_under_a_millisecond(network: Any) -> None:
    start = time.process_time()
    for _ in range(300):
        network.predict([ASKED])
    assert (time.process_time() - start) / 300 < 0.6e-3  # 0.1 on a free core


def test_an_answer_needs_neither_pandas_nor_keras_nor_scikit_learn(network: Any, tmp_path: Any) -> None:
    network.save(tmp_path)
    script = f"""
import sys, pathlib
from pricing.ml.price import PriceInput
from pricing.ml.price_network import PriceNetwork
model = PriceNetwork.load(pathlib.Path({str(tmp_path)!r}))
model.predict([PriceInput(3, 2.0, 1800.0, "98101")])
assert not {{"pandas", "keras", "tensorflow", "sklearn", "django"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], cwd=settings.BASE_DIR, check=True, timeout=60)


@pytest.mark.parametrize("params", [{"epochs": 0}, {"rate": 0}, {"currency": ""}, {"area": "x" * 21}])
def test_parameters_out_of_bounds_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="must be"):
        PriceNetwork(**params).fit(tiny(), progress=no_progress)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows[:39], "There are 39 examples to learn price from; it takes 40"),
        (lambda rows: rows.assign(price=0), "values of price to learn from must all be over 0"),
        (lambda rows: rows.assign(sqft=float("nan")), "Some examples have no sqft"),
        (lambda rows: rows.assign(bathrooms=-1.0), "values of bathrooms to learn from must all be 0 or more"),
        (lambda rows: rows.assign(unit=0), "belong together"),
    ],
)
def test_examples_that_teach_nothing_are_refused_in_words(change: Any, says: str) -> None:
    with pytest.raises(DomainError, match=says):
        PriceNetwork(epochs=1).fit(Examples(change(tiny().rows)), progress=no_progress)
