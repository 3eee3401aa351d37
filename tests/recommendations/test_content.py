"""What products are like by their words, those of the training and newcomers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recommendations.ml.content import LIKE, NEIGHBOURS, Content
from recommendations.ml.recommend import Newcomers

SHELF = {3: "brass lamp", 5: "brass kettle", 8: "linen shirt", 9: "linen dress, brass buttons"}


def words(shelf: dict[int, str]) -> pd.DataFrame:
    return pd.DataFrame({"product": list(shelf), "name": list(shelf.values()), "category": "", "description": ""})


@pytest.fixture
def content() -> Content:
    return Content().fit(words(SHELF))


def test_products_that_share_rare_words_are_most_alike(content: Content) -> None:
    alike = content.alike.between(np.arange(4), np.arange(4))
    assert alike.diagonal().tolist() == [0, 0, 0, 0]
    assert alike == pytest.approx(alike.T)
    assert alike[2, 3] > 0
    assert alike[0, 1] > alike[0, 3] > 0
    assert alike[0, 2] == 0


def test_a_newcomer_is_like_the_products_that_its_words_are_like(content: Content) -> None:
    found = content.nearest(words({20: "Brass Lamp", 21: "linen shirt", 22: "rubber duck"}))
    like = {
        (product, other): value
        for product, other, value in zip(found.products, found.like, found.similarity, strict=True)
    }
    assert like[20, 3] == pytest.approx(1, rel=1e-5)
    assert like[21, 8] == pytest.approx(1, rel=1e-5)
    assert 0 < like[20, 9] < like[20, 5] < 1
    assert 22 not in found.products


def test_no_newcomers_are_like_nothing(content: Content) -> None:
    assert content.nearest(words({})) == Newcomers()


def test_only_the_most_alike_are_kept() -> None:
    many = Content().fit(words({number: f"brass lamp {number % 3}x" for number in range(80)}))
    assert (np.diff(many.alike.rows.indptr) == NEIGHBOURS).all()
    assert len(many.nearest(words({99: "brass lamp"})).like) == LIKE


@pytest.mark.parametrize("shelf", [{}, {1: ""}, {1: "", 2: ""}, {1: "the of"}, {1: "lamp"}])
def test_products_without_words_are_like_nothing(shelf: dict[int, str]) -> None:
    content = Content().fit(words(shelf))
    assert not len(content.alike.rows.values)
    assert len(content.nearest(words({7: "lamp"})).products) == (1 if "lamp" in shelf.values() else 0)


def test_loaded_content_says_the_same_of_newcomers(content: Content, tmp_path: Path) -> None:
    content.save(tmp_path)
    new = words({20: "brass lamp", 21: "dress"})
    assert Content.load(tmp_path).nearest(new) == content.nearest(new)


def looks(shelf: dict[int, str], **vectors: list[float] | None) -> pd.DataFrame:
    return words(shelf).assign(looks=[vectors.get(f"p{product}") for product in shelf])


@pytest.fixture
def pictured() -> Content:
    """By words the lamp is like the kettle; it looks like the shirt. The dress has no picture."""
    return Content().fit(looks(SHELF, p3=[1.0, 0.1, 0.0], p5=[-1.0, 0.0, 0.3], p8=[0.9, 0.2, 0.1]))


def test_products_whose_pictures_are_alike_are_alike(content: Content, pictured: Content) -> None:
    by_words, alike = (one.alike.between(np.arange(4), np.arange(4)) for one in (content, pictured))
    assert alike[0, 2] > 0.4 > by_words[0, 2] == 0
    assert alike[0, 1] == pytest.approx(by_words[0, 1] / 2, rel=1e-5)  # they look like opposites


def test_without_a_picture_the_words_alone_count(content: Content, pictured: Content) -> None:
    by_words, alike = (one.alike.between(np.arange(4), np.arange(4)) for one in (content, pictured))
    assert alike[3].tolist() == pytest.approx(by_words[3].tolist())


def test_a_newcomer_is_like_the_products_that_its_picture_is_like(pictured: Content) -> None:
    found = pictured.nearest(looks({20: "rubber duck"}, p20=[1.0, 0.1, 0.0]))
    assert found.like[np.argmax(found.similarity)] == 3


def test_a_picture_seen_by_another_network_says_nothing(pictured: Content) -> None:
    assert pictured.nearest(looks({20: "rubber duck"}, p20=[1.0, 0.1])) == Newcomers()


def test_pictures_are_saved_with_the_words(pictured: Content, tmp_path: Path) -> None:
    pictured.save(tmp_path)
    new = looks({20: "brass lamp"}, p20=[0.5, 0.1, 0.2])
    assert Content.load(tmp_path).nearest(new) == pictured.nearest(new)
