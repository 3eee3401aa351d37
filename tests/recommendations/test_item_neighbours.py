"""The collaborative filter against numbers worked out by hand."""

from math import sqrt

import pandas as pd
import pytest

from experiments.errors import DomainError
from experiments.mltask import Examples, no_progress
from recommendations.ml.recommend import ItemNeighbours, Ranked, Rated, RecommendInput

# Who liked what:  ann 1 2 4   bob 1 2   cleo 1 3   dan 2 4
# Liked by:        1: 3   2: 3   3: 1   4: 2
# Liked together:  1 2: 2   1 3: 1   1 4: 1   2 4: 2
LIKED = {"ann": (1, 2, 4), "bob": (1, 2), "cleo": (1, 3), "dan": (2, 4)}
COSINE = {(1, 2): 2 / 3, (1, 3): 1 / sqrt(3), (1, 4): 1 / sqrt(6), (2, 4): 2 / sqrt(6)}


def examples(value: float = 5.0) -> pd.DataFrame:
    rows = [(user, product, value) for user, products in LIKED.items() for product in products]
    return pd.DataFrame(rows, columns=["unit", "product", "value"])


def fit(rows: pd.DataFrame | None = None, **params: float) -> ItemNeighbours:
    model = ItemNeighbours(**{"shrink": 0, **params})
    return model.fit(Examples(examples() if rows is None else rows), progress=no_progress)


def ask(model: ItemNeighbours, *rated: tuple[int, float], **more: object) -> tuple[Ranked, ...]:
    [output] = model.predict([RecommendInput(tuple(Rated(*one) for one in rated), **more)])
    return output.products


def approx(product: int, score: float, predicted_rating: float, similarity: float, because: int) -> Ranked:
    close = (pytest.approx(number, rel=1e-6) for number in (score, predicted_rating, similarity))
    return Ranked(product, *close, because)


def test_one_rating_ranks_products_by_the_cosine_of_who_liked_them() -> None:
    assert ask(fit(), (1, 5.0)) == (
        approx(2, COSINE[1, 2] * 2.5, 5.0, COSINE[1, 2], 1),
        approx(3, COSINE[1, 3] * 2.5, 5.0, COSINE[1, 3], 1),
        approx(4, COSINE[1, 4] * 2.5, 5.0, COSINE[1, 4], 1),
    )


def test_a_similarity_shrinks_where_few_liked_both() -> None:
    shrunk = {(1, 2): COSINE[1, 2] * 2 / 12, (1, 3): COSINE[1, 3] * 1 / 11, (1, 4): COSINE[1, 4] * 1 / 11}
    found = ask(fit(shrink=10), (1, 5.0))
    assert [one.similarity for one in found] == pytest.approx(list(shrunk.values()), rel=1e-6)
    half = ask(fit(shrink=2), (1, 5.0))[0]
    assert half.similarity == pytest.approx(COSINE[1, 2] / 2)


def test_several_ratings_add_up_and_the_one_that_adds_most_is_the_reason() -> None:
    three, four = COSINE[1, 3] * 0.5, COSINE[1, 4] * 0.5 + COSINE[2, 4] * 2.0
    stars = (COSINE[1, 4] * 3.0 + COSINE[2, 4] * 4.5) / (COSINE[1, 4] + COSINE[2, 4])
    assert ask(fit(), (1, 3.0), (2, 4.5)) == (
        approx(4, four, stars, COSINE[2, 4], 2),
        approx(3, three, 3.0, COSINE[1, 3], 1),
    )


def test_a_disliked_product_speaks_for_nothing_but_lowers_the_predicted_stars() -> None:
    assert ask(fit(), (1, 2.5)) == ()
    [first, *_] = ask(fit(), (2, 5.0), (1, 1.0))
    stars = (COSINE[2, 4] * 5.0 + COSINE[1, 4] * 1.0) / (COSINE[2, 4] + COSINE[1, 4])
    assert first == approx(4, COSINE[2, 4] * 2.5, stars, COSINE[2, 4], 2)


def test_only_ratings_from_the_threshold_on_are_learned_from() -> None:
    rows = pd.concat([examples(), pd.DataFrame({"unit": ["ann"], "product": [3], "value": [3.0]})])
    assert ask(fit(rows), (1, 5.0)) == ask(fit(), (1, 5.0))
    assert ask(fit(rows, liked_from=3.0), (1, 5.0)) != ask(fit(), (1, 5.0))


def test_a_product_is_only_found_through_its_nearest_neighbours() -> None:
    nearest = fit(neighbours=1)  # of 1 that is 2, of 2 it is 4, of 3 it is 1, of 4 it is 2
    assert [[one.product for one in ask(nearest, (rated, 5.0))] for rated in (1, 2, 3, 4)] == [[3], [4, 1], [], [2]]


def test_rated_and_excluded_products_are_not_ranked() -> None:
    assert [one.product for one in ask(fit(), (1, 5.0), exclude=(2, 99))] == [3, 4]
    assert [one.product for one in ask(fit(), (1, 5.0), (2, 1.0), (3, 4.0))] == [4]


@pytest.mark.parametrize(
    ("allowed", "found"), [(None, [2, 3, 4]), ((4, 3, 99), [3, 4]), ((1,), []), ((99,), []), ((), [])]
)
def test_only_allowed_products_are_ranked(allowed: tuple[int, ...] | None, found: list[int]) -> None:
    assert [one.product for one in ask(fit(), (1, 5.0), allowed=allowed)] == found


@pytest.mark.parametrize("n", [1, 2, 3, 100])
def test_there_are_never_more_than_asked_for(n: int) -> None:
    assert ask(fit(), (1, 5.0), n=n) == ask(fit(), (1, 5.0))[:n]


def test_equal_scores_are_in_order_of_id_whatever_the_order_of_the_rows() -> None:
    rows = pd.DataFrame([(user, product, 5.0) for user in "ab" for product in (9, 3, 7, 1)])
    rows.columns = ["unit", "product", "value"]
    for mixed in (rows, rows[::-1], rows.sample(frac=1, random_state=1)):
        assert [one.product for one in ask(fit(mixed), (7, 5.0))] == [1, 3, 9]


def test_of_a_product_that_was_rated_twice_the_newest_rating_counts() -> None:
    assert ask(fit(), (1, 5.0), (1, 1.0), (1, 3.0)) == ask(fit(), (1, 5.0))
    assert ask(fit(), (1, 1.0), (1, 5.0)) == ()


def test_unknown_products_in_the_history_say_nothing() -> None:
    assert ask(fit(), (99, 5.0), (1, 4.0), (-1, 1.0)) == ask(fit(), (1, 4.0))
    assert ask(fit(), (99, 5.0)) == ()


def test_an_empty_history_gives_nothing() -> None:
    assert ask(fit()) == ()


def test_a_product_that_was_liked_alone_is_like_no_other() -> None:
    rows = pd.DataFrame([("ann", 1, 5.0), ("bob", 2, 5.0)], columns=["unit", "product", "value"])
    assert ask(fit(rows), (1, 5.0)) == ()


@pytest.mark.parametrize("rows", [examples()[:0], examples(value=3.0)])
def test_without_anything_liked_there_is_nothing_to_learn_from(rows: pd.DataFrame) -> None:
    with pytest.raises(DomainError, match=r"Nobody rated anything 3\.5 or more"):
        fit(rows)
