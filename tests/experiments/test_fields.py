"""Serializers made from dataclasses: what they refuse, what they take, what they tell the API document."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from rest_framework.exceptions import ValidationError

from experiments.fields import FiniteField, TextField, WholeField, serializer_of
from experiments.mltask import Items, Number, Text, to_json
from tests import hostile


@dataclass(frozen=True)
class Part:
    name: Annotated[str, Text(max_length=10, min_length=1)]
    weight: Annotated[float, Number(ge=0, le=2)]


@dataclass(frozen=True)
class Whole:
    """One field of each kind."""

    text: Annotated[str, Text(max_length=10)]
    count: Annotated[int, Number(ge=1, le=9)]
    share: Annotated[float, Number(ge=-1, le=1)]
    free: int
    kind: Literal["a", "b"]
    flag: bool
    part: Part
    parts: Annotated[tuple[Part, ...], Items(max_length=3)]
    ids: Annotated[tuple[int, ...], Items(max_length=3)]
    maybe: Annotated[str | None, Text(max_length=10)] = None
    title: Annotated[str, Text(max_length=10)] = "none"


EXAMPLE = Whole("text", 5, 0.5, 7, "a", True, Part("x", 1.0), (Part("y", 2.0),), (1, 2), "maybe", "title")


def test_hostile_values_of_every_kind_of_field_are_refused_and_their_place_is_named() -> None:
    assert hostile.accepted(serializer_of(Whole)(), to_json(EXAMPLE)) == []


def test_the_hostile_values_reach_every_field() -> None:
    """The helper that the contract suite rests on."""
    found = list(hostile.cases(serializer_of(Whole)(), to_json(EXAMPLE)))
    paths = {path for path, _ in found}
    fields = {"text", "count", "share", "free", "kind", "flag", "part", "parts", "ids", "maybe", "title"}
    assert fields | {"part.name", "part.weight", "parts.1", "parts.1.name", "parts.1.weight", "ids.2"} <= paths
    assert len(found) > 150


def test_a_serializer_that_lets_something_through_is_found_out() -> None:
    @dataclass(frozen=True)
    class Loose:
        text: str

    class Looser(serializer_of(Loose)):
        text = TextField(max_length=10, required=False)

        def to_internal_value(self, data: Any) -> Any:
            return data

    assert hostile.accepted(Looser(), {"text": "fine"})


def test_valid_values_come_back_as_the_dataclass() -> None:
    assert serializer_of(Whole)().run_validation(to_json(EXAMPLE)) == EXAMPLE


def test_what_is_left_out_has_the_default_of_the_dataclass() -> None:
    given = {name: value for name, value in to_json(EXAMPLE).items() if name not in ("maybe", "title")}
    found = serializer_of(Whole)().run_validation(given)
    assert (found.maybe, found.title) == (None, "none")


@pytest.mark.parametrize(
    ("field", "given", "taken"),
    [
        (TextField(), "  a \n", "  a \n"),
        (TextField(), "", ""),
        (TextField(min_length=1), " a", " a"),
        (FiniteField(), "1.5", 1.5),
        (FiniteField(), 3, 3.0),
        (FiniteField(), -0.0, 0.0),
        (WholeField(), 2**63 - 1, 2**63 - 1),
        (WholeField(), -(2**63) + 1, -(2**63) + 1),
        (WholeField(), "7", 7),
        (WholeField(), 7.0, 7),
    ],
)
def test_a_field_takes_what_it_means(field: Any, given: Any, taken: Any) -> None:
    assert field.run_validation(given) == taken


@pytest.mark.parametrize("given", [2**63, -(2**63), "9" * 1000, 1e19])
def test_a_whole_number_fits_its_column(given: Any) -> None:
    with pytest.raises(ValidationError):
        WholeField().run_validation(given)
