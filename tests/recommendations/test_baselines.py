"""What a recommender must beat, and what all of these keep to."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments.mltask import Examples, no_progress
from recommendations.ml.baselines import BASELINES, Popularity, Random, Tutorial, expected_recall
from recommendations.ml.metrics import hits, recall
from recommendations.ml.recommend import Rated, RecommendInput

STARS = {
    "ann": {1: 5.0, 2: 4.0},
    "bob": {1: 5.0, 2: 4.0, 3: 4.0, 4: 5.0},
    "cleo": {2: 4.0, 4: 4.5, 5: 4.0, 6: 3.5},
    "dora": {7: 5.0},
}


def examples(stars: dict[str, dict[int, float]] = STARS) -> Examples:
    rows = [(user, product, "rating", value) for user, given in stars.items() for product, value in given.items()]
    rows.append(("dora", 9, "view", 0.0))
    products = pd.DataFrame({"product": range(1, 11), "name": "", "category": "", "description": ""})
    return Examples(pd.DataFrame(rows, columns=["unit", "product", "kind", "value"]), {"products": products})


def history(user: str) -> tuple[Rated, ...]:
    return tuple(Rated(product, value) for product, value in STARS[user].items())


def ranked(model: Any, *batch: RecommendInput) -> Sequence[list[int]]:
    return [[one.product for one in output.products] for output in model.predict(batch)]


@pytest.fixture(params=BASELINES)
def model(request: Any) -> Any:
    return BASELINES[request.param]().fit(examples(), progress=no_progress)


def test_rated_excluded_and_forbidden_products_are_never_ranked(model: Any) -> None:
    asked = [
        RecommendInput(history("ann"), n=100),
        RecommendInput(history("ann"), n=100, exclude=(4,)),
        RecommendInput(history("ann"), n=100, allowed=(2, 3, 5, 99)),
        RecommendInput(history("ann"), n=1),
    ]
    free, excluded, allowed, short = ranked(model, *asked)
    assert free and not {1, 2} & set(free)
    assert 4 in free and 4 not in excluded
    assert set(allowed) <= {3, 5, 99}
    assert len(short) == 1
    assert all(len(set(one)) == len(one) for one in (free, excluded, allowed))


def test_a_batch_is_answered_as_its_singles_are(model: Any) -> None:
    batch = [RecommendInput(history(user), n=5) for user in STARS]
    assert ranked(model, *batch) == [ranked(model, one)[0] for one in batch]
    assert model.predict([]) == []


def test_popularity_ranks_by_how_many_rated() -> None:
    model = Popularity().fit(examples(), progress=no_progress)
    assert ranked(model, RecommendInput(n=10)) == [[2, 1, 4, 3, 5, 6, 7]]


def test_the_tutorial_asks_the_nearest_others_and_orders_by_their_stars() -> None:
    model = Tutorial().fit(examples(), progress=no_progress)
    # nearest to ann is bob (4 at 5 stars, 3 at 4), then cleo (4 at 4.5, 5 at 4; 6 at 3.5 is not over 3.5), then dora
    assert ranked(model, RecommendInput(history("ann"), n=10)) == [[4, 7, 3, 5]]


def test_the_tutorial_answers_as_its_own_lines_do() -> None:
    draw = np.random.default_rng(3)
    stars = {
        f"user {user}": {int(one): float(draw.integers(1, 11)) / 2 for one in draw.choice(40, 12, replace=False)}
        for user in range(30)
    }
    model = Tutorial().fit(examples(stars), progress=no_progress)
    for user in ("user 0", "user 17"):
        asked = RecommendInput(tuple(Rated(*one) for one in stars[user].items()), n=20)
        assert ranked(model, asked) == [tutorial(stars, user)[:20]]


def tutorial(stars: dict[str, dict[int, float]], user: str) -> list[int]:
    """yardstick/tutorial_service.py, each product once."""
    matrix = pd.DataFrame(stars).T.sort_index(axis=1).fillna(0)
    values = matrix.to_numpy()
    mine = matrix.loc[user].to_numpy()
    similar = values @ mine / np.linalg.norm(values, axis=1) / np.linalg.norm(mine)
    found = []
    for row in similar.argsort()[::-1][1:11]:
        liked = matrix.iloc[row]
        found += [(product, rating) for product, rating in liked[liked > 3.5].items() if matrix.loc[user, product] == 0]
    found.sort(key=lambda one: one[1], reverse=True)
    return list(dict.fromkeys(int(product) for product, _ in found))


def test_the_tutorial_says_nothing_to_whom_it_does_not_know() -> None:
    model = Tutorial().fit(examples(), progress=no_progress)
    assert ranked(model, RecommendInput(), RecommendInput((Rated(99, 5.0),))) == [[], []]
    assert ranked(model, RecommendInput(), RecommendInput(history("ann"), n=1)) == [[], [4]]


def test_random_draws_from_the_whole_catalogue_and_anew_for_another_history() -> None:
    model = Random().fit(examples(), progress=no_progress)
    asked = [RecommendInput((Rated(product, 5.0),), n=3) for product in range(1, 11)]
    found = ranked(model, *asked)
    assert found == ranked(model, *asked)
    assert len({tuple(one) for one in found}) > 5
    assert {product for one in found for product in one} == set(range(1, 11))


def test_random_may_draw_products_that_it_never_saw() -> None:
    model = Random().fit(examples(), progress=no_progress)
    [found] = ranked(model, RecommendInput(allowed=(50, 51, 52), n=10))
    assert sorted(found) == [50, 51, 52]


def test_the_expected_recall_of_chance_is_what_chance_has_on_average() -> None:
    assert expected_recall(np.array([1, 10, 30]), 100, 20) == pytest.approx([0.2, 0.2, 20 * 0.3 / 20])
    assert expected_recall(np.array([2]), 5, 20) == pytest.approx([1])
    relevant = [np.arange(7)] * 4_000
    draw = np.random.default_rng(0)
    lots = np.stack([draw.permutation(50)[:5] for _ in relevant])
    measured = recall(hits(lots, relevant), np.full(4_000, 7), 5).mean()
    assert measured == pytest.approx(expected_recall(np.array([7]), 50, 5)[0], rel=0.05)
