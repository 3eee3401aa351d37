"""What a rule of an alarm may watch, how its figures are shown, and which bounds make sense of them. Pure."""

import math
from collections.abc import Iterable
from typing import Protocol

from experiments.estimates.quality import ESTIMATED

LEVELS = {"latency_p50": 0.5, "latency_p95": 0.95, "latency_p99": 0.99}
RATES = ("error_rate", "fallback_rate")
REQUESTS, DRIFTED = "requests_per_minute", "drifted_features"
COUNTED = (*RATES, *LEVELS, REQUESTS)  # from the rollups
ABOVE, BELOW = "above", "below"
MEANINGS = {
    "error_rate": "share of what the version was asked on which it failed",
    "fallback_rate": "share of the answers that something else gave",
    "latency_p50": "median time of its answers, in ms",
    "latency_p95": "time in ms that 95 % of its answers took at most",
    "latency_p99": "time in ms that 99 % of its answers took at most",
    REQUESTS: "predictions of the task a minute, whoever gave them",
    DRIFTED: "features that the newest drift report calls drifted",
}

HOUR, LONGEST = 60, 1_440  # minutes, of a window and of how long it must last
MOST_NEEDED = 1_000_000  # predictions or truths
MOST, MOST_TIMES = 1e9, 1_000.0  # of a threshold, and of one that is a multiple
LONGEST_COOLDOWN = 10_080  # minutes: a week


class Limits(Protocol):
    """What is read of a rule."""

    metric: str
    comparison: str
    threshold: float
    relative: bool
    window_minutes: int
    for_minutes: int
    least: int
    cooldown_minutes: int


def problems(rule: Limits, known: Iterable[str]) -> dict[str, str]:
    """What is wrong with a rule, by fields; `known` are the names of its task's quality, measured and estimated."""
    names = (*COUNTED, DRIFTED, *sorted(known))
    checks = {
        "metric": ("" if rule.metric in names else f"Expected one of {', '.join(names)}."),
        "threshold": _threshold(rule),
        "relative": (
            "How many features drifted is no multiple of anything." if rule.relative and rule.metric == DRIFTED else ""
        ),
        "window_minutes": _window(rule),
        "for_minutes": _between(rule.for_minutes, 0, LONGEST),
        "least": _least(rule),
        "cooldown_minutes": _between(rule.cooldown_minutes, 1, LONGEST_COOLDOWN),
    }
    return {field: words for field, words in checks.items() if words}


def _threshold(rule: Limits) -> str:
    if not math.isfinite(rule.threshold):
        return "Expected a number."
    if rule.relative:
        return "" if 0 < rule.threshold <= MOST_TIMES else f"Expected a multiple over 0, at most {MOST_TIMES:g}."
    if rule.metric in RATES:
        return _between(rule.threshold, 0, 1)
    return _between(rule.threshold, 0, MOST)


def _window(rule: Limits) -> str:
    if rule.window_minutes < HOUR and (rule.metric == DRIFTED or rule.metric.startswith(ESTIMATED)):
        return f"Expected {HOUR} to {LONGEST:,}: this is found once an hour."
    return _between(rule.window_minutes, 1, LONGEST)


def _least(rule: Limits) -> str:
    if rule.metric == REQUESTS and rule.comparison == BELOW and rule.least:
        return "Expected 0: where nobody asks there are no predictions to wait for."
    return _between(rule.least, 0, MOST_NEEDED)


def _between(value: float, low: float, high: float) -> str:
    return "" if low <= value <= high else f"Expected {low:g} to {high:,.0f}."


def shown(metric: str, value: float) -> str:
    if metric in RATES:
        return f"{value:.1%}"
    return f"{value:.1f} ms" if metric in LEVELS else f"{value:.4g}"
