"""The figures of a test are those that numpy and scipy give for the same users."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from experiments.models import Outcome
from experiments.results.report import MetricResult, Results
from experiments.results.summary import results_of
from experiments.statistics.effects import Effect, always_valid, benjamini_hochberg, holm
from tests.experiments.experiment_rows import at, clicks, expose, prediction, started

pytestmark = pytest.mark.django_db
NORMAL = stats.norm


def of(results: Results, name: str) -> MetricResult:
    [found] = [one for one in results.metrics if one.name == name]
    return found


def spend(amounts: NDArray[Any], users: range, day: float) -> None:
    rows = zip(users, amounts.tolist(), strict=True)
    Outcome.objects.bulk_create(
        Outcome(user_id=user, kind="purchase", value=value, created_at=at(day)) for user, value in rows if value
    )


def test_a_share_is_judged_by_two_proportions() -> None:
    test = started()
    expose(test, "control", *range(400))
    expose(test, "new", *range(1000, 1500))
    clicks([*range(100), *range(1000, 1150)])
    control, new = of(results_of(test=test, now=at(9)), "click_rate").variants
    assert (control.n, control.mean, control.absolute) == (400, 0.25, None)
    assert (new.n, new.mean) == (500, 0.3)
    error = np.sqrt(0.25 * 0.75 / 400 + 0.3 * 0.7 / 500)
    assert new.absolute and new.relative
    assert new.absolute.estimate == pytest.approx(0.05)
    assert new.absolute.p == pytest.approx(2 * NORMAL.sf(0.05 / error))
    assert (new.absolute.low, new.absolute.high) == pytest.approx((0.05 - 1.959964 * error, 0.05 + 1.959964 * error))
    assert new.relative.estimate == pytest.approx(0.2)
    assert new.chance_to_win == pytest.approx(NORMAL.cdf(0.05 / error))
    loss = error * NORMAL.pdf(0.05 / error) - 0.05 * NORMAL.sf(0.05 / error)
    assert new.expected_loss == pytest.approx(loss)
    often = always_valid(Effect(estimate=0.05, error=float(error), df=np.inf, users=900))
    assert (new.absolute.sequential_low, new.absolute.sequential_p) == pytest.approx((often.low, often.p))
    assert new.adjusted_p == pytest.approx(often.p)


def test_revenue_is_judged_by_welchs_t() -> None:
    """A hundred in each group that spend alike but for the last, so that nobody is cut off much."""
    test = started(primary_metric="revenue_per_user")
    rng = np.random.default_rng(1)
    groups = [rng.integers(1, 9, 100).astype(float) + more for more in (0, 1)]
    for name, users, amounts in zip(("control", "new"), (range(100), range(100, 200)), groups, strict=True):
        expose(test, name, *users)
        spend(amounts, users, day=2)
    cap = np.quantile(np.concatenate(groups), 0.99)
    a, b = (np.minimum(one, cap) for one in groups)
    expected = stats.ttest_ind(b, a, equal_var=False)
    control, new = of(results_of(test=test, now=at(9)), "revenue_per_user").variants
    assert (control.mean, new.mean) == pytest.approx((a.mean(), b.mean()))
    assert new.absolute
    assert new.absolute.p == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval()
    assert (new.absolute.low, new.absolute.high) == pytest.approx((interval.low, interval.high))


def test_cuped_takes_what_was_known_before() -> None:
    test = started(primary_metric="revenue_per_user")
    rng = np.random.default_rng(2)
    before = [rng.integers(1, 40, 300).astype(float) for _ in range(2)]
    after = [x + rng.integers(1, 10, 300) for x in before]
    for name, first, x, y in zip(("control", "new"), (0, 1000), before, after, strict=True):
        expose(test, name, *range(first, first + 300))
        spend(x, range(first, first + 300), day=-1)
        spend(y, range(first, first + 300), day=2)
    cap = np.quantile(np.concatenate(after), 0.99)
    y, x = ([np.minimum(one, cap) for one in side] for side in (after, before))
    theta = np.cov(np.concatenate(y), np.concatenate(x))[0, 1] / np.var(np.concatenate(x), ddof=1)
    left = [one - theta * other for one, other in zip(y, x, strict=True)]
    found = of(results_of(test=test, now=at(9)), "revenue_per_user")
    assert found.cuped
    assert found.cuped.theta == pytest.approx(theta)
    cut = 1 - sum(one.var(ddof=1) for one in left) / sum(one.var(ddof=1) for one in y)
    assert found.cuped.variance_cut == pytest.approx(cut) and cut > 0.9
    new = found.variants[1]
    assert new.mean == pytest.approx(y[1].mean())
    assert new.absolute and new.absolute.estimate == pytest.approx(left[1].mean() - left[0].mean())
    assert new.absolute.p == pytest.approx(stats.ttest_ind(left[1], left[0], equal_var=False).pvalue)


def test_p_values_are_adjusted_for_all_variants_and_metrics() -> None:
    secondary = ["purchase_rate", "clicks_per_user"]
    test = started("control", "b", "c", secondary_metrics=secondary, guardrails=[{"metric": "cart_rate", "bound": 0.1}])
    for place, name in enumerate(("control", "b", "c")):
        users = range(10_000 * place, 10_000 * place + 300)
        expose(test, name, *users)
        clicks(users[: 60 + 30 * place])
        spend(np.ones(40 + 25 * place), users[: 40 + 25 * place], day=2)
        Outcome.objects.bulk_create(Outcome(user_id=one, kind="cart", value=1, created_at=at(2)) for one in users[:50])
    results = results_of(test=test, now=at(9))

    def column(name: str, field: str) -> list[float]:
        one = of(results, name)
        return [
            getattr(variant.absolute if field == "sequential_p" else variant, field) for variant in one.variants[1:]
        ]

    raw = column("click_rate", "sequential_p")
    assert min(raw) < 0.05
    assert column("click_rate", "adjusted_p") == pytest.approx(holm(raw))
    raw = [*column("purchase_rate", "sequential_p"), *column("clicks_per_user", "sequential_p")]
    found = [*column("purchase_rate", "adjusted_p"), *column("clicks_per_user", "adjusted_p")]
    assert found == pytest.approx(benjamini_hochberg(raw)) and found != pytest.approx(raw)
    assert column("cart_rate", "adjusted_p") == [None, None]
    assert [(one.name, one.role, one.bound) for one in results.metrics] == [
        ("click_rate", "primary", None), ("purchase_rate", "secondary", None), ("clicks_per_user", "secondary", None),
        ("cart_rate", "guardrail", 0.1),
    ]  # fmt: skip


def test_a_variant_that_is_not_known_yet_counts_among_the_comparisons() -> None:
    """Else the p-value of the first one would rise when the second one comes."""
    test = started("control", "b", "c")
    for name, users, buyers in (("control", range(300), 60), ("b", range(1000, 1300), 120)):
        expose(test, name, *users)
        clicks(users[:buyers])
    _, b, c = of(results_of(test=test, now=at(9)), "click_rate").variants
    assert b.absolute and b.adjusted_p == pytest.approx(2 * b.absolute.sequential_p)
    assert (c.n, c.mean, c.adjusted_p, c.missing) == (0, None, None, "A variant has fewer than two users.")


def test_what_differs_in_no_user_has_no_error() -> None:
    test = started()
    expose(test, "control", 1, 2, 3)
    expose(test, "new", 7, 8, 9)
    clicks([7, 8, 9])
    new = of(results_of(test=test, now=at(9)), "click_rate").variants[1]
    assert (new.mean, new.absolute, new.chance_to_win) == (1, None, None)
    assert new.missing.startswith("Within a variant no user differs")


@pytest.mark.parametrize(
    ("metric", "words"),
    [("latency_p95", "Of a variant there are too few predictions."),
     ("rating_of_recommended", "Of a variant there is nothing to divide by.")],
)  # fmt: skip
def test_what_is_unknown_is_said_in_words(metric: str, words: str) -> None:
    test = started(primary_metric=metric)
    expose(test, "control", 1, 2)
    expose(test, "new", 7, 8)
    prediction(7, "new")
    control, new = of(results_of(test=test, now=at(9)), metric).variants
    assert (control.mean, control.missing, new.mean, new.missing) == (None, "", None, words)


def test_the_latency_of_each_variant_is_there_whatever_the_metrics_are() -> None:
    test = started()
    for user, variant, latency in ((1, "control", 10), (2, "control", 30), (7, "new", 50)):
        prediction(user, variant, latency_ms=latency)
    found = results_of(test=test, now=at(9)).latency
    assert [(one.variant, one.answers, one.p50, one.p95) for one in found] == [
        ("control", 2, 20, pytest.approx(29)), ("new", 1, 50, 50),
    ]  # fmt: skip
