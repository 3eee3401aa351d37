"""Who gets which variant: evenly, by weight, the same each time, and nobody moves when more users are let in."""

import timeit
from collections import Counter

import numpy as np
import pytest

from experiments.assignment import Rules, assign
from tests.experiments.asking import person

USERS = range(1, 100_001)
HALVES = (1.0, 1.0)
ONE_IN_A_MILLION = {1: 23.9, 3: 30.7, 9: 45.1, 19: 63.7}  # chi-square is above this so rarely, by degrees of freedom


def variants(salt: str, *, traffic: float = 1.0, weights: tuple[float, ...] = HALVES) -> list[int | None]:
    return [assign(salt, user, traffic=traffic, weights=weights) for user in USERS]


def chi_square(observed: list[float], expected: list[float]) -> float:
    return float(sum((np.array(observed) - expected) ** 2 / np.array(expected)))


@pytest.mark.parametrize("salt", ["", "a", "0123456789abcdef", "solde d'été ☃"])
@pytest.mark.parametrize("weights", [HALVES, (1.0,) * 10, (1.0, 2.0, 3.0, 94.0), (0.001, 0.003)])
def test_users_are_spread_by_the_weights(salt: str, weights: tuple[float, ...]) -> None:
    found = Counter(variants(salt, weights=weights))
    assert set(found) == set(range(len(weights)))
    expected = [len(USERS) * weight / sum(weights) for weight in weights]
    observed = [float(found[place]) for place in range(len(weights))]
    assert chi_square(observed, expected) < ONE_IN_A_MILLION[len(weights) - 1]


def test_a_user_gets_the_same_one_each_time_and_in_each_release() -> None:
    found = [assign("salt", user, traffic=0.8, weights=(1, 1, 2)) for user in range(12)]
    assert found == [2, 2, 2, 2, 2, None, 2, 2, 2, None, 1, 0]


def test_tests_with_different_salts_divide_the_users_independently() -> None:
    both = Counter(zip(variants("one"), variants("two"), strict=True))
    assert chi_square([float(both[cell]) for cell in [(0, 0), (0, 1), (1, 0), (1, 1)]], [25_000] * 4) < 30.7


@pytest.mark.slow
def test_a_million_users_are_divided_evenly_and_by_two_tests_independently() -> None:
    quarters = (1.0,) * 4
    both = Counter(
        (assign("one", user, traffic=0.5, weights=quarters), assign("two", user, traffic=1.0, weights=quarters))
        for user in range(1_000_000)
    )
    shares = {None: 0.5, 0: 0.125, 1: 0.125, 2: 0.125, 3: 0.125}  # of the first test, half of whom take no part
    cells = [(first, second) for first in shares for second in range(4)]
    expected = [1_000_000 * shares[first] / 4 for first, _ in cells]
    assert chi_square([float(both[cell]) for cell in cells], expected) < ONE_IN_A_MILLION[19]


def test_who_takes_part_says_nothing_of_the_variant() -> None:
    everybody = variants("salt")
    inside = [variant for variant in variants("salt", traffic=0.1) if variant is not None]
    assert abs(np.mean(inside) - np.mean([one for one in everybody if one is not None])) < 0.025


def test_letting_more_users_in_moves_nobody() -> None:
    shares = [0.0, 0.01, 0.1, 0.5, 0.99, 1.0]
    steps = [variants("salt", traffic=share) for share in shares]
    for user_steps in zip(*steps, strict=True):
        inside = [variant for variant in user_steps if variant is not None]
        assert len(set(inside)) == 1
        assert user_steps[len(shares) - len(inside) :] == tuple(inside)  # who is in stays in


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_the_share_is_kept(share: float) -> None:
    inside = sum(variant is not None for variant in variants("salt", traffic=share))
    expected = [len(USERS) * share, len(USERS) * (1 - share)]
    assert chi_square([inside, len(USERS) - inside], expected) < ONE_IN_A_MILLION[1]


def test_who_met_a_variant_keeps_it_and_nobody_else_is_moved() -> None:
    rules = Rules(salt="salt", traffic=0.5, audience="everyone", signed_up_before=None, variants=(7, 9), weights=HALVES)
    for user in range(200):
        hashed = rules.variant_of(person(user), None)
        assert hashed in (7, 9, None)
        for met in (7, 9):
            assert rules.variant_of(person(user), met) == (None if hashed is None else met)


def test_outside_of_the_share_there_is_no_variant() -> None:
    assert set(variants("salt", traffic=0.0)) == {None}
    assert None not in variants("salt", traffic=1.0)


def test_one_variant_is_everybodys() -> None:
    assert set(variants("salt", weights=(0.1,))) == {0}


def test_ids_and_salts_that_look_alike_are_told_apart() -> None:
    many = (1.0,) * 1_000
    found = {
        assign(salt, user, traffic=1, weights=many) for salt, user in [("a", 11), ("a1", 1), ("a:1", 1), ("a", -11)]
    }
    assert len(found) == 4


def test_it_takes_under_five_microseconds() -> None:
    call = lambda: assign("0123456789abcdef", 123_456, traffic=1.0, weights=HALVES)  # noqa: E731
    assert min(timeit.repeat(call, number=2_000, repeat=20)) / 2_000 < 5e-6
