"""The homes that `manage.py demo` makes: after a stated formula, labelled, and never in place of others."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command

from experiments.models import ModelVersion
from pricing.datasets import price
from pricing.homes import homes_read
from pricing.ml.tabular import SELDOM
from reviews.demo import homes as demo
from reviews.demo.homes import COUNT, NEIGHBOURHOODS, SYNTHETIC, homes_make
from reviews.demo_services import SOURCE
from tests import shop

SHOP_IS_HERE = "The demo shop is here already.\n"


@pytest.fixture(autouse=True)
def kept(settings: Any, tmp_path: Path) -> Path:
    settings.HOMES = tmp_path / "homes.csv"
    return settings.HOMES


@pytest.fixture
def demo_shop(db: None) -> None:
    """As if it had been made before there were homes."""
    shop.product(source=SOURCE, external_id="1")


def run() -> str:
    said = io.StringIO()
    call_command("demo", verbosity=0, stdout=said)
    return said.getvalue()


def test_a_shop_from_before_gets_the_homes_alone(demo_shop: None, kept: Path) -> None:
    assert run() == f"{SHOP_IS_HERE}Made 2,000 synthetic homes, at prices by a formula: {kept}.\n"
    assert len(homes_read(kept, {})) == COUNT == 2_000


def test_a_file_that_is_there_is_kept_as_it_is(demo_shop: None, kept: Path) -> None:
    kept.write_text("the shop's own")
    assert run() == f"{SHOP_IS_HERE}Homes are here already: {kept}.\n"
    assert kept.read_text() == "the shop's own"


def test_a_link_to_nowhere_is_kept_too(demo_shop: None, kept: Path) -> None:
    kept.symlink_to(kept.parent / "gone.csv")
    assert "Homes are here already" in run()
    assert kept.is_symlink()


def test_each_row_says_that_it_is_synthetic(demo_shop: None, kept: Path) -> None:
    run()
    assert set(pd.read_csv(kept)["source"]) == {SYNTHETIC} == {"synthetic"}


def test_the_same_seed_makes_the_same_homes_and_another_makes_others() -> None:
    assert homes_make(1).equals(homes_make(1))
    assert not homes_make(1).equals(homes_make(2))


def test_prices_follow_the_stated_formula() -> None:
    homes = homes_make(3)
    level = homes["location"].map({name: level for name, (level, _) in NEIGHBOURHOODS.items()})
    rooms = 1.03 ** (homes["bedrooms"] - 3) * 1.08 ** (homes["bathrooms"] - 2)
    noise = np.log(homes["price"] / (level * homes["sqft"] ** 0.8 * rooms))
    assert noise.mean() == pytest.approx(0, abs=0.01)
    assert noise.std() == pytest.approx(0.12, abs=0.01)
    assert abs(noise).max() < 0.6
    assert (homes["price"] % 500 == 0).all()
    assert "sqft ** 0.8 * 1.03 ** (bedrooms - 3) * 1.08 ** (bathrooms - 2) * exp(0.12 * z)" in demo.__doc__


def test_one_neighbourhood_is_too_seldom_to_be_known_and_one_is_just_known(demo_shop: None, kept: Path) -> None:
    run()
    counts = price().fit.rows["location"].value_counts()
    assert [name for name in NEIGHBOURHOODS if counts.get(name, 0) < SELDOM] == ["Quarry Row"]
    assert SELDOM <= counts["Heron Island"] < 30


def test_price_is_trained_on_them_without_another_word(demo_shop: None) -> None:
    run()
    said = io.StringIO()
    call_command("train", "price", "--param", "seed=1", "--promote", verbosity=0, stdout=said)
    row = ModelVersion.objects.get()
    assert row.live
    assert row.data["fit"] + row.data["validation"] + row.data["test"] == COUNT
    assert row.metrics["test"]["r2_log"] > 0.8
