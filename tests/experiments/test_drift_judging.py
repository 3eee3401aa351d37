"""Whether two windows differ by enough to matter: Evidently's choice of a method, one correction, and what chance
does.
"""

from typing import Any

import numpy as np
import pytest

from experiments.drift.columns import Column
from experiments.drift.judging import LEAST, Finding, judge, method_of

SEEDS = range(60)


def numbers(reference: Any, current: Any, name: str = "a") -> Column:
    return Column(name, "number", np.asarray(reference, float), np.asarray(current, float))


def labels(reference: Any, current: Any, name: str = "a") -> Column:
    return Column(name, "category", np.asarray(reference, np.str_), np.asarray(current, np.str_))


def only(column: Column) -> Finding:
    [found] = judge([column])
    return found


@pytest.mark.parametrize(
    ("kind", "rows", "different", "method"),
    [
        ("number", 1_000, 6, "kolmogorov_smirnov"),
        ("number", 1_000, 5, "chi_squared"),
        ("number", 1_000, 2, "z"),
        ("category", 1_000, 3, "chi_squared"),
        ("category", 1_000, 2, "z"),
        ("category", 1_000, 1, "z"),
        ("number", 1_001, 6, "wasserstein"),
        ("number", 1_001, 5, "jensen_shannon"),
        ("category", 1_001, 2, "jensen_shannon"),
        ("vectors", 300, 300, "mean_distance"),
    ],
)
def test_the_method_is_evidentlys_by_the_rows_of_the_reference_and_the_different_values(
    kind: str, rows: int, different: int, method: str
) -> None:
    assert method_of(kind, rows, different) == method


@pytest.mark.parametrize("rows", [400, 4_000])
def test_what_moved_is_found_and_what_did_not_is_not(rows: int) -> None:
    draw = np.random.default_rng(rows)
    found = judge(
        [
            numbers(draw.normal(0, 1, rows), draw.normal(0.5, 1, rows), "mean"),
            numbers(draw.normal(0, 1, rows), draw.normal(0, 1.8, rows), "spread"),
            labels(draw.choice([*"abc"], rows, p=[0.5, 0.3, 0.2]), draw.choice([*"abc"], rows), "mix"),
            labels(draw.choice([*"ab"], rows), draw.choice([*"ab"], rows, p=[0.7, 0.3]), "share"),
            Column("meaning", "vectors", draw.normal(0, 1, (200, 8)), draw.normal(0.2, 1, (200, 8))),
            numbers(draw.normal(0, 1, rows), draw.normal(0, 1, rows), "still"),
            labels(draw.choice([*"abc"], rows), draw.choice([*"abc"], rows), "still too"),
            Column("meant", "vectors", draw.normal(0, 1, (200, 8)), draw.normal(0, 1, (200, 8))),
        ]
    )  # fmt: skip
    assert [one.name for one in found if one.drifted] == ["mean", "spread", "mix", "share", "meaning"]


def test_a_small_difference_of_many_rows_is_no_drift_though_a_test_is_sure_of_it() -> None:
    draw = np.random.default_rng(1)
    found = only(numbers(draw.normal(0, 1, 5_000), draw.normal(0.08, 1, 5_000)))
    assert found.adjusted_p < 0.01
    assert (found.method, found.threshold, found.drifted) == ("wasserstein", 0.1, False)
    assert 0.05 < found.value < 0.1


def test_a_distance_that_chance_explains_is_no_drift() -> None:
    over = drifted = 0
    for seed in SEEDS:
        draw = np.random.default_rng(seed)
        found = only(numbers(draw.normal(0, 1, 5_000), draw.normal(0, 1, 100)))
        over += found.value >= found.threshold
        drifted += found.drifted
    assert over > len(SEEDS) / 2  # the threshold alone cries wolf
    assert drifted <= 8  # of 60, where 3 are expected: more is as likely as .4 %


def test_among_many_features_chance_finds_drift_no_more_often_than_among_one() -> None:
    alarms = single = 0
    for seed in SEEDS:
        draw = np.random.default_rng(1_000 + seed)
        found = judge(
            [
                *(numbers(draw.normal(0, 1, 300), draw.normal(0, 1, 200), f"n{at}") for at in range(10)),
                *(labels(draw.choice([*"abcd"], 300), draw.choice([*"abcd"], 200), f"l{at}") for at in range(10)),
            ]
        )
        alarms += any(one.drifted for one in found)
        single += any(one.p < 0.05 for one in found)
    assert single > len(SEEDS) / 3
    assert alarms <= 8


@pytest.mark.parametrize("rows", [300, 3_000])
def test_a_constant_is_the_same_as_itself_and_another_one_is_drift(rows: int) -> None:
    for made in (numbers, labels):
        same, other = only(made(np.full(rows, 3), np.full(rows, 3))), only(made(np.full(rows, 3), np.full(rows, 4)))
        assert (same.drifted, same.p, same.psi) == (False, 1, 0)
        assert (other.drifted, other.p < 1e-9) == (True, True)


@pytest.mark.parametrize("rows", [300, 3_000])
def test_a_value_that_was_never_there_before_is_drift_once_it_is_common(rows: int) -> None:
    reference = ["a", "b", "c"] * (rows // 3)
    assert not only(labels(reference, ["a", "b", "c"] * 100 + ["new"])).drifted
    found = only(labels(reference, ["a", "b", "c"] * 70 + ["new"] * 90))
    assert found.drifted
    assert found.change == "new 0.0% to 30.0%"


def test_too_few_values_are_said_in_words_and_no_others_suffer() -> None:
    few, none, enough = judge(
        [
            numbers(range(LEAST - 1), range(500), "few"),
            labels([], ["a"] * 500, "none"),
            numbers(range(500), range(1_000, 1_500), "enough"),
        ]
    )
    assert few.missing == "Fewer than 100 values: 99 in the reference, 500 now."
    assert none.missing == "Fewer than 100 values: 0 in the reference, 500 now."
    assert (few.drifted, few.p, few.value, few.method) == (False, None, None, "")
    assert enough.drifted
    assert enough.change == "mean 249.5 to 1250"


def test_what_somebody_sent_to_move_a_terminal_is_shown_as_what_it_is_not() -> None:
    usual, odd = np.array(["here"] * 200), np.array(["here"] * 100 + ["\x1b[2J\n0 of 12 \u202e"] * 100)
    [found] = judge([Column("input.location", "category", usual, odd)])
    assert found.drifted
    assert found.change.isprintable()


def test_nothing_to_judge_is_no_finding() -> None:
    assert judge([]) == []
