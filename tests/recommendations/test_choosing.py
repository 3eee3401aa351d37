"""How the numbers of a recommender are chosen on ratings that were kept back."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from experiments.mltask import Examples
from recommendations.ml import choosing
from recommendations.ml.blend import Blend, Chosen, popularity
from recommendations.ml.choosing import choose, crowd, earlier
from recommendations.ml.sequences import Floats, Ints, sequences
from tests.recommendations.parts import COUNT, Next, Nothing, parts


def walks() -> Examples:
    """Everybody walks on from product to product, from a place of their own."""
    rows = [(u, (7 * u + at) % COUNT, "rating", 5.0, float(at)) for u in range(40) for at in range(10 + u % 3)]
    return Examples(pd.DataFrame(rows, columns=["unit", "product", "kind", "value", "at"]))


def test_where_the_last_product_tells_the_next_one_old_ratings_are_made_to_fade_fast() -> None:
    found = sequences(walks())
    assert choose(parts(Next()), found, earlier(found)).fading.half_life == 50


def test_a_part_gets_no_share_where_it_only_misleads() -> None:
    found = sequences(walks())
    misled = replace(parts(Next()), popular=np.random.default_rng(0).permutation(COUNT) / 10)
    assert [blend.popular for blend in choose(misled, found, earlier(found)).blends] == [0, 0, 0]


def test_what_is_popular_gets_a_share_where_it_helps() -> None:
    rows = [(u, p, "rating", 5.0, float(p)) for u in range(30) for p in [*range(u % 5, 25, 5), 55, 56, 57, 58, 59]]
    found = sequences(
        Examples(
            pd.DataFrame(rows, columns=["unit", "product", "kind", "value", "at"]),
            {"products": pd.DataFrame({"product": range(COUNT)})},
        )
    )
    popular = replace(parts(Nothing()), popular=popularity(found.matrix(found.strength(0, 0))))
    assert all(blend.popular > 0 for blend in choose(popular, found, earlier(found)).blends)


def test_without_anybody_to_choose_on_the_defaults_stand() -> None:
    few = sequences(Examples(walks().rows[:3]))
    assert choose(parts(Next()), few, earlier(few)) == Chosen()


class Famous:
    """Sure of what comes next; then it says what everybody hears, and a little lower what suits this customer."""

    def scores(self, places: Ints, weights: Floats) -> Floats:
        found = np.where(np.arange(COUNT) < 20, 1.0, 0.1)
        last = places[weights.argmax()]
        found[(last + np.arange(2, 12)) % COUNT] = 0.9
        found[(last + 1) % COUNT] = 5
        return found


@pytest.fixture
def short_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "LONG", 12)


def test_what_stands_in_everybodys_list_is_held_back_where_that_costs_nothing(short_lists: None) -> None:
    found = sequences(walks())
    assert choose(parts(Famous()), found, earlier(found)).blends[-1].spread > 0


class TheSameForAll:
    def scores(self, places: Ints, weights: Floats) -> Floats:
        return np.where(np.arange(COUNT) < 10, 1.0, 0.9)


def test_nothing_is_held_back_where_everybody_does_want_the_same(short_lists: None) -> None:
    wanted = [(user, [*range(20 + user % 9, 40), *range(10)]) for user in range(40)]
    rows = [(user, one, "rating", 5.0, float(at)) for user, ones in wanted for at, one in enumerate(ones)]
    found = sequences(
        Examples(
            pd.DataFrame(rows, columns=["unit", "product", "kind", "value", "at"]),
            {"products": pd.DataFrame({"product": range(COUNT)})},
        )
    )
    assert choose(parts(TheSameForAll()), found, earlier(found)).blends[-1].spread == 0


def test_the_crowd_is_the_log_of_the_number_of_long_lists_a_product_stands_in() -> None:
    found = sequences(walks())
    lists = np.expm1(crowd(parts(Famous()), found, Chosen(blends=(Blend(),) * 3)))
    assert choosing.LONG > COUNT  # so each list holds all that the customer does not know
    assert lists.round().tolist() == (40 - np.bincount(found.items, minlength=COUNT)).tolist()
