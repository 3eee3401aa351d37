"""How parts make one score, and how the numbers in it are chosen."""

import numpy as np
import pandas as pd
import pytest

from experiments.mltask import Examples
from recommendations.ml.blend import Blend, Chosen, Fading, Parts, choose, earlier, popularity, top
from recommendations.ml.content import Content
from recommendations.ml.sequences import Floats, Ints, sequences

COUNT = 60


class Next:
    """Knows the truth: after product k comes k + 1."""

    def scores(self, places: Ints, weights: Floats) -> Floats:
        return np.bincount((places + 1) % COUNT, weights, COUNT)


class Nothing:
    def scores(self, places: Ints, weights: Floats) -> Floats:
        return np.zeros(COUNT)


def parts(collaborative: object) -> Parts:
    words = pd.DataFrame({"product": range(COUNT), "name": "lamp", "category": "", "description": ""})
    return Parts(collaborative, Content().fit(words), np.zeros(COUNT))


def walks() -> Examples:
    """Everybody walks on from product to product, from a place of their own."""
    rows = [(u, (7 * u + at) % COUNT, "rating", 5.0, float(at)) for u in range(40) for at in range(10 + u % 3)]
    return Examples(pd.DataFrame(rows, columns=["unit", "product", "kind", "value", "at"]))


@pytest.mark.parametrize(
    ("scores", "n", "found"),
    [
        ([0.1, 0.3, 0.2], 2, [1, 2]),
        ([0.1, 0.3, 0.2], 9, [1, 2, 0]),
        ([0.5, -np.inf, -1.0, 0.5], 4, [3, 0, 2]),
        ([0.5, 0.5, 0.5, 0.5], 2, [3, 2]),
        ([-np.inf, -np.inf], 2, []),
        ([], 3, []),
    ],
)
def test_the_best_come_first_equal_ones_by_id_and_nothing_without_a_score(
    scores: list[float], n: int, found: list[int]
) -> None:
    ids = np.arange(len(scores))[::-1] + 10
    assert top(np.array(scores), n, ids).tolist() == found


def test_each_part_is_scored_in_units_of_its_own_deviation() -> None:
    found, deviations = parts(Next()).scores(np.array([3, 8]), np.array([1.0, 2.0]))
    assert found[0].std() == pytest.approx(1)
    assert found[0][[4, 9]] * deviations[0] == pytest.approx([1, 2])
    assert not found[2].any()


def test_a_part_that_knows_nothing_of_a_history_has_no_score() -> None:
    found, deviations = parts(Nothing()).scores(np.array([3]), np.array([1.0]))
    assert (found[0].any(), deviations[0]) == (False, 0)
    nobody, deviations = parts(Next()).scores(np.zeros(0, int), np.zeros(0))
    assert (nobody[:2].any(), deviations.tolist()) == (False, [0, 0, 1])


def test_what_is_popular_is_on_a_log_scale() -> None:
    found = popularity(np.array([[1.0, 1, 0], [1.0, 0, 0], [1.0, 0, 0]]))
    assert found.std() == pytest.approx(1)
    assert found[0] / found[1] == pytest.approx(np.log(4) / np.log(2))
    assert popularity(np.zeros((2, 3))).tolist() == [0, 0, 0]


def test_a_rating_fades_with_those_that_came_after_it() -> None:
    weights = Fading(10.0, -0.2, 0.5).weights(
        np.array([5.0, 4.0, 1.0, 0.0]), np.array([0, 0, 0, 1.0]), np.array([0, 10, 20, 0])
    )
    assert weights == pytest.approx([5 / 3, 0.5, -0.05, 0.5])


def test_the_blend_is_that_of_histories_of_this_length() -> None:
    few, some, many = (Blend(collaborative=float(number)) for number in (1, 2, 3))
    chosen = Chosen(blends=(few, some, many))
    assert [chosen.blend(size) for size in (0, 1, 4, 5, 19, 20, 400)] == [few, few, few, some, some, many, many]


def test_chosen_numbers_come_back_from_json() -> None:
    chosen = Chosen(Fading(50.0, 0.2, 1.0), (Blend(1.0, 0.2, -0.1), Blend(0.5), Blend(popular=1.0)))
    assert Chosen.from_json(chosen.to_json()) == chosen


def test_where_the_last_product_tells_the_next_one_old_ratings_are_made_to_fade_fast() -> None:
    found = sequences(walks())
    assert choose(parts(Next()), found, earlier(found)).fading.half_life == 50


def test_a_part_that_says_nothing_true_gets_no_share() -> None:
    found = sequences(walks())
    chosen = choose(parts(Next()), found, earlier(found))
    assert [blend.collaborative for blend in chosen.blends] == [1, 1, 1]


def test_what_is_popular_gets_a_share_where_it_helps() -> None:
    rows = [(u, p, "rating", 5.0, float(p)) for u in range(30) for p in [*range(u % 5, 25, 5), 55, 56, 57, 58, 59]]
    found = sequences(
        Examples(
            pd.DataFrame(rows, columns=["unit", "product", "kind", "value", "at"]),
            {"products": pd.DataFrame({"product": range(COUNT)})},
        )
    )
    known = parts(Nothing())
    popular = Parts(known.collaborative, known.content, popularity(found.matrix(found.strength(0, 0))))
    assert all(blend.popular > 0 for blend in choose(popular, found, earlier(found)).blends)


def test_without_anybody_to_choose_on_the_defaults_stand() -> None:
    few = sequences(Examples(walks().rows[:3]))
    assert choose(parts(Next()), few, earlier(few)) == Chosen()
