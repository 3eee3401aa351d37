"""What networks and heads learn from."""

from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image as Picture

from experiments.errors import ModelUnavailable
from experiments.mltask import Split
from reviews.models import Product
from tests import shop
from tests.vision.conftest import BLUE, GREEN, RED, Tint, Version, picture, pictured
from vision import datasets
from vision.ml.embedding import DIMENSIONS
from vision.tasks import embed_pictures


def rows(split: Split) -> pd.DataFrame:
    return pd.concat([split.fit.rows, split.validation.rows, split.test.rows])


@pytest.fixture
def walls(db: None) -> dict[str, Product]:
    """Six red walls, five blue, four green; one without category, one without picture."""
    made = [pictured(f"red {number}", RED, category="red") for number in range(6)]
    made += [pictured(f"blue {number}", BLUE, category="blue") for number in range(5)]
    made += [pictured(f"green {number}", GREEN, category="green") for number in range(4)]
    pictured("nothing known")
    shop.product("no picture", category="red")
    return {one.name: one for one in made}


def test_pictures_come_with_their_category(walls: dict[str, Product]) -> None:
    found = rows(datasets.image_embedding())
    assert set(found["unit"]) == {one.pk for one in walls.values()}
    assert found["category"].value_counts().to_dict() == {"red": 6, "blue": 5, "green": 4}


def test_large_pictures_are_shrunk_and_what_is_none_is_left_out(db: None) -> None:
    pictured("large", data=picture(RED, size=(2_000, 1_000)), category="red")
    pictured("broken", data=b"no picture", category="red")
    Path(pictured("gone", category="red").image.path).unlink()
    [data] = rows(datasets.image_embedding())["image"]
    with Picture.open(BytesIO(data)) as small:
        assert (small.format, small.size) == ("JPEG", (512, 256))


def test_only_the_newest_are_taken(walls: dict[str, Product], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "MOST_PICTURES", 4)
    assert set(rows(datasets.image_embedding())["category"]) == {"green"}


def test_a_product_is_in_the_same_part_for_both_tasks_each_time(walls: dict[str, Product], online: Version) -> None:
    online("image_embedding")
    for number in range(40):
        pictured(f"more {number}", RED, category="red")
    first, again, vectors = datasets.image_embedding(), datasets.image_embedding(), datasets.category()
    for part in ("fit", "validation", "test"):
        units = list(getattr(first, part).rows["unit"])
        assert units == list(getattr(again, part).rows["unit"])
        assert set(getattr(vectors, part).rows["unit"]) <= set(units)


def test_a_fifth_is_held_out_and_a_tenth_is_for_choosing() -> None:
    split = datasets._split(pd.DataFrame({"unit": range(2_000)}))
    assert len(rows(split)["unit"].unique()) == 2_000
    assert len(split.test) == pytest.approx(400, abs=60)
    assert len(split.validation) == pytest.approx(200, abs=60)


def test_vectors_are_of_the_live_embedding_and_of_categories_with_enough_pictures(
    walls: dict[str, Product], online: Version
) -> None:
    live = online("image_embedding")
    embed_pictures.call()
    found = rows(datasets.category())
    assert found["category"].value_counts().to_dict() == {"red": 6, "blue": 5}
    assert set(found["embedding"]) == {live.digest}
    assert {vector.shape for vector in found["vector"]} == {(DIMENSIONS,)}


def test_vectors_that_are_still_to_come_are_made(
    walls: dict[str, Product], online: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    online("image_embedding")
    stored = rows(datasets.category())
    embed_pictures.call()
    calls: list[int] = []
    monkeypatch.setattr(Tint, "before", staticmethod(lambda batch: calls.append(len(batch))))
    again = rows(datasets.category())
    assert calls == []
    assert list(stored["unit"]) == list(again["unit"])
    assert stored["vector"].iloc[0] == pytest.approx(again["vector"].iloc[0], abs=1e-3)


def test_pictures_that_cannot_be_seen_are_left_out(walls: dict[str, Product], online: Version) -> None:
    online("image_embedding")
    pictured("broken", data=b"no picture", category="red")
    before = len(rows(datasets.category()))
    embed_pictures.call()
    assert len(rows(datasets.category())) == before == 11


def test_without_a_live_embedding_there_are_no_vectors(walls: dict[str, Product]) -> None:
    with pytest.raises(ModelUnavailable, match="image_embedding"):
        datasets.category()


def test_a_shop_without_pictures_has_no_examples(online: Version) -> None:
    online("image_embedding")
    for split in (datasets.image_embedding(), datasets.category()):
        assert (len(split.fit), len(split.validation), len(split.test)) == (0, 0, 0)
