"""Whether a variant is surely beyond a guardrail, and since when: by figures, without a database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from experiments.statistics.guardrail import Beyond, Known, Reading, beyond_after, share

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SHARES = [(0, 30, 0, 30), (0, 30, 30, 30), (2, 400, 9, 390), (48, 80, 56, 70), (1, 1, 0, 1), (5, 3000, 80, 2900)]


def rates(control: Known, variant: Known, bound: float = 0.01) -> Reading:
    return Reading(variant=variant, control=control, bound=bound, in_points=True)


def times(control: Known, variant: Known, bound: float = 0.1) -> Reading:
    return Reading(variant=variant, control=control, bound=bound, in_points=False)


@pytest.mark.parametrize(("failed", "of"), [(0, 30), (30, 30), (1, 1), (2, 400), (81, 263)])
def test_a_share_has_wilsons_interval_as_statsmodels_has_it(failed: int, of: int) -> None:
    found = share(failed, of)
    assert (found.low, found.high) == pytest.approx(proportion_confint(failed, of, method="wilson"), abs=1e-12)
    assert found.value == failed / of


@pytest.mark.parametrize(("failed0", "of0", "failed1", "of1"), SHARES)
def test_it_is_sure_from_the_lower_end_of_newcombes_interval_on(failed0: int, of0: int, failed1: int, of1: int) -> None:
    low, _ = confint_proportions_2indep(failed1, of1, failed0, of0, method="newcomb", compare="diff")
    control, variant = share(failed0, of0), share(failed1, of1)
    assert rates(control, variant, low - 1e-9).beyond
    assert not rates(control, variant, low + 1e-9).beyond


def test_newcombes_published_interval() -> None:
    """Newcombe 1998, table II: 56/70 less 48/80 is 0.0524 to 0.3339 by method 10."""
    control, variant = share(48, 80), share(56, 70)
    assert rates(control, variant, 0.0523).beyond
    assert not rates(control, variant, 0.0525).beyond


def test_a_latency_is_beyond_where_the_allowed_multiple_of_the_controls_is_surely_exceeded() -> None:
    control = Known(100.0, 90.0, 110.0)  # may be 110 with an error of 11
    assert times(control, Known(131.0, 120.0, 150.0)).beyond  # 21 over it, with an error of 15.6
    assert not times(control, Known(125.0, 114.0, 150.0)).beyond  # 15 over it
    assert not times(control, Known(125.0, 114.0, 150.0)).within
    assert times(control, Known(110.0, 100.0, 120.0)).within
    assert times(control, Known(150.0, 1.0, 150.0)).rise == pytest.approx(0.5)


def looks(*readings: Reading | None, minutes: Sequence[int] = ()) -> Beyond | None:
    """What is known after these looks, one a minute or at these minutes."""
    known: Beyond | None = None
    for place, reading in enumerate(readings):
        known = beyond_after(known, reading, NOW + MINUTE * (minutes[place] if minutes else place))
    return known


BAD, FINE, UNSURE = (rates(share(2, 400), share(failed, 400)) for failed in (80, 2, 9))


def test_the_kinds_of_readings_are_what_they_are_called() -> None:
    assert [(one.beyond, one.within) for one in (BAD, FINE, UNSURE)] == [(True, False), (False, True), (False, False)]


def test_the_first_and_the_last_look_at_which_it_was_beyond_are_kept() -> None:
    assert looks(BAD) == Beyond(NOW, NOW)
    assert looks(BAD, BAD, BAD) == Beyond(NOW, NOW + 2 * MINUTE)


def test_a_variant_that_is_back_begins_anew() -> None:
    assert looks(BAD, FINE) is None
    assert looks(BAD, BAD, FINE, BAD) == Beyond(NOW + 3 * MINUTE, NOW + 3 * MINUTE)


@pytest.mark.parametrize("between", [UNSURE, None], ids=["unsure", "too few"])
def test_what_is_not_sure_neither_ends_nor_prolongs_it(between: Reading | None) -> None:
    assert looks(between) is None
    assert looks(BAD, between, between) == Beyond(NOW, NOW)
    assert looks(BAD, between, between, BAD) == Beyond(NOW, NOW + 3 * MINUTE)
    assert looks(BAD, *[between] * 4, BAD) == Beyond(NOW, NOW + 5 * MINUTE)
    assert looks(BAD, *[between] * 5, BAD) == Beyond(NOW + 6 * MINUTE, NOW + 6 * MINUTE)


def test_time_in_which_nobody_looked_does_not_count() -> None:
    assert looks(BAD, BAD, minutes=[0, 5]) == Beyond(NOW, NOW + 5 * MINUTE)
    assert looks(BAD, BAD, minutes=[0, 60]) == Beyond(NOW + 60 * MINUTE, NOW + 60 * MINUTE)


def paused(day: np.ndarray, bound: float, minutes: int) -> bool:
    """Whether a day would have been: of both variants, failures and answers of the last five minutes at each look."""
    known = None
    for minute, (failed0, of0, failed1, of1) in enumerate(day.tolist()):
        now = NOW + MINUTE * minute
        known = beyond_after(known, rates(share(failed0, of0), share(failed1, of1), bound), now)
        if known and known.seen == now and known.seen - known.since >= minutes * MINUTE:
            return True
    return False


def day_of(rng: np.random.Generator, a_minute: int, *rates: float) -> np.ndarray:
    """Drawn answers of a day by minutes, added up over five."""
    columns = []
    for rate in rates:
        answers = rng.poisson(a_minute, 1440) + 1
        columns += [rng.binomial(answers, rate), answers]
    return np.stack([np.convolve(column, np.ones(5, int), "valid") for column in columns], axis=1)


def test_on_forty_days_chance_pauses_no_test_in_which_both_variants_are_the_same() -> None:
    """2 % of the answers of both fail, and a point more is allowed: of 100 answers in five minutes, it is a point more
    by chance at a third of the looks.
    """
    rng = np.random.default_rng(3)
    assert not any(paused(day_of(rng, 20, 0.02, 0.02), 0.01, 10) for _ in range(40))


@pytest.mark.parametrize(("a_minute", "rate"), [(200, 0.05), (20, 0.2), (7, 0.5)])
def test_a_variant_that_fails_is_found_within_a_quarter_of_an_hour(a_minute: int, rate: float) -> None:
    rng = np.random.default_rng(4)
    assert all(paused(day_of(rng, a_minute, 0.005, rate)[:20], 0.01, 10) for _ in range(40))
