"""How parts make one score, and the best of them a list."""

import numpy as np
import pytest

from recommendations.ml.blend import Blend, Chosen, Fading, Parts, blended, popularity, top
from tests.recommendations.parts import Next, Nothing, parts


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


def test_a_product_that_stands_in_many_lists_is_held_back_as_far_as_the_blend_says() -> None:
    found = np.array([[4.0, 3.0, 1.0], [0, 0, 0], [0, 0, 0]])
    known = Parts(Nothing(), Nothing(), np.zeros(3), crowd=np.log1p([99, 0, 0]))
    assert blended(found, Blend(), known.held_back(0.0)).tolist() == [4, 3, 1]
    assert blended(found, Blend(spread=0.5), known.held_back(0.5)) == pytest.approx([0.4, 3, 1])


def test_a_product_that_no_part_that_counts_speaks_for_has_no_score() -> None:
    found = np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 2.0], [3.0, 3.0, 3.0]])
    assert blended(found, Blend(1.0, 0.0, 0.0), np.ones(3)).tolist() == [1, -np.inf, -np.inf]
    assert blended(found, Blend(1.0, 1.0, 0.0), np.ones(3)).tolist() == [1, -np.inf, 2]
