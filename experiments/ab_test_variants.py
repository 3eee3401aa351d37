"""The variants of a test: as they are given, as the rows that they become, and whether they could be served."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError

from experiments.errors import Conflict, Invalid, ModelUnavailable, NotFound
from experiments.loading import load
from experiments.models import ABTest, ModelVersion, Variant
from experiments.registry import live_version, version_get

DEFAULTS: dict[str, Any] = {"weight": 1.0, "version": None, "config": {}}


def variants_filled(variants: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**DEFAULTS, **one} for one in variants]


def variants_shown(test: ABTest) -> list[dict[str, Any]]:
    """As they are given, the control first."""
    rows = test.variants.select_related("version").order_by("pk")
    return [
        {"name": row.name, "weight": row.weight, "version": row.version and row.version.version, "config": row.config}
        for row in rows
    ]


def weights_of(test: ABTest) -> dict[str, float]:
    return dict(test.variants.order_by("pk").values_list("name", "weight"))


def variants_replace(test: ABTest, variants: Sequence[Mapping[str, Any]]) -> None:
    """New rows, in the given order: the control is the one with the lowest id."""
    test.variants.all().delete()
    for place, given in enumerate(variants):
        row = Variant(test=test, **{**given, "version": _version(test, given["version"], f"variants.{place}.version")})
        clean(row, f"variants.{place}.")
        row.save()


def variants_reweigh(test: ABTest, variants: Sequence[Mapping[str, Any]]) -> None:
    """Set the weights. Raises Conflict where anything else is another one than it was."""
    weights = {one["name"]: one["weight"] for one in variants}
    same = [{**one, "weight": weights.get(one["name"])} for one in variants_shown(test)]
    if sorted(same, key=_name) != sorted(variants, key=_name):
        raise Conflict(
            f"variants: only their weights can be changed while {test} is {test.state}.",
            field="variants", state=test.state,
        )  # fmt: skip
    for place, row in enumerate(test.variants.order_by("pk")):
        row.weight = weights[row.name]
        clean(row, f"variants.{place}.")
        row.save(update_fields=["weight"])


def variants_clean(test: ABTest) -> list[Variant]:
    """The rows. Raises Invalid, which names the variant and its field, where one does not fit the test."""
    rows = list(test.variants.select_related("version").order_by("pk"))
    for place, row in enumerate(rows):
        clean(row, f"variants.{place}.")
    return rows


def assert_servable(test: ABTest) -> None:
    """Raises Invalid where there are no two variants that could be served, Conflict where no version is live."""
    rows = variants_clean(test)
    if len(rows) < 2:
        raise Invalid("variants", f"Two or more are compared, and {test} has {len(rows)}.", "min_length")
    if not live_version(test.task):
        raise Conflict(f"{test} cannot be started: {test.task} has no live version.")
    for place, row in enumerate(rows):
        if row.version:
            _assert_loads(row.version, f"variants.{place}.version")


def clean(row: ABTest | Variant, at: str = "") -> None:
    """Raises Invalid, which names the field under `at`, where the row is not as it must be."""
    try:
        row.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise Invalid((at + field.replace("__all__", "")).rstrip("."), " ".join(messages)) from None


def _version(test: ABTest, number: int | None, at: str) -> ModelVersion | None:
    try:
        return None if number is None else version_get(task=test.task, version=number)
    except NotFound as error:
        raise Invalid(at, error.detail) from None


def _assert_loads(version: ModelVersion, at: str) -> None:
    try:
        load(version).close()
    except ModelUnavailable as error:
        raise Invalid(at, error.detail) from error


def _name(variant: Mapping[str, Any]) -> str:
    return str(variant["name"])
