"""`manage.py evaluate recommend --protocol …`: what it prints, draws, keeps and refuses."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from PIL import Image

from experiments.models import ModelVersion
from recommendations.ml.hybrid import Ease
from recommendations.ml.recommend import RECOMMEND
from reviews.models import Product, Rating
from tests import shop

QUICK = ("--algorithms", "random")  # and ease, which the others are compared with


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("evaluate", *arguments, stdout=out, no_color=True, verbosity=0)
    return out.getvalue()


def side_by_side(*arguments: str, protocol: str = "temporal-user") -> str:
    return said("recommend", "--protocol", protocol, *QUICK, *arguments)


@pytest.fixture
def rated(db: None) -> None:
    """Twelve customers and ten lamps: even customers like even lamps."""
    start = timezone.now() - timedelta(days=100)
    lamps = Product.objects.bulk_create(
        Product(name=f"{'Brass lamp' if number % 2 else 'Linen shirt'} {number}") for number in range(10)
    )
    for number in range(12):
        who = shop.user()
        Rating.objects.bulk_create(
            Rating(
                user=who, product=lamp, value=5 if number % 2 == place % 2 else 1,
                rated_at=start + timedelta(days=(place + number + 1) % 10),
            )
            for place, lamp in enumerate(lamps)
        )  # fmt: skip


@pytest.mark.usefixtures("rated")
def test_the_table_has_every_recommender_that_was_asked_for() -> None:
    out = side_by_side("--k", "2,1")
    lines = out.splitlines()
    assert lines[0] == "recommend under temporal-user: 12 users, 10 products."
    assert lines[1] == "24 ratings were held out, 96 rows learned from."
    assert lines[3] == "No version is live: compared with the default algorithm, ease."
    heads = [line.split() for line in lines if line.startswith("at ")]
    assert heads[:2] == [["at", at, "NDCG", "recall", "MAP", "hit", "rate"] for at in ("1", "2")]
    counts = {name: sum(line.startswith(f"{name} ") for line in lines) for name in ("ease", "random")}
    assert counts == {"ease": 5, "random": 6}  # no difference from itself; and no stars
    assert "als" not in out
    assert lines[-1] == "Not stored: there is no live version to keep the figures with."


@pytest.mark.usefixtures("rated")
def test_without_algorithms_all_and_the_baselines_are_compared_at_10_and_20() -> None:
    report = json.loads(said("recommend", "--protocol", "leave-last-out", "--json"))
    names = [one["name"] for one in report["recommenders"]]
    assert names == [*RECOMMEND.algorithms, "random", "popularity", "tutorial"]
    assert not [one for one in report["recommenders"] if "error" in one]
    assert report["k"] == [10, 20]


@pytest.mark.usefixtures("rated")
def test_json_is_one_object_and_all_there_is(tmp_path: Path, live: Callable[..., ModelVersion]) -> None:
    live("recommend")
    out = side_by_side("--k", "1,2", "--json", "--plot", str(tmp_path / "x.png"), "--users", "5")
    report = json.loads(out, parse_constant=pytest.fail)
    assert out.count("\n") == 1
    facts = {name: report[name] for name in ("task", "protocol", "version", "most_users", "k", "users")}
    assert facts == {
        "task": "recommend", "protocol": "temporal-user", "version": 1, "most_users": 5, "k": [1, 2], "users": 5,
    }  # fmt: skip
    assert report["reference"] == {"name": "ease", "live": True, "measured": True}
    by_name = {one["name"]: one for one in report["recommenders"]}
    assert list(by_name) == ["ease", "random"]
    assert {"value", "low", "high"} == set(by_name["random"]["difference"]["ndcg@1"])


@pytest.mark.usefixtures("rated")
def test_the_plot_is_a_png_file(tmp_path: Path) -> None:
    path = tmp_path / "figures.PNG"
    assert f"Drawn in {path}." in side_by_side("--plot", str(path))
    with Image.open(BytesIO(path.read_bytes())) as picture:
        assert picture.format == "PNG"
        assert picture.width > 1_000


@pytest.mark.usefixtures("rated")
def test_the_figures_are_kept_with_the_live_version_by_protocol(live: Callable[..., ModelVersion]) -> None:
    row = live("recommend")
    ModelVersion.objects.filter(pk=row.pk).update(metrics={"test": {"ndcg@10": 0.5}})
    assert "Stored with recommend 1 (ease) as its figures under temporal-user." in side_by_side()
    side_by_side(protocol="leave-last-out")
    report = json.loads(side_by_side("--k", "3", "--json"))  # in place of the first
    row.refresh_from_db()
    assert row.metrics["test"] == {"ndcg@10": 0.5}
    assert set(row.metrics["protocols"]) == {"temporal-user", "leave-last-out"}
    kept = row.metrics["protocols"]["temporal-user"]
    for one in (*kept["recommenders"], *report["recommenders"]):
        assert one.pop("ms_a_user") > 0
    assert kept == report


@pytest.mark.usefixtures("rated")
def test_no_store_keeps_nothing(live: Callable[..., ModelVersion]) -> None:
    row = live("recommend")
    assert "tored" not in side_by_side("--no-store")
    row.refresh_from_db()
    assert "protocols" not in row.metrics


@pytest.mark.usefixtures("rated")
def test_a_live_version_with_parameters_is_compared_as_it_is(live: Callable[..., ModelVersion]) -> None:
    row = live("recommend")
    ModelVersion.objects.filter(pk=row.pk).update(params={"l2": 5.0})
    report = json.loads(side_by_side("--json"))
    assert report["reference"]["name"] == "ease v1"
    assert report["recommenders"][0]["params"] == {"l2": 5.0}
    assert Ease().l2 != 5.0


@pytest.mark.usefixtures("rated")
def test_new_products_says_how_many_times_chance_the_recall_is() -> None:
    out = side_by_side("--k", "1", protocol="new-products")
    assert "recall@1/chance" in out
    assert "novelty" not in out


@pytest.mark.usefixtures("rated")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--k", "0"], "--k is one or more numbers from 1 to 100 with commas, such as 10,20"),
        (["--k", "101"], "numbers from 1 to 100"),
        (["--k", "10,"], "numbers from 1 to 100"),
        (["--k", "ten"], "numbers from 1 to 100"),
        (["--users", "0"], "--users is a number from 1 on"),
        (["--users", "x"], "invalid int value: 'x'"),
        (["--algorithms", "magic"], r"no algorithm magic\. Known are: ease, als"),
        (["--plot", "figures.pdf"], r"--plot draws a \.png file, and figures\.pdf is none"),
        (["--plot", "/nowhere/figures.png"], "The folder /nowhere is not there"),
        (["--folds", "5"], "--version-number, --folds and --part do not go with --protocol"),
        (["--version-number", "0"], "do not go with --protocol"),
        (["--part", "validation"], "do not go with --protocol"),
        (["--protocol", "random"], "invalid choice: 'random'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says) as refused:
        said("recommend", "--protocol", "temporal-user", *arguments)
    assert "\n" not in str(refused.value)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("option", "value"), [("k", "5"), ("plot", "x.png"), ("algorithms", "als"), ("users", "0"), ("no-store", None)]
)
def test_an_option_that_needs_a_protocol_says_so(option: str, value: str | None) -> None:
    with pytest.raises(CommandError, match=f"--{option} needs a --protocol: temporal-user, global-time"):
        said("recommend", f"--{option}", *([value] if value else []))


@pytest.mark.django_db
def test_a_protocol_is_for_recommendations_alone() -> None:
    with pytest.raises(CommandError, match="--protocol is for recommend, not for sentiment"):
        said("sentiment", "--protocol", "global-time")


@pytest.mark.django_db
def test_without_ratings_it_says_what_to_do() -> None:
    for protocol in ("temporal-user", "global-time", "leave-last-out", "new-products"):
        with pytest.raises(CommandError, match="no ratings to evaluate on: import some, or run"):
            said("recommend", "--protocol", protocol)


def test_without_a_protocol_one_version_is_measured(rated: None, live: Callable[..., ModelVersion]) -> None:
    live("recommend")
    live("sentiment")
    for lamp in shop.products(5):
        shop.review(lamp, rating=5)
    assert said("recommend").startswith("recommend 1 (ease) on 120 rows of the test part: ndcg@10 ")
    assert said("sentiment").startswith("sentiment 1 (tfidf) on 1 rows of the test part: ")
    assert json.loads(said("recommend", "--json"))["rows"] == 120
