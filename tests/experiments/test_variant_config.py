"""What a variant may change in the input: fields of the task, checked like a request."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from experiments.assignment import changes_of
from experiments.errors import Invalid
from experiments.mltask import Items, Number, Text
from experiments.models import ABTest, ModelVersion, Variant
from tests.experiments.conftest import Version


@dataclass(frozen=True)
class Leaf:
    name: Annotated[str, Text(max_length=5, min_length=1)]
    share: Annotated[float, Number(ge=0, le=1)] = 0.5


@dataclass(frozen=True)
class Tree:
    leaves: Annotated[tuple[Leaf, ...], Items(max_length=3)] = ()
    numbers: Annotated[tuple[int, ...] | None, Items(max_length=3)] = None
    leaf: Leaf | None = Leaf("a")
    kind: Literal["oak", "elm"] = "oak"
    table: dict[str, float] | None = None
    tall: bool = False
    age: Annotated[int, Number(ge=0, le=1_000)] = 1


@pytest.mark.parametrize(
    ("config", "tree"),
    [
        ({}, Tree()),
        ({"leaf": {"name": "b"}}, Tree(leaf=Leaf("b"))),
        ({"leaf": {"name": "b", "share": 1}, "age": 7}, Tree(leaf=Leaf("b", 1.0), age=7)),
        ({"leaf": None, "numbers": None, "table": None}, Tree(leaf=None)),
        ({"leaves": [{"name": "b"}] * 3, "numbers": [1, 2]}, Tree(leaves=(Leaf("b"),) * 3, numbers=(1, 2))),
        ({"kind": "elm", "tall": True, "table": {"x": 0.5}}, Tree(kind="elm", tall=True, table={"x": 0.5})),
    ],
)
def test_a_config_that_fits_is_set(config: dict[str, Any], tree: Tree) -> None:
    assert replace(Tree(), **changes_of(Tree, config)) == tree


@pytest.mark.parametrize(
    ("config", "field"),
    [
        (None, "config"),
        ([], "config"),
        ("leaf", "config"),
        ({"leef": 1}, "config.leef"),
        ({"leaf": {"name": "b", "shore": 1}}, "config.leaf.shore"),
        ({"leaf": {}}, "config.leaf"),
        ({"leaf": "b"}, "config.leaf"),
        ({"leaf": {"name": ""}}, "config.leaf.name"),
        ({"leaf": {"name": "longer"}}, "config.leaf.name"),
        ({"leaf": {"name": 7}}, "config.leaf.name"),
        ({"leaf": {"name": "\0"}}, "config.leaf.name"),
        ({"leaf": {"name": "\ud800"}}, "config.leaf.name"),
        ({"leaf": {"name": "b", "share": 1.01}}, "config.leaf.share"),
        ({"leaf": {"name": "b", "share": "1"}}, "config.leaf.share"),
        ({"leaf": {"name": "b", "share": True}}, "config.leaf.share"),
        ({"leaf": {"name": "b", "share": float("nan")}}, "config.leaf.share"),
        ({"leaf": {"name": "b", "share": None}}, "config.leaf.share"),
        ({"leaf": {"name": "b", "share": 10**400}}, "config.leaf.share"),
        ({"age": 1.0}, "config.age"),
        ({"age": True}, "config.age"),
        ({"age": -1}, "config.age"),
        ({"tall": 1}, "config.tall"),
        ({"kind": "ash"}, "config.kind"),
        ({"kind": ["oak"]}, "config.kind"),
        ({"leaves": {"name": "b"}}, "config.leaves"),
        ({"leaves": [{"name": "b"}] * 4}, "config.leaves"),
        ({"leaves": [{"name": "b"}, {"name": 1}]}, "config.leaves.1.name"),
        ({"leaves": None}, "config.leaves"),
        ({"numbers": [1, 2, 3, 4]}, "config.numbers"),
        ({"numbers": [1, 2.5]}, "config.numbers.1"),
        ({"numbers": "123"}, "config.numbers"),
        ({"table": {"x": "y"}}, "config.table.x"),
        ({"table": [1]}, "config.table"),
    ],
)
def test_a_config_that_does_not_fit_is_refused_and_the_field_is_named(config: Any, field: str) -> None:
    with pytest.raises(Invalid) as raised:
        changes_of(Tree, config)
    assert raised.value.field == field
    assert raised.value.detail.startswith("config")


@pytest.fixture
def test(db: None) -> ABTest:
    return ABTest.objects.create(name="titles", task="sentiment")


def errors_of(row: Any) -> dict[str, list[str]]:
    try:
        row.full_clean()
    except ValidationError as error:
        return dict(error.message_dict)
    return {}


def test_a_variant_with_a_config_that_fits_its_task_is_clean(test: ABTest) -> None:
    assert errors_of(Variant(test=test, name="a")) == {}
    assert errors_of(Variant(test=test, name="a", config={"title": "So good"})) == {}


def test_a_variant_names_the_field_that_does_not_fit(test: ABTest) -> None:
    [message] = errors_of(Variant(test=test, name="a", config={"tilte": "x"}))["config"]
    assert message == "config: there is no tilte. Known are: text, title."
    [message] = errors_of(Variant(test=test, name="a", config={"title": 7}))["config"]
    assert message == "config.title: 7 is no str."


def test_a_variant_has_a_version_of_its_tests_task(test: ABTest, version: Version) -> None:
    row = version()
    assert errors_of(Variant(test=test, name="a", version=row)) == {}
    other = ModelVersion(task="recommend", version=1, algorithm="hybrid", manifest={})
    other.save()
    assert errors_of(Variant(test=test, name="a", version=other)) == {
        "version": ["recommend 1 (hybrid) is no version of sentiment."]
    }


@pytest.mark.django_db
def test_a_variant_without_a_test_is_refused_and_no_more() -> None:
    assert set(errors_of(Variant(name="a", config=7))) == {"test"}


@pytest.mark.parametrize("weight", [0, -1, 1001, float("nan"), float("inf")])
def test_a_weight_is_over_zero_and_finite(test: ABTest, weight: float) -> None:
    field = "weight" if weight <= 0 else "__all__"
    assert set(errors_of(Variant(test=test, name="a", weight=weight))) >= {field}
    with pytest.raises(IntegrityError), transaction.atomic():
        test.variants.create(name="a", weight=weight)


@pytest.mark.parametrize("traffic", [-0.1, 1.1, float("nan")])
def test_traffic_is_a_share(test: ABTest, traffic: float) -> None:
    test.traffic = traffic
    assert errors_of(test) == {"__all__": ["The share of the users is 0 to 1."]}
    with pytest.raises(IntegrityError), transaction.atomic():
        test.save()


def test_a_name_is_taken_once_a_test(test: ABTest) -> None:
    test.variants.create(name="a")
    assert set(errors_of(Variant(test=test, name="a"))) == {"__all__"}
    with pytest.raises(IntegrityError), transaction.atomic():
        test.variants.create(name="a")


def test_a_task_that_is_not_known_is_refused(test: ABTest) -> None:
    test.task = "flavour"
    [message] = errors_of(test)["task"]
    assert message.startswith("There is no such task. Known are: ")


def test_one_test_a_task_runs(test: ABTest) -> None:
    ABTest.objects.filter(pk=test.pk).update(state="running")
    second = ABTest(name="another", task="sentiment", state="running")
    assert errors_of(second) == {"__all__": ["Another test of this task is running."]}
    with pytest.raises(IntegrityError), transaction.atomic():
        second.save()
    second.state = "paused"
    second.save()
    assert errors_of(ABTest(name="of another task", task="recommend", state="running")) == {}


def test_each_test_has_a_salt_of_its_own(test: ABTest) -> None:
    assert len(test.salt) == 16
    assert ABTest().salt != test.salt
