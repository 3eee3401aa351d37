"""One word and one sentence for a test, in the order of the rules."""

from typing import Any

import pytest

from experiments.statistics.verdict import Evidence, Figure, Guardrail, verdict

WON = Figure(metric="purchase rate", effect=0.06, low=0.02, high=0.10, p=0.004)
LOST = Figure(metric="purchase rate", effect=-0.06, low=-0.10, high=-0.02, p=0.004)
OPEN = Figure(metric="purchase rate", effect=0.01, low=-0.04, high=0.06, p=0.6)
SAME = Figure(metric="purchase rate", effect=0.004, low=-0.01, high=0.018, p=0.6)
TINY = Figure(metric="purchase rate", effect=0.01, low=0.005, high=0.015, p=0.001)


def latency(low: float, high: float) -> Guardrail:
    figure = Figure(metric="p95 latency", effect=(low + high) / 2, low=low, high=high, higher_is_better=False)
    return Guardrail(figure, bound=0.05)


FAST, SLOW, MAYBE_SLOW = latency(-0.02, 0.03), latency(0.06, 0.12), latency(0.02, 0.07)


def evidence(primary: Figure = WON, *guardrails: Guardrail, **changes: Any) -> Evidence:
    enough: dict[str, Any] = {"users": 5_000, "planned": 5_000, "sample_ratio_p": 0.4, "multiple_exposures": 0.0}
    known = enough | {"variant": "b", "smallest_effect": 0.03} | changes
    return Evidence(primary=primary, guardrails=guardrails, **known)


@pytest.mark.parametrize(
    ("known", "word"),
    [
        (evidence(WON), "ship"),
        (evidence(WON, FAST), "ship"),
        (evidence(WON, SLOW), "rollback"),
        (evidence(WON, FAST, SLOW), "rollback"),
        (evidence(WON, MAYBE_SLOW), "keep going"),
        (evidence(LOST, FAST), "rollback"),
        (evidence(OPEN, FAST), "keep going"),
        (evidence(OPEN, SLOW), "rollback"),
        (evidence(SAME, FAST), "no difference"),
        (evidence(SAME, SLOW), "rollback"),
        (evidence(TINY, FAST), "no difference"),
        (evidence(Figure(metric="revenue", effect=None)), "keep going"),
        (evidence(Figure(metric="revenue", effect=0.0)), "keep going"),
    ],
)
def test_the_word_follows_the_figures(known: Evidence, word: str) -> None:
    assert verdict([known]).word == word


@pytest.mark.parametrize("primary", [WON, LOST, OPEN, SAME])
@pytest.mark.parametrize("guardrail", [FAST, SLOW])
def test_before_the_planned_users_nothing_is_decided(primary: Figure, guardrail: Guardrail) -> None:
    found = verdict([evidence(primary, guardrail, users=4_999)])
    assert found.word == "keep going" and "4,999 of 5,000 users" in found.reason
    assert ("guardrail is lost so far" in found.reason) == (guardrail is SLOW)


@pytest.mark.parametrize("users", [10, 5_000])
@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"sample_ratio_p": 0.0009}, "not split as planned (p = 0.0009)"), ({"multiple_exposures": 0.011}, "1.1%")],
)
def test_a_broken_test_says_nothing_else(users: int, changes: dict[str, float], reason: str) -> None:
    found = verdict([evidence(WON, FAST, users=users, **changes)])
    assert found.word == "broken" and reason in found.reason


def test_at_the_alarms_bounds_the_test_is_whole() -> None:
    assert verdict([evidence(WON, sample_ratio_p=0.001, multiple_exposures=0.01)]).word == "ship"


def test_won_quality_and_lost_latency_stand_side_by_side() -> None:
    assert verdict([evidence(WON, SLOW)]).reason == (
        "purchase rate +6.0% (+2.0% to +10.0%) is won, but a guardrail is lost: "
        "p95 latency +9.0% (+6.0% to +12.0%), of which 5.0% may be lost."
    )


def test_a_metric_that_should_fall_is_won_by_falling() -> None:
    returns = Figure(metric="returns", effect=-0.06, low=-0.10, high=-0.02, p=0.004, higher_is_better=False)
    assert verdict([evidence(returns)]).word == "ship"
    quality = Guardrail(Figure(metric="rating", effect=-0.09, low=-0.12, high=-0.06), bound=0.05)
    assert verdict([evidence(returns, quality)]).word == "rollback"


def test_a_guardrail_that_is_nothing_in_both_groups_holds_and_an_unknown_one_does_not() -> None:
    no_errors = Guardrail(Figure(metric="error rate", effect=0.0, higher_is_better=False), bound=0.01)
    unknown = Guardrail(Figure(metric="error rate", effect=None, higher_is_better=False), bound=0.01)
    assert [verdict([evidence(WON, one)]).word for one in (no_errors, unknown)] == ["ship", "keep going"]


def test_an_adjusted_p_that_is_not_small_wins_nothing() -> None:
    assert verdict([evidence(Figure(metric="clicks", effect=0.06, low=0.01, high=0.11, p=0.05))]).word == "keep going"
    assert verdict([evidence(WON)], alpha=0.001).word == "keep going"


@pytest.mark.parametrize(
    ("variants", "said"),
    [
        ([evidence(LOST, variant="b"), evidence(WON, variant="c")], ("c", "ship")),
        ([evidence(LOST, variant="b"), evidence(OPEN, variant="c")], ("c", "keep going")),
        ([evidence(LOST, variant="b"), evidence(SAME, variant="c")], ("c", "no difference")),
        ([evidence(WON, variant="b"), evidence(WON, variant="c", sample_ratio_p=0.0)], ("c", "broken")),
        (
            [
                evidence(WON, variant="b"),
                evidence(Figure(metric="clicks", effect=0.2, low=0.1, high=0.3, p=0.001), variant="c"),
            ],
            ("c", "ship"),
        ),
    ],
)
def test_of_several_variants_the_one_that_says_most_is_named(variants: list[Evidence], said: tuple[str, str]) -> None:
    found = verdict(variants)
    assert (found.variant, found.word) == said
