"""What is learned from what: each example is left out by some members, and nothing that is measured was learned."""

import numpy as np
import pytest

from experiments.mltask import Examples
from pricing.ml.lessons import MEMBERS, PARTS, Lessons
from pricing.ml.price import COLUMNS, TARGET
from pricing.ml.tabular import OTHER, Preprocessing
from tests.pricing.conftest import LEVELS, homes


def lessons(examples: Examples) -> tuple[Lessons, Preprocessing]:
    values = {name: examples.rows[name].to_numpy(float) for name in (*COLUMNS, TARGET[0])}
    places = list(examples.rows["location"])
    read = Preprocessing.of(COLUMNS, TARGET, values, places)
    return Lessons.of(examples, read, places, seed=0), read


FOUND, READ = lessons(homes(1_000))


def test_every_row_is_left_out_by_one_member_of_each_deal_or_by_all() -> None:
    deals = FOUND.left_out.reshape(-1, MEMBERS // PARTS, PARTS).sum(axis=2)
    assert (deals[~FOUND.validation] == 1).all()
    assert (deals[FOUND.validation] == PARTS).all()
    assert FOUND.validation[: FOUND.rows].mean() == pytest.approx(0.05, abs=0.001)


def test_what_belongs_together_is_left_out_together() -> None:
    examples = homes(400)
    unit = np.arange(400) // 4
    found, _ = lessons(Examples(examples.rows.assign(unit=unit)))
    for one in (found.left_out, found.validation[:, None]):
        first = one[:400].reshape(100, 4, -1)
        assert (first == first[:, :1]).all()


def test_some_rows_are_there_again_without_their_place_and_left_out_by_the_same() -> None:
    assert len(FOUND.places) == 1_000 + 50
    assert (FOUND.places[1_000:] == OTHER).all()
    for number, row in zip(FOUND.numbers[1_000:], range(1_000, 1_050), strict=True):
        same = np.flatnonzero((FOUND.numbers[:1_000] == number).all(axis=1))
        assert any((FOUND.left_out[one] == FOUND.left_out[row]).all() for one in same)


def test_places_that_are_seen_seldom_have_no_number_of_their_own() -> None:
    assert READ.locations == tuple(LEVELS)
    alone = np.array([place.startswith("alone") for place in homes(1_000).rows["location"]])
    assert (FOUND.places[:1_000][alone] == OTHER).all()
    assert (FOUND.places[:1_000][~alone] > OTHER).all()


def test_scores_are_by_the_members_that_left_the_row_out() -> None:
    each = np.zeros((len(FOUND.places), MEMBERS, 2))
    each[:, :, 0] = np.where(FOUND.left_out, FOUND.truth[:, None] - 1, 99.0)
    each[:, :, 1] = np.where(FOUND.left_out, np.log(2), 99.0)
    scores = FOUND.scores(each)
    assert len(scores) == 950
    assert scores == pytest.approx(np.full(950, 0.5))
    assert FOUND.scores(each[:, :PARTS]) == pytest.approx(scores)


def test_numbers_and_prices_are_read_around_their_means() -> None:
    rows = FOUND.numbers[: FOUND.rows]
    assert rows.mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-9)
    assert rows.std(axis=0) == pytest.approx(np.ones(3))
    assert FOUND.truth[: FOUND.rows].std() == pytest.approx(1)


def test_preprocessing_comes_back_from_its_dictionary() -> None:
    assert Preprocessing.from_dict(READ.to_dict()) == READ
