"""Errors of simulated tests are counted as they were told."""

from functools import partial

import pytest
from statsmodels.stats.proportion import proportion_confint

from experiments.results.figures import Lift
from experiments.simulation import rates
from experiments.simulation.rates import Look, Run, Share, at_the_end, ever


def look(
    *, p: float = 0.5, sequential_p: float = 1.0, estimate: float = 0.1, word: str = "keep going",
    cut: float | None = None,
) -> Look:  # fmt: skip
    """Its relative intervals reach 0.1 and 0.2 to both sides of the estimate."""
    reach = (estimate - 0.1, estimate + 0.1, p, estimate - 0.2, estimate + 0.2, sequential_p)
    return Look(Lift(1.0, 0.0, 2.0, p, -1.0, 3.0, sequential_p), Lift(estimate, *reach), word, False, cut)


NOTHING = Look(None, None, "keep going", True, None)
RUNS: list[Run] = [
    [NOTHING, look(p=0.01), look(p=0.2, word="no difference")],
    [NOTHING, look(p=0.2), look(p=0.04, sequential_p=0.01, estimate=0.25, word="ship", cut=0.3)],
    [NOTHING, look(p=0.2, estimate=0.5), look(p=0.3, estimate=0.05, word="ship", cut=0.4)],
]


@pytest.mark.parametrize(("count", "of"), [(0, 20), (1, 20), (13, 20), (20, 20), (49, 1_000), (1, 1)])
def test_the_interval_of_a_share_is_wilsons(count: int, of: int) -> None:
    assert Share(count, of).interval == pytest.approx(proportion_confint(count, of, method="wilson"), abs=1e-12)


def test_a_share_is_shown_with_its_interval() -> None:
    assert str(Share(5, 100)) == "  5.0% (2.2% to 11.2%)"


def test_any_reading_counts_or_only_the_last_one() -> None:
    found = partial(rates.fixed_horizon_found, alpha=0.05)
    assert (ever(RUNS, found), at_the_end(RUNS, found)) == (Share(2, 3), Share(1, 3))
    assert ever(RUNS, partial(rates.fixed_horizon_found, alpha=0.02)) == Share(1, 3)
    assert ever(RUNS, partial(rates.sequential_found, alpha=0.05)) == Share(1, 3)
    assert ever(RUNS, lambda one: one.alarm) == Share(3, 3)
    assert at_the_end(RUNS, lambda one: one.alarm) == Share(0, 3)


def test_an_interval_misses_the_lift_where_it_is_outside() -> None:
    once, often = (partial(one, effect=0.1) for one in (rates.fixed_horizon_missed, rates.sequential_missed))
    assert (ever(RUNS, once), at_the_end(RUNS, once)) == (Share(2, 3), Share(1, 3))
    assert (ever(RUNS, often), at_the_end(RUNS, often)) == (Share(1, 3), Share(0, 3))


def test_verdicts_are_those_of_the_end_the_most_frequent_first() -> None:
    assert list(rates.words(RUNS).items()) == [("ship", Share(2, 3)), ("no difference", Share(1, 3))]


def test_lift_and_cut_are_means_over_the_tests_that_know_them() -> None:
    assert rates.mean_lift([*RUNS, [NOTHING]]) == pytest.approx((0.1 + 0.25 + 0.05) / 3)
    assert rates.mean_cut(RUNS) == pytest.approx(0.35)
    assert rates.mean_lift([[NOTHING]]) is None
    assert rates.mean_cut([[NOTHING]]) is None
