"""The tests that run, as this process serves them: which variants they have, and which of them is a person's."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from experiments.assignment import Person, Rules
from experiments.loading import Loaded
from experiments.models import ABTest, Exposure, Variant
from experiments.prediction_log import exposed_to

logger = logging.getLogger(__name__)
In = TypeVar("In")


@dataclass(frozen=True)
class Arm:
    """A variant as it is served: the input fields that it sets, and its own version (None: whichever is live)."""

    test_id: int = 0
    id: int | None = None
    name: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    model: Loaded | None = None

    def asked(self, given: In) -> In:
        return replace(given, **self.changes) if self.changes else given  # type: ignore[type-var]  # a dataclass


NO_TEST = Arm()


@dataclass(frozen=True)
class Running:
    """A test that runs. One of its arms may be None: that variant cannot be served, so the live version answers."""

    test_id: int
    rules: Rules
    arms: Mapping[int, Arm | None]

    def arm_of(self, person: Person, met: int | None) -> Arm:
        """What the person is served; `met` is the variant that the table says they have, where it was asked."""
        theirs = self.rules.variant_of(person, met or exposed_to(self.test_id, person.id))
        return (None if theirs is None else self.arms.get(theirs)) or NO_TEST


_refused: dict[int, str] = {}  # variants that cannot be served, to what is wrong with them


def own(variant: Variant) -> str:
    """The name in memory of the version that a variant brings; no task is named so."""
    return f"version {variant.version_id}"


def running(test: ABTest, variants: Sequence[Variant], loaded: Mapping[str, Loaded]) -> Running:
    """The test with its variants, whose versions are `loaded` under their `own` names."""
    arms = {variant.pk: _arm(variant, loaded.get(own(variant))) for variant in variants}
    return Running(test.pk, rules_of(test, variants), arms)


def rules_of(test: ABTest, variants: Sequence[Variant]) -> Rules:
    return Rules(
        salt=test.salt,
        traffic=test.traffic,
        audience=test.audience,
        signed_up_before=test.signed_up_before,
        variants=tuple(variant.pk for variant in variants),
        weights=tuple(variant.weight for variant in variants),
    )


@dataclass(frozen=True)
class Assigned:
    """A person's variant of a running test, by the names of both, and whether they were served it already."""

    test: int
    name: str
    task: str
    variant: str
    exposed: bool


def assignments_of(person: Person) -> list[Assigned]:
    """What all running tests that the person takes part in have for them, served in this process or not."""
    rows = Exposure.objects.filter(user_id=person.id, test__state=ABTest.State.RUNNING)
    met = dict(rows.values_list("test_id", "variant_id"))
    found = []
    for test in ABTest.objects.filter(state=ABTest.State.RUNNING).prefetch_related("variants").order_by("pk"):
        variants = {variant.pk: variant.name for variant in test.variants.all()}
        theirs = rules_of(test, list(test.variants.all())).variant_of(person, met.get(test.pk))
        if theirs is not None:
            found.append(Assigned(test.pk, test.name, test.task, variants[theirs], test.pk in met))
    return found


def _arm(variant: Variant, model: Loaded | None) -> Arm | None:
    """The variant, ready to be served, or None when it cannot be."""
    try:
        variant.clean()
        changes = variant.changes()
    except Exception as error:
        if _refused.get(variant.pk) != str(error):
            logger.exception("%s cannot be served", variant)
        _refused[variant.pk] = str(error)
        return None
    _refused.pop(variant.pk, None)
    return Arm(variant.test_id, variant.pk, variant.name, changes, model) if model or not variant.version else None
