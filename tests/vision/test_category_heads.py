"""The head that knows the shop's categories, and that it speaks of one embedding version's vectors only."""

import numpy as np
import pandas as pd
import pytest

from experiments.discovery import task_named
from experiments.errors import DomainError, Invalid
from experiments.mltask import Examples, no_progress
from vision.ml.category import CategoryInput
from vision.ml.embedding import DIMENSIONS

ONE, OTHER = "1" * 64, "2" * 64


def clouds(kinds: int, each: int = 12, embedding: str = ONE, spread: float = 0.1) -> Examples:
    draw = np.random.default_rng(0)
    rows = []
    for number in range(kinds * each):
        vector = draw.normal(0, spread / 4, DIMENSIONS)
        vector[number % kinds] += 1
        vector /= np.linalg.norm(vector)
        rows.append((number, tuple(vector.tolist()), f"kind {number % kinds}", embedding))
    return Examples(pd.DataFrame(rows, columns=["unit", "vector", "category", "embedding"]))


def head(examples: Examples, **parameters: float) -> object:
    return task_named("category").algorithms["logistic"](**parameters).fit(examples, progress=no_progress)


@pytest.mark.parametrize("kinds", [2, 3, 7])
def test_its_shares_are_those_of_scikit_learn(kinds: int) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer, StandardScaler

    examples = clouds(kinds)
    vectors = np.array(list(examples.rows["vector"]))
    wanted = make_pipeline(StandardScaler(with_std=False), Normalizer(), LogisticRegression(C=2, max_iter=2_000))
    wanted.fit(vectors, examples.rows["category"])
    outputs = head(examples, c=2).predict([CategoryInput(vector, ONE) for vector in examples.rows["vector"]])
    for output, shares in zip(outputs, wanted.predict_proba(vectors), strict=True):
        found = [one.confidence for one in output.categories]
        assert found == pytest.approx(sorted(shares, reverse=True)[:5], abs=1e-6)
        assert output.categories[0].category == wanted.classes_[shares.argmax()]


def test_it_tells_categories_apart_on_pictures_that_it_has_not_seen() -> None:
    examples = clouds(4, each=40)
    fit, test = Examples(examples.rows[:120]), Examples(examples.rows[120:])
    assert head(fit).evaluate(test)["accuracy"] > 0.8


def test_a_vector_of_another_embedding_version_is_refused_and_both_are_named() -> None:
    model = head(clouds(2))
    [vector] = clouds(2).rows["vector"][:1]
    with pytest.raises(DomainError) as caught:
        model.predict([CategoryInput(vector, OTHER)])
    assert ONE in caught.value.detail
    assert OTHER in caught.value.detail
    assert model.predict([CategoryInput(vector, ONE)]) == model.predict([CategoryInput(vector)])


def test_vectors_of_two_embedding_versions_are_not_learned_from() -> None:
    mixed = Examples(pd.concat([clouds(2).rows, clouds(2, embedding=OTHER).rows]))
    with pytest.raises(DomainError, match="several embedding versions"):
        head(mixed)


def test_one_category_is_nothing_to_tell_apart() -> None:
    with pytest.raises(DomainError, match="two categories"):
        head(Examples(clouds(2).rows[::2]))


def test_a_category_with_a_single_picture_is_learned_too() -> None:
    rows = clouds(3).rows
    once = Examples(pd.concat([rows[rows["category"] != "kind 2"], rows[rows["category"] == "kind 2"][:1]]))
    model = head(once)
    assert "kind 2" in {
        one.category for one in model.predict([CategoryInput(once.rows["vector"].iloc[-1])])[0].categories
    }


def test_no_more_than_five_categories_are_shown_and_a_short_vector_is_filled_up() -> None:
    [output] = head(clouds(7), c=1).predict([CategoryInput((0.0, 1.0), ONE)])
    assert len(output.categories) == 5
    assert output.categories[0].category == "kind 1"
    assert output.confidence == output.categories[0].confidence


@pytest.mark.parametrize("c", [-1.0, float("nan")])
def test_a_strength_that_is_none_is_refused(c: float) -> None:
    with pytest.raises(Invalid, match="c must be"):
        head(clouds(2), c=c)
