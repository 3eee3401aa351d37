"""A/B tests with users of some days, to be shown in the admin."""

from typing import Any

from experiments.models import ABTest, Prediction
from tests.experiments.experiment_rows import at, clicks, expose, prediction, started

A_DAY = 60  # users of each variant


def lively(*variants: str, days: int = 10, **facts: Any) -> ABTest:
    """With `days` of users of whom those of later variants click more, were there before, and wait longer."""
    given = {
        "planned_users": 300, "secondary_metrics": ["clicks_per_user"], "primary_metric": "click_rate",
        "guardrails": [{"metric": "latency_p95", "bound": 0.2}, {"metric": "error_rate", "bound": 0.01}], **facts,
    }  # fmt: skip
    test = started(*(variants or ("control", "new")), **given)
    names = list(test.variants.order_by("pk").values_list("name", flat=True))
    for place, name in enumerate(names):
        for day in range(days):
            first = 10_000 * (place + 1) + A_DAY * day
            users = range(first, first + A_DAY)
            expose(test, name, *users, day=day + 0.5)
            clicks(users[: 15 + 9 * place], day=day + 0.6)
            clicks([*users[:12], *users[-3:]], day=day + 0.2)
    _predictions(test, names)
    return test


def _predictions(test: ABTest, names: list[str]) -> None:
    for place, name in enumerate(names):
        for number in range(120):
            facts = {"status": Prediction.Status.ERROR} if number % 40 == 39 else {}
            prediction(10_000 * (place + 1) + number, name, day=1 + number / 60,
                       latency_ms=10.0 + number / 10 + 4 * place, **facts)  # fmt: skip


def told(test: ABTest, by: Any) -> None:
    """What was done to it, by a person and by a guardrail."""
    weights = {one.name: one.weight for one in test.variants.all()}
    facts = {"guardrails": [{"variant": "new", "metric": "latency_p95", "value": 31.2, "control": 20.4, "bound": 0.2}]}
    done = [
        ("create", by, "the blend may be too shy", {}, -1.0),
        ("start", by, "go", {"planned_users": 300, "weights": weights}, 0.0),
        ("pause", None, "latency_p95 of new was 31.2 ms against 20.4 ms of control", facts, 3.0),
        ("edit", by, "room to breathe", {"guardrails": [[], [{"metric": "latency_p95", "bound": 0.5}]]}, 3.1),
        ("start", by, "", {"planned_users": 300, "weights": weights}, 3.2),
    ]
    for action, who, reason, facts, day in done:
        test.actions.create(action=action, by=who, reason=reason, facts=facts, at=at(day))
