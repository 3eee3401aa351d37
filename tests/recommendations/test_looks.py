"""The pictures of the products are part of their content, as the version sees them that pictures are searched with."""

from collections.abc import Callable

import numpy as np
import pytest

from experiments.models import ModelVersion
from recommendations.datasets import catalogue
from recommendations.ml.content import Content
from recommendations.selectors import new_to
from reviews.models import Product
from tests import shop
from vision.ml.embedding import DIMENSIONS
from vision.models import ImageEmbedding, Searched


def vector(place: int) -> list[float]:
    return [float(number == place) for number in range(DIMENSIONS)]


@pytest.fixture
def seen(shelf: dict[int, Product], candidate: Callable[..., ModelVersion]) -> ModelVersion:
    """Product 1 looks like 4 and 2 like 5; 3 was seen by another version, 6 could not be read, 0 is named so too."""
    version = candidate("image_embedding")
    Searched.objects.create(version=version)
    for product, place in ((0, 2), (1, 0), (4, 0), (2, 1), (5, 1)):
        ImageEmbedding.objects.create(product=shelf[product], version=version.version, vector=vector(place))
    ImageEmbedding.objects.create(product=shelf[3], version=version.version + 1, vector=vector(0))
    ImageEmbedding.objects.create(product=shelf[6], version=version.version, vector=None)
    return version


def test_the_catalogue_has_the_vectors_of_the_searched_version(seen: ModelVersion) -> None:
    found = catalogue().set_index("product")["looks"]
    assert found[found.notna()].index.tolist() == [0, 1, 2, 4, 5]
    assert np.argmax(found[5]) == 1


def test_without_a_searched_version_there_are_none(shelf: dict[int, Product]) -> None:
    assert catalogue()["looks"].isna().all()


def test_products_that_look_alike_are_alike(seen: ModelVersion) -> None:
    content = Content().fit(catalogue())
    alike = content.alike.between(np.array([1]), np.arange(8))[0]
    assert alike[4] == pytest.approx(1, rel=1e-5)
    assert alike[[0, 2, 5]] == pytest.approx(0.5, rel=1e-5)  # by words, which are the same for all


def test_a_newcomer_comes_with_its_looks(seen: ModelVersion, shelf: dict[int, Product]) -> None:
    duck = shop.product("Rubber duck")
    ImageEmbedding.objects.create(product=duck, version=seen.version, vector=vector(1))
    [row] = [row for row in new_to([], 1) if row["product"] == duck.pk]
    assert np.argmax(row["looks"]) == 1


def test_a_shop_without_pictures_learns_from_words(shelf: dict[int, Product]) -> None:
    assert Content().fit(catalogue()).looks.shape[1] == 0
