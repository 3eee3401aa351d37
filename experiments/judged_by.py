"""Whether what a test is to be judged by is there: its metrics by name, and guardrails whose bounds can be held."""

from collections.abc import Mapping
from typing import Any

from experiments.results.metrics import METRICS

MOST_LOST = 10  # of a guardrail's metric: 10 lets it rise to eleven times what it was


def problems(primary: str, secondary: Any, guardrails: Any) -> dict[str, str]:
    """What is wrong, in words, by the field of the test."""
    found = {
        "primary_metric": _unknown([primary]),
        "secondary_metrics": _unknown(secondary),
        "guardrails": _not_held(guardrails),
    }
    return {field: words for field, words in found.items() if words}


def _unknown(names: Any) -> str:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return "Expected a list of names of metrics."
    if missing := [name for name in names if name not in METRICS]:
        return f"There is no metric {missing[0]}. Known are: {', '.join(METRICS)}."
    return "" if len(set(names)) == len(names) else "A metric is named twice."


def _not_held(guardrails: Any) -> str:
    if not isinstance(guardrails, list) or not all(_is_guardrail(one) for one in guardrails):
        return f'Expected a list of {{"metric": …, "bound": …}}, each bound 0 to {MOST_LOST}.'
    return _unknown([one["metric"] for one in guardrails]) or next(filter(None, map(_never_lost, guardrails)), "")


def _never_lost(guardrail: Mapping[str, Any]) -> str:
    metric, bound = METRICS[guardrail["metric"]], guardrail["bound"]
    if bound < 1 or not (metric.higher_is_better or metric.in_points):
        return ""
    return f"The bound of {metric.name} is {bound:g}, where 1 is all that can be lost. Expected under 1: 0.05 is 5 %."


def _is_guardrail(one: Any) -> bool:
    if not isinstance(one, Mapping) or set(one) != {"metric", "bound"}:
        return False
    bound = one["bound"]
    return isinstance(bound, int | float) and not isinstance(bound, bool) and 0 <= bound <= MOST_LOST
