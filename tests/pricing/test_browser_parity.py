"""What TensorFlow.js makes of 1,000 homes from what the routes give it, against the numbers of Python.

`pytest -m slow -s tests/pricing/test_browser_parity.py` prints how far apart they are.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.staticfiles import finders

from experiments.models import ModelVersion
from pricing.ml.price import COLUMNS, PriceInput
from pricing.ml.regression import Asked
from tests.pricing.conftest import LEVELS
from tests.shop import API

NODE = shutil.which("node")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not NODE, reason="node is not installed: TensorFlow.js needs it"),
]
SAME = 1e-4  # largest relative difference


def homes(count: int) -> list[dict[str, Any]]:
    """Within the examples and far beyond, in every known place and in one that is not, with any coverage."""
    draw = np.random.default_rng(5)
    usual = [draw.integers(1, 9, count), draw.integers(4, 20, count) / 4, draw.lognormal(7.5, 0.4, count)]
    any_at_all = [draw.integers(0, 101, count), draw.uniform(0.25, 100, count), 10 ** draw.uniform(1.4, 5, count)]
    mixed = [np.where(draw.random(count) < 0.9, *pair) for pair in zip(usual, any_at_all, strict=True)]
    places = draw.choice([*LEVELS, "elsewhere"], count)
    coverages = np.where(draw.random(count) < 0.5, 0.9, np.append(draw.uniform(0.5, 0.99, count - 2), [0.5, 0.99]))
    columns = [*COLUMNS, "location", "coverage"]
    rows = zip(*(one.tolist() for one in (*mixed, places, coverages)), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def in_node(address: str, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    files = [finders.find(f"pricing/{name}") for name in ("vendor/tf-4.22.0.min.js", "price-model.mjs")]
    command = [str(NODE), str(Path(__file__).with_name("parity.mjs")), address, *map(str, files)]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_a_thousand_homes_have_the_same_prices_and_intervals(
    priced: ModelVersion, network: Any, live_server: Any
) -> None:
    given = homes(1_000)
    theirs = in_node(f"{live_server.url}{API}/models/price/browser/", given)
    asked = [
        Asked([one[name] for name in COLUMNS], network.places.get(one["location"], 0), one["coverage"]) for one in given
    ]
    said = network.regression.say(asked)
    ours = np.array([(one.value, one.low, one.high) for one in said])
    found = np.array([(one["predicted_price"], *one["interval"]) for one in theirs])
    off = np.abs(found / ours - 1).max()
    print(f"\nlargest relative difference over {len(given):,} homes: {off:.1e}")  # noqa: T201
    assert off < SAME
    assert [one["extrapolating"] for one in theirs] == [one.beyond for one in said]
    assert 100 < sum(one.beyond for one in said) < 900, "homes within the examples, and beyond them"


def test_what_the_route_answers_is_the_same_to_the_cent_that_it_rounds_to(
    priced: ModelVersion, network: Any, live_server: Any
) -> None:
    given = homes(100)
    theirs = in_node(f"{live_server.url}{API}/models/price/browser/", given)
    answers = network.predict([PriceInput(**one, allow_unknown=True) for one in given])
    for one, answer in zip(theirs, answers, strict=True):
        assert one["predicted_price"] == pytest.approx(answer.predicted_price, rel=1e-5, abs=0.01)
        assert one["interval"] == pytest.approx(answer.interval, rel=1e-5, abs=0.01)
        assert one["extrapolating"] == answer.extrapolating


def test_where_the_live_version_has_no_edition_the_page_says_why(live: Any, fitted: Any, live_server: Any) -> None:
    live("price", predictor=fitted("price", "boosting"), algorithm="boosting")
    with pytest.raises(AssertionError, match="price 1 was made by boosting, which does not run in a browser"):
        in_node(f"{live_server.url}{API}/models/price/browser/", homes(2))
