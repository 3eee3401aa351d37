"""Which values of a logged prediction are watched, from the dataclasses of its task, and how they are read."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest

from experiments.discovery import tasks
from experiments.drift.fields import Field, watched
from experiments.mltask import Digested, Image, Items, Number, Text, to_json
from nlp.ml.sentiment import SENTIMENT


@dataclass(frozen=True)
class Leaf:
    colour: Literal["green", "red"]
    tree: int
    weight: float = 1.0


@dataclass(frozen=True)
class Asked:
    text: Annotated[str, Text(max_length=100)]
    letter: Annotated[str, Text(max_length=100), Digested()]
    age: Annotated[int, Number(ge=0, le=100)]
    height: float
    id: int
    tall: bool
    picture: Image
    leaves: Annotated[tuple[Leaf, ...], Items(max_length=5)] = ()
    ids: tuple[int, ...] = ()
    vector: Annotated[tuple[float, ...], Items(max_length=5), Digested()] = ()
    heaviest: Leaf | None = None
    some: Annotated[tuple[int, ...] | None, Items(max_length=5)] = None
    words: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Answered:
    interval: tuple[float, float]


TASK = dataclasses.replace(SENTIMENT, input=Asked, output=Answered)
FIELDS = {field.name: field for field in watched(TASK)}
GIVEN = Asked(
    text="Tall and green", letter="Dear tree", age=50, height=3.5, id=7, tall=True,
    picture=Image(b"abc", {"width": 3, "height": 2, "brightness": 99.5}),
    leaves=(Leaf("red", 7, 0.5), Leaf("green", 8)), heaviest=Leaf("green", 9, 2.0),
    words={"a": ("b", "c"), "d": ("e",)},
)  # fmt: skip
LOGGED = {"input": to_json(GIVEN), "output": to_json(Answered((1.0, 2.0)))}


def test_numbers_choices_texts_sizes_and_what_was_given_are_watched_and_ids_and_vectors_are_not() -> None:
    assert {name: field.of(LOGGED) for name, field in FIELDS.items()} == {
        "input.text": "Tall and green",
        "input.letter.characters": 9,
        "input.age": 50,
        "input.height": 3.5,
        "input.tall": "yes",
        "input.picture.bytes": 3,
        "input.picture.width": 3,
        "input.picture.height": 2,
        "input.picture.brightness": 99.5,
        "input.leaves.items": 2,
        "input.leaves.first.colour": "red",
        "input.leaves.first.weight": 0.5,
        "input.ids.items": 0,
        "input.heaviest.given": "yes",
        "input.heaviest.colour": "green",
        "input.heaviest.weight": 2.0,
        "input.some.given": "no",
        "input.some.items": None,
        "input.words.items": 3,
        "output.interval.0": 1.0,
        "output.interval.1": 2.0,
    }


def test_kinds_are_those_of_the_fields() -> None:
    kinds = {name: field.kind for name, field in FIELDS.items()}
    assert [name for name, kind in kinds.items() if kind == "text"] == ["input.text"]
    assert [name for name, kind in kinds.items() if kind == "category"] == [
        "input.tall", "input.leaves.first.colour", "input.heaviest.given", "input.heaviest.colour", "input.some.given",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "logged",
    [
        {"input": {}, "output": None},
        {"input": None, "output": {"error": "ValueError"}},
        {"input": [1], "output": {"interval": []}},
        {"input": {"text": {"sha256": "a", "characters": 4}, "age": "50", "height": True, "leaves": [], "picture": {}}},
    ],
)
def test_a_row_that_has_no_such_value_gives_none(logged: dict[str, Any]) -> None:
    found = {name: field.of(logged) for name, field in FIELDS.items()}
    assert {found[name] for name in found if not name.endswith((".given", "leaves.items"))} == {None}
    assert found["input.heaviest.given"] == "no"


@pytest.mark.parametrize("name", sorted(tasks()))
def test_every_task_is_watched_without_a_line_of_its_own(name: str) -> None:
    fields = watched(tasks()[name])
    assert len({field.name for field in fields}) == len(fields) > 0
    example = {"input": to_json(tasks()[name].example), "output": None}
    read = {field.name: field.of(example) for field in fields if field.name.startswith("input.")}
    assert any(value is not None for value in read.values())


def test_a_field_of_sentiment_is_read_from_where_the_log_has_it() -> None:
    assert Field("input.title", "text", ("input", "title")) in watched(SENTIMENT)
    assert Field("output.scores.positive", "number", ("output", "scores", "positive")) in watched(SENTIMENT)
