"""A draft can be changed in everything; of a test with users in it only what moves none of them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from experiments import ab_tests
from experiments.errors import Conflict, Invalid
from experiments.models import ABTest
from tests.experiments.conftest import Drafted, Version

GUARDRAILS = [{"metric": "latency_p95", "bound": 0.1}]
SERVED = {"hypothesis": "b wins", "traffic": 0.2, "secondary_metrics": ["cart_rate"], "guardrails": GUARDRAILS,
          "guardrail_minutes": 5}  # fmt: skip
DRAFTED = {
    "name": "renamed", "task": "summary", "audience": "staff", "signed_up_before": datetime(2026, 1, 1, tzinfo=UTC),
    "primary_metric": "cart_rate", "smallest_effect": 0.1, "window_days": 3, "planned_users": 50,
}  # fmt: skip


def edit(test: ABTest, **changes: Any) -> ABTest:
    return ab_tests.ab_test_edit(test_id=test.pk, by=None, reason="because", **changes)


def put_in(test: ABTest, state: str) -> None:
    ABTest.objects.filter(pk=test.pk).update(state=state)


def refused(test: ABTest, state: str, **changes: Any) -> Conflict:
    before = vars(ABTest.objects.get(pk=test.pk)) | {"_state": None}
    variants = list(test.variants.values())
    with pytest.raises(Conflict) as raised:
        edit(test, **changes)
    assert vars(ABTest.objects.get(pk=test.pk)) | {"_state": None} == before
    assert list(test.variants.values()) == variants
    assert not test.actions.filter(action="edit").exists()
    assert raised.value.extra["state"] == state
    return raised.value


@pytest.mark.parametrize("name", [*SERVED, *DRAFTED])
def test_any_field_of_a_draft_can_be_changed(drafted: Drafted, name: str) -> None:
    value = (SERVED | DRAFTED)[name]
    test = drafted()
    was = getattr(test, name)
    edit(test, **{name: value})
    test.refresh_from_db()
    assert getattr(test, name) == value != was
    row = test.actions.get(action="edit")
    assert row.reason == "because"
    assert set(row.facts) == {name}
    assert row.facts[name][0] == was


@pytest.mark.parametrize("state", ["running", "paused"])
@pytest.mark.parametrize("name", SERVED)
def test_of_a_test_with_users_what_moves_nobody_can_be_changed(drafted: Drafted, state: str, name: str) -> None:
    test = drafted()
    put_in(test, state)
    edited = edit(test, **{name: SERVED[name]})
    assert (getattr(edited, name), edited.state) == (SERVED[name], state)
    assert test.actions.get(action="edit").facts[name][1] == SERVED[name]


@pytest.mark.parametrize("state", ["running", "paused"])
@pytest.mark.parametrize("name", DRAFTED)
def test_of_a_test_with_users_the_rest_stays_and_the_field_is_named(drafted: Drafted, state: str, name: str) -> None:
    test = drafted()
    put_in(test, state)
    error = refused(test, state, **{"hypothesis": "b wins", name: DRAFTED[name]})
    assert error.detail == f"{name} cannot be changed while which is better is {state}."
    assert error.extra["field"] == name


@pytest.mark.parametrize("name", [*SERVED, *DRAFTED])
def test_nothing_of_a_stopped_test_can_be_changed(drafted: Drafted, name: str) -> None:
    test = drafted()
    put_in(test, "stopped")
    assert refused(test, "stopped", **{name: (SERVED | DRAFTED)[name]}).extra["field"] == name


def test_what_stays_the_same_is_no_change(drafted: Drafted) -> None:
    test = drafted({"name": "a"}, {"name": "b", "weight": 3.0, "config": {"title": "x"}})
    put_in(test, "stopped")
    given = (
        {"name": "a", "weight": 1.0, "version": None, "config": {}},
        {"name": "b", "weight": 3, "config": {"title": "x"}},
    )
    edit(test, name=test.name, traffic=1, guardrails=[], variants=given)
    assert not test.actions.filter(action="edit").exists()


def test_the_variants_of_a_draft_are_replaced_in_the_given_order(drafted: Drafted, version: Version) -> None:
    version()
    test = drafted({"name": "a"}, {"name": "b"})
    edit(test, variants=[{"name": "b"}, {"name": "c", "version": 1, "weight": 2.0}, {"name": "a"}])
    rows = test.variants.order_by("pk").values_list("name", "weight", "version__version")
    assert list(rows) == [("b", 1.0, None), ("c", 2.0, 1), ("a", 1.0, None)]
    old, new = test.actions.get(action="edit").facts["variants"]
    assert [one["name"] for one in old] == ["a", "b"]
    assert new[1] == {"name": "c", "weight": 2.0, "version": 1, "config": {}}


@pytest.mark.parametrize("state", ["running", "paused"])
def test_the_weights_of_a_test_with_users_can_be_changed(drafted: Drafted, state: str) -> None:
    test = drafted()
    put_in(test, state)
    ids = list(test.variants.values_list("pk", flat=True))
    edit(test, variants=[{"name": "a", "weight": 1.0}, {"name": "b", "weight": 4.0}])
    assert list(test.variants.order_by("pk").values_list("pk", "weight")) == [(ids[0], 1.0), (ids[1], 4.0)]
    assert test.actions.get(action="edit").facts == {"weights": {"a": 1.0, "b": 4.0}}


@pytest.mark.parametrize(
    "variants",
    [
        [{"name": "a"}],
        [{"name": "a"}, {"name": "b"}, {"name": "c"}],
        [{"name": "a"}, {"name": "c"}],
        [{"name": "a"}, {"name": "a"}],
        [{"name": "a"}, {"name": "b", "config": {"title": "x"}}],
        [{"name": "a"}, {"name": "b", "version": 1}],
    ],
    ids=str,
)
@pytest.mark.parametrize("state", ["running", "paused", "stopped"])
def test_nothing_but_the_weights_of_its_variants_can_be(
    drafted: Drafted, version: Version, state: str, variants: list[dict[str, Any]]
) -> None:
    version()
    test = drafted()
    put_in(test, state)
    error = refused(test, state, variants=variants)
    assert error.extra["field"] == "variants"
    assert f"while which is better is {state}." in error.detail


def test_the_weights_of_a_stopped_test_cannot_be_changed(drafted: Drafted) -> None:
    test = drafted()
    put_in(test, "stopped")
    refused(test, "stopped", variants=[{"name": "a", "weight": 2.0}, {"name": "b"}])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"task": "flavour"}, "task"),
        ({"traffic": 1.5}, ""),
        ({"smallest_effect": 0.00005}, "smallest_effect"),
        ({"smallest_effect": float("nan")}, ""),
        ({"window_days": 0}, ""),
        ({"window_days": 91}, ""),
        ({"guardrail_minutes": 0}, ""),
        ({"guardrail_minutes": 1441}, ""),
        ({"planned_users": 1}, ""),
        ({"audience": "martians"}, "audience"),
        ({"primary_metric": "joy"}, "primary_metric"),
        ({"secondary_metrics": "click_rate"}, "secondary_metrics"),
        ({"secondary_metrics": ["click_rate", "click_rate"]}, "secondary_metrics"),
        ({"guardrails": {}}, "guardrails"),
        ({"guardrails": [{"metric": "latency_p95"}]}, "guardrails"),
        ({"guardrails": [{"metric": "latency_p95", "bound": True}]}, "guardrails"),
        ({"guardrails": [{"metric": "latency_p95", "bound": -0.1}]}, "guardrails"),
        ({"guardrails": [{"metric": "latency_p95", "bound": float("nan")}]}, "guardrails"),
        ({"guardrails": GUARDRAILS * 2}, "guardrails"),
        ({"variants": [{"name": "a"}, {"name": "a"}]}, "variants.1"),
        ({"variants": [{"name": "a", "weight": float("nan")}]}, "variants.0"),
        ({"variants": [{"name": "a", "version": 9}]}, "variants.0.version"),
        ({"variants": [{"name": "a"}, {"name": "b", "config": {"tilte": "x"}}]}, "variants.1.config"),
        ({"variants": [{"name": ""}]}, "variants.0.name"),
    ],
    ids=str,
)
def test_what_is_wrong_is_refused_and_named(drafted: Drafted, changes: dict[str, Any], field: str) -> None:
    test = drafted()
    with pytest.raises(Invalid) as raised:
        edit(test, **changes)
    assert raised.value.field == field
    assert raised.value.detail
    assert list(test.variants.values_list("name", flat=True)) == ["a", "b"]
    assert not test.actions.filter(action="edit").exists()


def test_a_version_must_fit_also_when_only_the_task_is_changed(drafted: Drafted, version: Version) -> None:
    version()
    test = drafted({"name": "a"}, {"name": "b", "version": 1})
    with pytest.raises(Invalid) as raised:
        edit(test, task="recommend")
    assert (raised.value.field, raised.value.detail) == (
        "variants.1.version", "sentiment 1 (scripted) is no version of recommend."
    )  # fmt: skip
    test.refresh_from_db()
    assert test.task == "sentiment"


def test_a_name_is_taken_once(drafted: Drafted) -> None:
    drafted()
    with pytest.raises(Invalid) as raised:
        drafted()
    assert raised.value.field == "name"
    assert ABTest.objects.count() == 1
