"""The life of an A/B test: draft, running, paused and running again, stopped. Each step is a compare-and-set of the
state, so of two at once one wins and the other is told so; and in the same transaction it writes who did it and why.

Every process serves what is written here within two seconds (serving.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from experiments.ab_test_variants import (
    assert_servable,
    clean,
    variants_clean,
    variants_filled,
    variants_replace,
    variants_reweigh,
    variants_shown,
    weights_of,
)
from experiments.errors import Conflict, Invalid, NotFound
from experiments.models import ABTest, ABTestAction, Promotion
from experiments.plans import users_planned
from experiments.registry import version_promote

State = ABTest.State
BEFORE = {
    State.RUNNING: (State.DRAFT, State.PAUSED),
    State.PAUSED: (State.RUNNING,),
    State.STOPPED: (State.RUNNING, State.PAUSED),
}
DONE = {State.RUNNING: "started", State.PAUSED: "paused", State.STOPPED: "stopped"}
SERVED = {"hypothesis", "traffic", "secondary_metrics", "guardrails", "guardrail_minutes",
          "variants"}  # fmt: skip  # others would spoil the comparison
DRAFTED = SERVED | {"name", "task", "audience", "signed_up_before", "primary_metric", "smallest_effect", "window_days",
                    "planned_users"}  # fmt: skip
EDITABLE = {State.DRAFT: DRAFTED, State.RUNNING: SERVED, State.PAUSED: SERVED, State.STOPPED: set()}


@dataclass(frozen=True)
class Winner:
    """Is live now; what its variant set by `config` beside is not."""

    promotion: Promotion
    config: Mapping[str, Any]


def ab_test_get(*, test_id: int) -> ABTest:
    found = ABTest.objects.filter(pk=test_id).first()
    if not found:
        raise NotFound(f"There is no A/B test {test_id}.")
    return found


def ab_test_create(*, by: Any, reason: str = "", variants: Sequence[Mapping[str, Any]] = (), **values: Any) -> ABTest:
    """A draft. Each of `variants` has a name and may have a weight, the number of a version and a config; the first one
    is the control. Raises Invalid, which names the field.
    """
    with transaction.atomic():
        test = ABTest(**values)
        _save(test)
        variants_replace(test, variants_filled(variants))
        _act(test, "create", by, reason)
    return test


def ab_test_edit(
    *, test_id: int, by: Any, reason: str = "", variants: Sequence[Mapping[str, Any]] | None = None, **changes: Any
) -> ABTest:
    """Change anything of a draft, and of a test that has users in it what moves none of them: new weights are for those
    who come. Raises Conflict, which names the field and the state.
    """
    with transaction.atomic():
        test = _locked(test_id)
        facts: dict[str, Any] = {
            name: [old, new] for name, new in changes.items() if (old := getattr(test, name)) != new
        }
        for name in facts:
            _assert_editable(test, name)
            setattr(test, name, changes[name])
        if "guardrails" in facts:
            test.beyond = {}  # of the bounds that were
        if facts:
            _save(test)
        if variants is not None:
            facts |= _variants_edit(test, variants_filled(variants))
        if facts:
            variants_clean(test)  # also those that stay: the task may be another one
            _act(test, "edit", by, reason, facts)
    return test


def ab_test_delete(*, test_id: int) -> None:
    """Only a draft: what users were served stays known."""
    with transaction.atomic():
        test = _locked(test_id)
        if test.state != State.DRAFT:
            raise Conflict(f"{test} is {test.state}, and only a draft test can be deleted.", state=test.state)
        test.delete()


def ab_test_start(*, test_id: int, by: Any, reason: str = "") -> ABTest:
    """Serve its variants, for the first time or again after a pause. Raises Conflict where another test of the task
    runs, and Invalid where this one could not be served, judged or planned, which names the field.
    """
    try:
        with transaction.atomic():
            test = _move(test_id, State.RUNNING, started_at=Coalesce("started_at", timezone.now()))
            clean(test)
            assert_servable(test)
            if test.planned_users is None:
                test.planned_users = users_planned(test)
                test.save(update_fields=["planned_users"])
            _act(test, "start", by, reason, {"planned_users": test.planned_users, "weights": weights_of(test)})
    except IntegrityError:
        raise _other_runs(ab_test_get(test_id=test_id)) from None
    return test


def ab_test_pause(*, test_id: int, by: Any, reason: str = "", facts: Mapping[str, Any] | None = None) -> ABTest:
    """The live version answers everybody until it is started again; then each has the variant that they had. `facts`
    are what was seen, where a guardrail (nobody: None) pauses it.
    """
    with transaction.atomic():
        test = _move(test_id, State.PAUSED, beyond={})
        _act(test, "pause", by, reason, facts)
    return test


def ab_test_stop(*, test_id: int, by: Any, reason: str = "") -> ABTest:
    """For good."""
    with transaction.atomic():
        test = _move(test_id, State.STOPPED, stopped_at=timezone.now())
        _act(test, "stop", by, reason)
    return test


def ab_test_promote_winner(*, test_id: int, variant: str, by: Any, reason: str = "") -> Winner:
    """Put the version of a variant live, through the registry's gate. Raises Conflict where the test is not stopped,
    where the variant has no version of its own, and where the gate refuses it.
    """
    test = ab_test_get(test_id=test_id)
    if test.state != State.STOPPED:
        raise Conflict(f"{test} is {test.state}, and only a stopped test has a winner.", state=test.state)
    variants = {one.name: one for one in test.variants.select_related("version")}
    if variant not in variants:
        raise Invalid("variant", f"{test} has no variant {variant}. It has: {', '.join(variants)}.")
    version, config = variants[variant].version, variants[variant].config
    if not version:
        fields = set_where_asked(config) if config else ""
        raise Conflict(
            f"{variant} is whichever version of {test.task} is live: there is none to promote. {fields}".strip(),
            config=config,
        )
    with transaction.atomic():
        promotion = version_promote(task=test.task, version=version.version, by=by, reason=reason)
        _act(test, "promote", by, reason, {"variant": variant, "version": version.version, "config": config})
    return Winner(promotion, config)


def set_where_asked(config: Mapping[str, Any]) -> str:
    """What is left to do for who asks: a version goes live without the fields that its variant set."""
    return f"Have {', '.join(config)} set where it is asked, as the config says."


def _locked(test_id: int) -> ABTest:
    """The test, which nobody else changes until the transaction ends. Who is served meanwhile does not wait for it."""
    found = ABTest.objects.select_for_update(no_key=True).filter(pk=test_id).first()
    return found or ab_test_get(test_id=test_id)


def _move(test_id: int, state: ABTest.State, **values: Any) -> ABTest:
    moved = ABTest.objects.filter(pk=test_id, state__in=BEFORE[state]).update(state=state, **values)
    test = ab_test_get(test_id=test_id)
    if not moved:
        allowed = " or ".join(BEFORE[state])
        raise Conflict(f"{test} is {test.state}, and only a {allowed} test can be {DONE[state]}.", state=test.state)
    return test


def _other_runs(test: ABTest) -> Conflict:
    other = ABTest.objects.filter(task=test.task, state=State.RUNNING).first()
    name = f", {other}," if other else ""  # it may be stopped since
    words = f"{test} cannot be started: another test of {test.task}{name} is running."
    return Conflict(words, running=other and other.pk)


def _assert_editable(test: ABTest, name: str) -> None:
    if name not in EDITABLE[State(test.state)]:
        raise Conflict(f"{name} cannot be changed while {test} is {test.state}.", field=name, state=test.state)


def _variants_edit(test: ABTest, variants: list[dict[str, Any]]) -> dict[str, Any]:
    """Bring the variants to these; gives what the history is to say of it."""
    if variants == (was := variants_shown(test)):
        return {}
    _assert_editable(test, "variants")
    if test.state == State.DRAFT:
        variants_replace(test, variants)
        return {"variants": [was, variants]}
    variants_reweigh(test, variants)
    return {"weights": weights_of(test)}


def _save(test: ABTest) -> None:
    clean(test)
    try:
        with transaction.atomic():
            test.save()
    except IntegrityError:
        raise Invalid("name", f"There is an A/B test named {test} already.", "unique") from None


def _act(test: ABTest, action: str, by: Any, reason: str, facts: Mapping[str, Any] | None = None) -> None:
    ABTestAction.objects.create(test=test, action=action, by=by, reason=reason, facts=dict(facts or {}))
