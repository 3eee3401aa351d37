"""What every task rests on: values to JSON and back, examples dealt into parts, algorithms by name."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import pytest

from experiments.mltask import Examples, Items, Number, Text, bounds, from_json, to_json
from nlp.ml.sentiment import SENTIMENT


@dataclass(frozen=True)
class Leaf:
    name: Annotated[str, Text(max_length=5)]
    share: Annotated[float, Number(ge=0, le=1)] = 0.5


@dataclass(frozen=True)
class Tree:
    leaves: Annotated[tuple[Leaf, ...], Items(max_length=3)]
    numbers: tuple[int, ...] = ()
    nothing: Leaf | None = None
    kind: Literal["oak", "elm"] = "oak"
    table: Mapping[str, float] | None = None
    tall: bool = False


def examples(*units: Any) -> Examples:
    return Examples(pd.DataFrame({"unit": units, "row": range(len(units))}))


@pytest.mark.parametrize(
    "tree",
    [
        Tree(()),
        Tree((Leaf("a"), Leaf("b", 0.25)), (1, 2), Leaf("c"), "elm", {"x": 1.5}, True),
        Tree((Leaf("é☃\U0001f600"),), (2**62,), table={}),
    ],
)
def test_a_value_comes_back_from_json_as_it_was(tree: Tree) -> None:
    assert from_json(Tree, json.loads(json.dumps(to_json(tree)))) == tree


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float64("nan"), (1.0, (math.nan,))])
def test_what_is_no_finite_number_is_no_json(value: Any) -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        to_json(Tree((), numbers=(value,)))


@pytest.mark.parametrize("value", ["a\0b", "\ud800", 2**63, -(2**63) - 1, {"\0": 1}])
def test_what_the_database_cannot_hold_is_no_json(value: Any) -> None:
    with pytest.raises(ValueError, match=r"cannot be stored|surrogates not allowed"):
        to_json(Tree((), table={"x": value}))


def test_a_number_is_one_of_pythons_own() -> None:
    class Size(IntEnum):
        LARGE = 3

    found = to_json(Tree((), numbers=(np.float64(0.5), Size.LARGE, True)))["numbers"]
    assert found == [0.5, 3, True]
    assert [type(one) for one in found] == [float, int, bool]


@pytest.mark.parametrize("value", [object(), {1}, b"x", np.float32(1), np.int64(1), np.zeros(2), Leaf, {1: 2}])
def test_what_is_no_plain_value_is_no_json(value: Any) -> None:
    with pytest.raises(TypeError):
        to_json(Tree((), numbers=(value,)))


def test_a_class_tells_its_bounds() -> None:
    assert bounds(Tree) == {"leaves": Items(3)}
    assert bounds(Leaf) == {"name": Text(5), "share": Number(0, 1)}


def test_parts_are_disjoint_cover_all_and_keep_units_whole() -> None:
    whole = examples(*[unit for unit in range(50) for _ in range(unit % 4 + 1)])
    parts = list(whole.parts(7))
    assert len(parts) == 7
    rows = [row for part in parts for row in part.rows["row"]]
    assert sorted(rows) == list(range(len(whole)))
    units = [set(part.rows["unit"]) for part in parts]
    assert sum(len(one) for one in units) == 50
    assert {len(one) for one in units} == {7, 8}


def test_parts_are_the_same_each_time_and_others_with_another_seed() -> None:
    whole = examples(*range(40))
    first, again, other = ([list(part.rows["row"]) for part in whole.parts(4, seed=seed)] for seed in (0, 0, 1))
    assert first == again != other


def test_rows_without_units_are_dealt_one_by_one() -> None:
    whole = Examples(pd.DataFrame({"row": range(10)}))
    assert sorted(len(part) for part in whole.parts(3)) == [3, 3, 4]


def test_empty_parts_are_left_out() -> None:
    assert [len(part) for part in examples("a", "a", "b").parts(20)] in ([2, 1], [1, 2])
    assert list(examples().parts(20)) == []


def test_an_algorithm_is_registered_once_under_its_name() -> None:
    task = replace(SENTIMENT, algorithms={})
    task.algorithm("one")(Leaf)
    assert task.algorithms == {"one": Leaf}
    with pytest.raises(ValueError, match="task sentiment has an algorithm one already"):
        task.algorithm("one")(Tree)
