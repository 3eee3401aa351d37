"""From rows to the word: the verdict is told what SQL and the statistics found."""

from typing import Any

import pytest

from experiments.errors import Conflict
from experiments.models import ABTest, Prediction
from experiments.results.summary import results_of
from tests.experiments.experiment_rows import at, clicks, expose, prediction, started

pytestmark = pytest.mark.django_db
USERS = 2_000  # in each group


def running(new_clicks: int, **facts: Any) -> ABTest:
    test = started(**{"planned_users": USERS, **facts})
    expose(test, "control", *range(USERS))
    expose(test, "new", *range(10_000, 10_000 + USERS))
    clicks([*range(400), *range(10_000, 10_000 + new_clicks)])
    return test


def log(slow: float, errors: int = 0) -> None:
    """300 predictions of each variant, of which those of the new one are so much slower."""
    rows = []
    for number in range(600):
        variant = "new" if number % 2 else "control"
        latency = (10 + number % 20 / 10) * (slow if number % 2 else 1)
        status = "error" if number % 2 and number < 2 * errors else "ok"
        rows.append((number, variant, {"latency_ms": latency, "status": status}))
    for number, variant, facts in rows:
        prediction(number, variant, **facts)


@pytest.mark.parametrize(
    ("new_clicks", "facts", "word"),
    [
        (560, {}, "ship"),
        (560, {"planned_users": USERS + 1}, "keep going"),
        (560, {"planned_users": None}, "keep going"),
        (260, {}, "rollback"),
        (420, {}, "keep going"),
        (405, {"smallest_effect": 0.5}, "no difference"),
    ],
)
def test_the_word_follows_the_rows(new_clicks: int, facts: dict[str, Any], word: str) -> None:
    found = results_of(test=running(new_clicks, **facts), now=at(9)).verdict
    assert (found.word, found.variant) == (word, "new"), found.reason


def test_it_is_the_sequential_interval_that_decides() -> None:
    """At this size a fixed horizon would have called it."""
    found = results_of(test=running(470), now=at(9))
    new = found.metrics[0].variants[1]
    assert new.absolute and new.absolute.p < 0.01 < 0.05 < new.absolute.sequential_p
    assert found.verdict.word == "keep going"
    assert new.relative and f"{new.relative.sequential_low:+.1%}" in found.verdict.reason


@pytest.mark.parametrize(("slow", "word"), [(1.0, "ship"), (2.0, "rollback")])
def test_a_guardrail_of_latency_is_held_or_lost(slow: float, word: str) -> None:
    test = running(560, guardrails=[{"metric": "latency_p95", "bound": 0.3}])
    log(slow)
    found = results_of(test=test, now=at(9)).verdict
    assert found.word == word, found.reason
    assert ("latency_p95" in found.reason) == (word == "rollback")


def test_a_guardrail_of_which_nothing_is_known_keeps_it_going() -> None:
    test = running(560, guardrails=[{"metric": "latency_p95", "bound": 0.3}])
    found = results_of(test=test, now=at(9)).verdict
    assert found.word == "keep going" and "latency_p95 (not known)" in found.reason


@pytest.mark.parametrize(("errors", "word"), [(0, "ship"), (60, "rollback")])
def test_an_error_rate_is_judged_in_points(errors: int, word: str) -> None:
    """The control has none, so nothing could be divided by."""
    test = running(560, guardrails=[{"metric": "error_rate", "bound": 0.01}])
    log(1.0, errors)
    assert Prediction.objects.filter(status="error").count() == errors
    found = results_of(test=test, now=at(9))
    assert found.verdict.word == word, found.verdict.reason
    new = found.metrics[1].variants[1]
    assert found.metrics[1].in_points and new.relative is None and new.mean == errors / 300


def test_of_several_variants_the_one_that_ships_is_named() -> None:
    test = started("control", "b", "c", planned_users=USERS)
    for place, (name, clicked) in enumerate({"control": 400, "b": 420, "c": 600}.items()):
        users = range(10_000 * place, 10_000 * place + USERS)
        expose(test, name, *users)
        clicks(users[:clicked])
    found = results_of(test=test, now=at(9)).verdict
    assert (found.word, found.variant) == ("ship", "c")


def test_a_variants_users_are_those_of_the_smaller_group() -> None:
    test = started(planned_users=110)
    expose(test, "control", *range(100))
    expose(test, "new", *range(1000, 1120))
    assert "100 of 110 users a group" in results_of(test=test, now=at(9)).verdict.reason


def test_a_metric_that_is_none_any_more_is_named() -> None:
    with pytest.raises(Conflict, match="judged by happiness, which is no metric any more"):
        results_of(test=started(secondary_metrics=["happiness"]), now=at(9))
