"""Errors, fallbacks and latency of a variant, from the log of its predictions."""

from dataclasses import astuple

import numpy as np
import pytest

from experiments.results.metrics import METRICS
from experiments.statistics.arms import Sums, quantile_levels
from tests.experiments.experiment_rows import at, expose, prediction, started
from tests.experiments.measuring import measure, sums_of
from tests.experiments.sums import sums

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("metric", "other"), [("error_rate", "fallback"), ("fallback_rate", "error")])
def test_a_rate_is_over_the_predictions_of_each_user(metric: str, other: str) -> None:
    """Where the variant fails something else answers, so the log has two predictions: one is of each rate."""
    test, bad = started(), metric.removesuffix("_rate")
    for user, statuses in {1: ["ok"], 7: ["ok", bad, bad, other], 8: ["ok"], 9: [bad], 10: [other]}.items():
        for one in statuses:
            prediction(user, "new" if user > 1 else "control", status=one)
    assert sums_of(test, metric) == {"control": sums([0], [1]), "new": sums([2, 0, 1, 0], [3, 1, 1, 0])}


def test_who_was_never_answered_counts_though_they_are_in_no_exposure() -> None:
    test = started()
    expose(test, "new", 7)
    prediction(7, "new")
    prediction(8, "new", status="error")
    assert sums_of(test, "error_rate")["new"] == sums([0, 1], [1, 1])


def test_predictions_of_others_do_not_count() -> None:
    test = started(state="stopped", stopped_at=at(3))
    prediction(7, "new", day=2)
    prediction(7, "new", day=3.1, status="error")
    prediction(7, "new", day=-0.1, status="error")
    prediction(7, "", day=2, status="error")
    prediction(7, "of another test", day=2, status="error")
    prediction(7, "new", day=2, status="error", task="sentiment")
    assert sums_of(test, "error_rate") == {"control": Sums(0, 0, 0), "new": sums([0], [1])}


def test_what_was_logged_during_a_pause_is_another_tests() -> None:
    test = started()
    for action, day in (("start", 0), ("pause", 2), ("start", 4), ("stop", 6)):
        test.actions.create(action=action, at=at(day))
    for day in (1, 3, 5, 7):
        prediction(7, "new", day=day)
    assert measure(test).answered["new"].count == 2


@pytest.mark.parametrize("metric", ["latency_p50", "latency_p95"])
def test_quantiles_are_those_of_numpy_with_the_levels_that_their_error_needs(metric: str) -> None:
    level = METRICS[metric].level
    assert level
    rng, test = np.random.default_rng(5), started()
    made = [(int(user), "new" if user % 2 else "control", float(rng.lognormal(3))) for user in rng.integers(0, 60, 400)]
    for user, variant, latency in made:
        prediction(user, variant, latency_ms=latency)
    found = measure(test, metric)
    for name in ("control", "new"):
        of = [(user, latency) for user, variant, latency in made if variant == name]
        latencies = [latency for _, latency in of]
        low, high = quantile_levels(level, len(of)) or (0, 0)
        expected = np.quantile(latencies, [level, low, high])
        answered = found.answered[name]
        assert answered.count == len(of)
        assert astuple(answered.quantiles[level]) == pytest.approx(tuple(expected), rel=1e-12)
        users = sorted({user for user, _ in of})
        below = [sum(one == user and latency <= expected[0] for one, latency in of) for user in users]
        assert found.answers[metric][name] == sums(below, [sum(one == user for one, _ in of) for user in users])


def test_of_few_predictions_the_quantile_is_known_and_its_error_is_not() -> None:
    test = started()
    for latency in (10, 20, 30):
        prediction(7, "new", latency_ms=latency)
    answered = measure(test).answered
    assert list(answered) == ["new"]
    assert [astuple(one) for one in answered["new"].quantiles.values()] == [(20, None, None), (29, None, None)]


@pytest.mark.parametrize(("count", "known"), [(72, False), (73, True)])
def test_the_error_of_a_p95_is_known_from_73_answers_on(count: int, known: bool) -> None:
    test = started()
    for latency in range(count):
        prediction(7, "new", latency_ms=latency)
    p95 = measure(test).answered["new"].quantiles[0.95]
    expected = np.quantile(range(count), [0.95, *(quantile_levels(0.95, count) or ())])
    assert astuple(p95) == (pytest.approx(tuple(expected)) if known else (expected[0], None, None))


def test_users_whom_several_variants_answered_are_counted_and_left_out() -> None:
    test = started("control", "new", "third")
    served = {1: ("control",), 7: ("new", "new"), 8: ("new", "control"), 9: ("control", "new", "third")}
    for user, variants in served.items():
        for variant in variants:
            prediction(user, variant)
    found = measure(test, "error_rate")
    assert found.several == 2
    assert found.answers["error_rate"] == {"control": sums([0], [1]), "new": sums([0], [2])}


def test_who_met_a_variant_and_the_failure_of_another_was_answered_by_one() -> None:
    """After a change of the weights it is the new variant that is asked first."""
    test = started()
    prediction(7, "control")
    prediction(7, "new", status="error")
    prediction(7, "control")
    assert measure(test).several == 0


def test_what_failed_and_what_stood_in_have_no_part_in_the_latency() -> None:
    test = started()
    for latency, status in ((10, "ok"), (0.1, "fallback"), (5_000, "error"), (30, "ok")):
        prediction(7, "new", latency_ms=latency, status=status)
    found = measure(test, "latency_p50")
    assert (found.answered["new"].count, found.answered["new"].quantiles[0.5].value) == (2, 20)
    assert found.answers["latency_p50"]["new"] == sums([1], [2])


def test_the_live_versions_answers_make_nobody_one_of_several() -> None:
    test = started()
    prediction(7, "new")
    prediction(7, "")
    prediction(7, "control", task="sentiment")
    prediction(7, "control", day=-1)
    assert measure(test).several == 0
