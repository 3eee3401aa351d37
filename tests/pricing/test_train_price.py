"""`manage.py train price --data FILE --map …`: the homes of a file become the shop's, and are learned from."""

import os
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from django.conf import settings as project
from django.core.management import CommandError, call_command

from experiments import serving
from experiments.models import ModelVersion, Promotion
from pricing.datasets import price
from pricing.homes import homes_read
from pricing.ml.price import PRICE, PriceInput
from tests.pricing.conftest import homes

pytestmark = pytest.mark.django_db
PARTS = ("fit", "validation", "test")
QUICK = ("--algorithm", "boosting", "--param", "trees=3")
KING_COUNTY = Path(os.environ.get("SHOP_DATA", project.BASE_DIR.parent / "shared" / "data")) / "house"


@pytest.fixture(autouse=True)
def kept(settings: Any, tmp_path: Path) -> Path:
    """Where the shop's homes are kept; none are there yet."""
    settings.HOMES = tmp_path / "kept" / "homes.csv"
    return settings.HOMES


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    """`file(rows)`: a CSV of these, and its path."""

    def write(rows: pd.DataFrame, name: str = "given.csv") -> str:
        rows.to_csv(tmp_path / name, index=False)
        return str(tmp_path / name)

    return write


def train(*arguments: str) -> str:
    out = StringIO()
    call_command("train", *arguments, stdout=out, no_color=True, verbosity=0)
    return out.getvalue()


def refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as caught:
        train(*arguments)
    assert not ModelVersion.objects.exists()
    return str(caught.value)


def prices(part: Any) -> set[float]:
    return set(part.rows["price"])


def test_the_homes_of_a_file_are_kept_and_learned_from(file: Callable[..., str], kept: Path) -> None:
    given = homes(300).rows.rename(columns={"sqft": "living", "location": "zip"}).assign(garden=1)
    out = train("price", "--data", file(given), "--map", "living=sqft,zip=location", *QUICK)
    assert out.startswith("price 1 (boosting): trained on ")
    assert f"\n300 homes are kept in {kept}; price is learned from these now.\n" in out
    assert homes_read(kept, {}).equals(
        homes(300).rows.astype({"location": str})[["bedrooms", *homes_read(kept, {})][1:]]
    )
    data = ModelVersion.objects.get().data
    assert data["fit"] + data["validation"] + data["test"] == 300
    assert data["sources"] == ["homes.csv"]


def test_the_kept_homes_are_what_is_trained_on_and_measured_on_from_then_on(file: Callable[..., str]) -> None:
    train("price", "--data", file(homes(300).rows), *QUICK)
    train("price", *QUICK)
    first, second = ModelVersion.objects.order_by("version")
    assert first.data == second.data
    assert first.metrics["test"] == second.metrics["test"]
    out = StringIO()
    call_command("evaluate", "price", "--version-number", "1", stdout=out)
    assert (
        f"on {first.data['test']} rows of the test part: r2_log {first.metrics['test']['r2_log']:.4f}" in out.getvalue()
    )


def test_the_gate_measures_both_versions_on_the_kept_homes(file: Callable[..., str]) -> None:
    train("price", "--data", file(homes(300).rows), *QUICK, "--promote")
    dearer = homes(400, seed=1).rows.assign(price=lambda rows: rows["price"] * 3)
    train("price", "--data", file(dearer), *QUICK[:3], "trees=30", "--promote")
    comparison = Promotion.objects.first().comparison
    assert comparison["live"] < 0 < comparison["candidate"]


def test_what_was_learned_can_be_asked_under_the_zip_codes_of_the_file(file: Callable[..., str]) -> None:
    zips = {"98101": "01234", "98102": "98178"}
    given = homes(300).rows.replace({"location": zips})
    train("price", "--data", file(given), *QUICK, "--promote")
    serving.refresh()
    for location in zips.values():
        [answer] = serving.predict(PRICE, [PriceInput(3, 2.0, 1_800.0, location)], user_id=None)
        assert answer.output.predicted_price > 0


def test_a_home_stays_in_its_part_when_others_come_and_the_order_changes(file: Callable[..., str]) -> None:
    train("price", "--data", file(homes(300).rows), *QUICK)
    before = price()
    more = pd.concat([homes(200, seed=1).rows, homes(300).rows]).sample(frac=1, random_state=0)
    train("price", "--data", file(more), *QUICK)
    after = price()
    for name in PARTS:
        assert prices(getattr(before, name)) < prices(getattr(after, name))


def test_nothing_is_in_two_parts_and_the_test_part_is_about_a_fifth(file: Callable[..., str]) -> None:
    rows = homes(1_000).rows
    train("price", "--data", file(pd.concat([rows, rows])), *QUICK)
    split = price()
    parts = [prices(getattr(split, name)) for name in PARTS]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 1_000
    assert len(parts[2]) == pytest.approx(200, abs=40)
    assert len(parts[1]) == pytest.approx(80, abs=30)


def test_without_homes_it_is_said_how_to_get_some() -> None:
    said = refused("price")
    assert said.startswith("There are no homes to learn from: `manage.py train price --data FILE` reads a CSV")
    assert said.endswith("`manage.py demo` makes one.")


def test_bad_rows_leave_everything_as_it_was(file: Callable[..., str], kept: Path) -> None:
    bad = homes(300).rows
    bad.loc[7, "sqft"] = 0
    assert "1 of 300 rows cannot be learned from.\n  line 9: sqft '0.0' is not" in refused("price", "--data", file(bad))
    assert not kept.exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--algorithm", "forest"], "price has no algorithm forest"),
        (["--param", "leaves=3"], "does not take these parameters"),
        (["--algorithm", "boosting", "--param", "trees=0"], "trees"),
    ],
)
def test_homes_that_nothing_was_learned_from_replace_nothing(
    file: Callable[..., str], kept: Path, options: list[str], says: str
) -> None:
    train("price", "--data", file(homes(300).rows), *QUICK)
    before = kept.read_bytes()
    with pytest.raises(CommandError, match=says):
        train("price", "--data", file(homes(400, seed=1).rows), *options)
    assert kept.read_bytes() == before


def test_homes_that_cannot_be_kept_leave_the_live_version_where_it_is(
    file: Callable[..., str], kept: Path, settings: Any
) -> None:
    train("price", "--data", file(homes(300).rows), *QUICK, "--promote")
    settings.HOMES = kept / "below a file" / "homes.csv"
    with pytest.raises(CommandError, match=r"price 2 .* is stored and not promoted, as its homes are not kept: "):
        train("price", "--data", file(homes(400, seed=1).rows), *QUICK, "--promote")
    assert ModelVersion.objects.get(live=True).version == 1
    assert len(pd.read_csv(kept)) == 300


def test_too_few_homes_replace_nothing(file: Callable[..., str], kept: Path) -> None:
    train("price", "--data", file(homes(300).rows), *QUICK)
    before = kept.read_bytes()
    with pytest.raises(
        CommandError, match=r"too few homes: \d+ to learn from and \d+ to be measured on, and it takes 40"
    ):
        train("price", "--data", file(homes(40).rows), *QUICK)
    with pytest.raises(CommandError, match="and it takes 40 and 1 or more"):
        train("price", "--data", file(pd.concat([homes(1).rows] * 100)), *QUICK)
    assert kept.read_bytes() == before


def test_kept_homes_that_were_spoilt_are_named(kept: Path) -> None:
    kept.parent.mkdir()
    kept.write_text("bedrooms,bathrooms,sqft,location,price\n3,2,1800,Hill,none\n")
    assert refused("price").startswith(f"{kept}: 1 of 1 rows cannot be learned from.\n  line 2: price 'none'")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rating", "--data", "homes.csv"], "--data is for price, not for rating."),
        (["category", "--folder", ".", "--data", "homes.csv"], "--data is for price, not for category."),
        (["price", "--folder", "."], "--folder is for category, not for price."),
        (["price", "--map", "a=sqft"], "--map says what the columns of a file are: name it with --data."),
        (["price", "--data", "no.csv"], "no.csv cannot be read: no such file or directory."),
        (["price", "--data", "no.csv", "--map", "a=b"], "--map: there is no field 'b'."),
    ],
)
def test_options_that_do_not_fit_are_refused(arguments: list[str], says: str) -> None:
    assert refused(*arguments).startswith(says)


def test_the_help_shows_the_options_of_all_rooms(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("train", "--help")
    out = capsys.readouterr().out
    assert [
        name for name in ("--data", "--map", "--weights", "--folder", "--model", "--conll") if name not in out
    ] == []


@pytest.mark.skipif(not KING_COUNTY.is_dir(), reason=f"no real data: {KING_COUNTY} is not there (SHOP_DATA)")
def test_king_countys_homes_are_learned_from_as_they_are() -> None:
    path = KING_COUNTY / "kc_house_train.csv"
    train("price", "--data", str(path), "--map", "sqft_living=sqft,zipcode=location", *QUICK)
    sold = pd.read_csv(path, dtype=str)
    assert set(price().fit.rows["location"]) == set(sold["zipcode"])
    assert len(price().test) == pytest.approx(len(sold) / 5, rel=0.05)
