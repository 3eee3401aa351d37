"""What customers did as arrays, and the rows that look ahead."""

import numpy as np
import pandas as pd
import pytest

from experiments.mltask import Examples
from recommendations.ml.choosing import earlier
from recommendations.ml.sequences import MOST_STRENGTH, Sequences, sequences
from recommendations.ml.transitions import AHEAD, training_rows

COLUMNS = ["unit", "product", "kind", "value", "at"]


def of(*rows: tuple[str, int, str, float, float], products: tuple[int, ...] = ()) -> Sequences:
    side = {"products": pd.DataFrame({"product": products})} if products else {}
    return sequences(Examples(pd.DataFrame(rows, columns=COLUMNS), side))


def liked_in_turn(count: int) -> Sequences:
    return of(*[("ann", number, "rating", 4.0, float(number)) for number in range(count)])


def test_rows_are_in_order_of_user_and_time_and_know_how_many_came_later() -> None:
    found = of(
        ("bob", 7, "rating", 4.0, 5.0), ("ann", 7, "rating", 2.0, 3.0), ("ann", 5, "view", 0.0, 2.0),
        ("ann", 9, "rating", 5.0, 1.0), ("ann", 9, "cart", 0.0, 4.0),
    )  # fmt: skip
    assert found.products.tolist() == [5, 7, 9]
    assert found.users.tolist() == [0, 0, 0, 0, 1]
    assert found.items.tolist() == [2, 0, 1, 2, 1]
    assert found.stars.tolist() == [5, 0, 2, 0, 4]
    assert found.age.tolist() == [1, 1, 0, 0, 0]  # ratings and events each by themselves


def test_a_rating_shows_how_much_is_liked_and_an_event_a_share_of_it() -> None:
    found = of(
        ("ann", 1, "rating", 5.0, 1.0), ("ann", 2, "rating", 4.0, 2.0), ("ann", 3, "rating", 3.5, 3.0),
        ("ann", 4, "rating", 3.0, 4.0), ("ann", 5, "purchase", 0.0, 5.0), ("ann", 6, "view", 0.0, 6.0),
    )  # fmt: skip
    assert found.strength(0.2, 0.5) == pytest.approx([5 / 3, 1, 2 / 3, 0.2, 0.5, 0.05])


def test_what_adds_up_for_one_product_has_a_bound() -> None:
    found = of(("ann", 1, "rating", 5.0, 1.0), ("ann", 1, "purchase", 0.0, 2.0), ("ann", 1, "cart", 0.0, 3.0))
    assert found.matrix(found.strength(0, 1)).toarray().tolist() == [[pytest.approx(MOST_STRENGTH)]]


def test_what_is_done_again_counts_once() -> None:
    found = of(*[("ann", 1, "view", 0.0, float(at)) for at in range(5)], ("ann", 2, "view", 0.0, 2.5))
    assert (found.items.tolist(), found.age.tolist()) == ([1, 0], [1, 0])


def test_products_without_a_row_are_in_the_catalogue_and_rows_without_a_product_are_left_out() -> None:
    found = of(("ann", 1, "rating", 5.0, 1.0), ("ann", 8, "rating", 5.0, 2.0), products=(3, 1, 2))
    assert found.products.tolist() == [1, 2, 3]
    assert found.items.tolist() == [0]


def test_nothing_at_all_is_no_error() -> None:
    found = of()
    assert (found.user_count, len(found.products)) == (0, 0)
    assert found.matrix(found.strength(0, 0)).shape == (0, 0)
    assert not len(earlier(found))


@pytest.mark.parametrize(("count", "before"), [(4, 4), (5, 4), (9, 7), (10, 8)])
def test_the_last_fifth_of_a_customers_ratings_is_kept_back(count: int, before: int) -> None:
    assert earlier(liked_in_turn(count)).tolist() == [True] * before + [False] * (count - before)


def test_events_after_what_is_kept_back_are_kept_back_too() -> None:
    rows = [("ann", number, "rating", 4.0, float(number)) for number in range(5)]
    found = of(*rows, ("ann", 50, "view", 0.0, 3.5), ("ann", 51, "view", 0.0, 4.5))
    assert earlier(found).tolist() == [True, True, True, True, True, False, False]


def test_a_part_of_the_rows_has_its_own_ages_and_users() -> None:
    found = of(
        *[(user, number, "rating", 4.0, float(number)) for user in ("ann", "bob", "cleo") for number in range(3)]
    )
    part = found.taken(np.array([True, True, False, False, False, False, True, False, True]))
    assert part.users.tolist() == [0, 0, 1, 1]
    assert part.age.tolist() == [1, 0, 1, 0]


def test_a_short_history_gives_one_row_and_a_longer_one_is_cut_too() -> None:
    short, long = liked_in_turn(9), liked_in_turn(30)
    assert [part.shape[0] for part in training_rows(short, short.strength(0, 0), 0.5)] == [1, 1]
    inputs, targets = training_rows(long, long.strength(0, 0), 0.5)
    assert inputs.shape == targets.shape == (1 + 10, 30)  # a cut for every third rating


def test_what_lies_before_a_cut_fades_and_what_follows_it_is_the_target() -> None:
    found = liked_in_turn(40)
    inputs, targets = (part.toarray() for part in training_rows(found, found.strength(0, 0), 0.5))
    assert inputs[0].tolist() == targets[0].tolist() == [1.0] * 40
    for before, after in zip(inputs[1:], targets[1:], strict=True):
        cut = int(np.flatnonzero(before)[-1]) + 1
        assert before[cut - 1] == pytest.approx(0.5)
        assert (np.diff(before[:cut]) > 0).all()
        assert after.tolist() == [0.5 if cut <= place < cut + AHEAD else 0.0 for place in range(40)]
