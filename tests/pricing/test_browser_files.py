"""The files for a browser: a layers model in the form that TensorFlow.js reads, with the server's numbers in it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.errors import DomainError
from experiments.mltask import no_progress
from pricing.ml.browser import browser_files
from pricing.ml.price import tiny
from pricing.ml.price_network import PriceNetwork
from pricing.ml.price_trees import PriceBoosting

ACTIVATIONS = {"relu": lambda values: np.maximum(values, 0), "linear": lambda values: values}


@pytest.fixture(scope="module")
def model_json(network: Any) -> Any:
    return json.loads(browser_files(network)["model.json"])


def weights_of(files: dict[str, bytes]) -> dict[str, np.ndarray]:
    """By name, cut from the binary file in the order of the manifest."""
    [group] = json.loads(files["model.json"])["weightsManifest"]
    [name] = group["paths"]
    numbers, at, found = np.frombuffer(files[name], "<f4"), 0, {}
    for one in group["weights"]:
        assert one["dtype"] == "float32"
        size = int(np.prod(one["shape"]))
        found[one["name"]] = numbers[at : at + size].reshape(one["shape"])
        at += size
    assert at == len(numbers)
    return found


def test_the_graph_run_layer_by_layer_answers_as_the_server(network: Any, model_json: Any) -> None:
    weights, draw = weights_of(browser_files(network)), np.random.default_rng(1)
    numbers, places = draw.normal(size=(50, 3)), draw.integers(0, 5, 50)
    made = {"numbers": numbers, "place": places[:, None]}
    graph = model_json["modelTopology"]["model_config"]["config"]
    for layer in graph["layers"]:
        name, config = layer["name"], layer["config"]
        inputs = [made[node[0]] for nodes in layer["inbound_nodes"] for node in nodes]
        match layer["class_name"]:
            case "Embedding":
                made[name] = weights[f"{name}/embeddings"][inputs[0]]
            case "Flatten":
                made[name] = inputs[0].reshape(len(inputs[0]), -1)
            case "Concatenate":
                made[name] = np.concatenate(inputs, axis=config["axis"])
            case "Dense":
                summed = inputs[0] @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]
                made[name] = ACTIVATIONS[config["activation"]](summed)
            case kind:
                assert kind == "InputLayer"
                assert config["batch_input_shape"] == [None, made[name].shape[1]]
    [[output, _, _]] = graph["output_layers"]
    assert np.abs(made[output] - network.regression.model.answers(numbers, places)).max() < 1e-5


def test_it_is_a_layers_model_in_the_form_of_keras_2(model_json: Any) -> None:
    assert model_json["format"] == "layers-model"
    assert model_json["modelTopology"]["keras_version"].startswith("2.")
    graph = model_json["modelTopology"]["model_config"]
    assert graph["class_name"] == "Functional"
    assert graph["config"]["input_layers"] == [["numbers", 0, 0], ["place", 0, 0]]
    names = [layer["name"] for layer in graph["config"]["layers"]]
    assert len(set(names)) == len(names)
    assert all(layer["config"]["name"] == layer["name"] for layer in graph["config"]["layers"])


def test_the_weights_are_named_by_their_digest_so_that_of_the_model_covers_them(network: Any, model_json: Any) -> None:
    [group] = model_json["weightsManifest"]
    [name] = group["paths"]
    files = browser_files(network)
    assert name == f"{hashlib.sha256(files[name]).hexdigest()[:16]}.bin"
    assert set(files) == {"model.json", name, "facts.json"}


def test_with_what_stands_beside_it_a_price_and_its_interval_come_out(network: Any) -> None:
    from pricing.ml.price import PriceInput

    facts = json.loads(browser_files(network)["facts.json"])
    read, interval = facts["preprocessing"], facts["interval"]
    assert (facts["format"], read["currency"], read["area_unit"]) == ("tfjs-layers", "USD", "sqft")
    [answer] = network.predict([PriceInput(3, 2.0, 1_800.0, "98102", coverage=0.8)])
    numbers = [
        (np.log1p(min(max(value, one["low"]), one["high"])) - one["mean"]) / one["scale"]
        for value, one in zip([3, 2.0, 1_800.0], read["columns"], strict=True)
    ]
    place = read["locations"].index("98102") + 1
    [[centre, width]] = network.regression.model.answers(np.array([numbers]), np.array([place]))
    at, target = interval["coverages"].index(0.8), read["target"]
    scores = (0.0, interval["lower"][at], interval["upper"][at])
    said = [np.exp(target["mean"] + target["scale"] * (centre + score * np.exp(width))) for score in scores]
    assert [answer.predicted_price, *answer.interval] == pytest.approx(said, abs=0.01)


def test_a_saved_network_has_them_beside_its_own_files(network: Any, tmp_path: Path) -> None:
    network.save(tmp_path)
    saved = {path.name: path.read_bytes() for path in (tmp_path / "browser").iterdir()}
    assert saved == browser_files(network)


def test_what_is_loaded_makes_the_same_ones(network: Any, tmp_path: Path) -> None:
    network.save(tmp_path)
    assert browser_files(PriceNetwork.load(tmp_path)) == browser_files(network)


def test_the_download_is_small(network: Any) -> None:
    assert sum(map(len, browser_files(network).values())) < 150_000


def test_a_model_that_is_no_network_says_so_and_saves_none(tmp_path: Path) -> None:
    model = PriceBoosting(trees=2).fit(tiny(), progress=no_progress)
    with pytest.raises(DomainError, match="Only the algorithm network of price runs in a browser"):
        browser_files(model)
    model.save(tmp_path)
    assert not (tmp_path / "browser").exists()
