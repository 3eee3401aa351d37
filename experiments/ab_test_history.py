"""What was done to an A/B test, by whom and why, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from experiments.models import ABTest, ABTestAction

MOST = 200  # the API has all


@dataclass(frozen=True)
class Done:
    action: str
    by: str
    reason: str
    at: datetime
    facts: Sequence[str]


def history_of(test: ABTest) -> list[Done]:
    """The latest first, MOST of them."""
    return [
        Done(row.action, by(row), row.reason, row.at, _facts(row))
        for row in test.actions.select_related("by").order_by("-pk")[:MOST]
    ]


def by(row: ABTestAction) -> str:
    """Nobody who pauses a test and says what was seen is a guardrail. Others were a command, or are erased."""
    if row.by:
        return row.by.get_username()
    return "a guardrail" if row.action == "pause" and row.facts else "nobody known"


def _facts(row: ABTestAction) -> list[str]:
    """Edits have what was and what is, but for weights."""
    facts: Mapping[str, Any] = row.facts
    pairs = row.action == "edit"
    return [
        f"{name}: {_written(value[0])} → {_written(value[1])}"
        if pairs and name != "weights"
        else f"{name}: {_written(value)}"
        for name, value in facts.items()
    ]


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_written(one)}" for name, one in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(map(_written, value)) or "none"
    return "none" if value in (None, "") else str(value)
