"""Each metric of outcomes has the sums that pandas makes of the same rows."""

from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from experiments.models import ABTest, Exposure, Outcome
from experiments.results.metrics import METRICS
from experiments.statistics.arms import Sums
from tests.experiments.experiment_rows import at, expose, outcome, started
from tests.experiments.measuring import measure, sums_of, total
from tests.experiments.sums import sums

pytestmark = pytest.mark.django_db
KINDS = ["view", "click", "cart", "purchase", "rating"]


def shop(test: ABTest, users: int = 120, rows: int = 900) -> pd.DataFrame:
    """Random outcomes of random users, some before the exposure and some too late; users over `users` are in no test.
    The frame has those of the test, with `after` and `before`.
    """
    rng = np.random.default_rng(3)
    for number in range(users):
        expose(test, "new" if number % 3 else "control", number, day=float(rng.uniform(0, 6)))
    exposed = pd.DataFrame(Exposure.objects.values("user_id", "variant__name", "created_at"))
    made = pd.DataFrame(
        {"user_id": rng.integers(0, users + 20, rows), "kind": rng.choice(KINDS, rows),
         "value": rng.exponential(30, rows).round(2), "day": rng.uniform(-9, 15, rows)}
    )  # fmt: skip
    made["time"] = [at(day) for day in made["day"]]
    Outcome.objects.bulk_create(
        Outcome(user_id=row.user_id, kind=row.kind, value=row.value, created_at=row.time) for row in made.itertuples()
    )
    frame = made.merge(exposed, on="user_id")
    since, window = frame["time"] - frame["created_at"], pd.Timedelta(days=test.window_days)
    return frame.assign(after=(since >= pd.Timedelta(0)) & (since < window),
                        before=(since < pd.Timedelta(0)) & (since >= -window))  # fmt: skip


def per_user(frame: pd.DataFrame, metric: str, when: str) -> pd.Series:
    """The metric of each user who was exposed."""
    chosen = METRICS[metric]
    rows = frame[frame["kind"].isin(chosen.outcomes) & frame[when]]
    each = rows.groupby("user_id")["value"].agg("sum" if chosen.adds else "size")
    return (each > 0).astype(float) if chosen.kind == "proportion" else each.astype(float)


@pytest.mark.parametrize("metric", ["click_rate", "cart_rate", "purchase_rate", "clicks_per_user", "revenue_per_user"])
def test_the_sums_are_those_of_pandas(metric: str) -> None:
    test = started()
    frame = shop(test)
    y, x = (per_user(frame, metric, when) for when in ("after", "before"))
    if quantile := METRICS[metric].winsorised:
        cap = y[y > 0].quantile(quantile)
        assert (y > cap).any()
        y, x = y.clip(upper=cap), x.clip(upper=cap)
    found = sums_of(test, metric)
    exposed = pd.DataFrame(Exposure.objects.values("user_id", "variant__name")).set_index("user_id")["variant__name"]
    for variant in ("control", "new"):
        users = exposed.index[exposed == variant]
        expected = sums(y.reindex(users, fill_value=0.0), x.reindex(users, fill_value=0.0))
        assert astuple(found[variant]) == pytest.approx(astuple(expected), rel=1e-12)
        assert found[variant].y and found[variant].x


def test_metrics_of_the_same_outcomes_are_measured_in_one_query() -> None:
    test = started()
    shop(test, users=10, rows=50)
    names = ("click_rate", "clicks_per_user", "purchase_rate", "revenue_per_user")
    with CaptureQueriesContext(connection) as queries:
        together = measure(test, *names)
    assert sum("experiments_outcome" in query["sql"] for query in queries) == 2
    for name in names:
        assert together.outcomes[name] == measure(test, name).outcomes[name]


def test_one_big_spender_counts_for_no_more_than_others() -> None:
    test = started()
    expose(test, "control", *range(100))
    expose(test, "new", *range(100, 200), 200)
    for user in range(200):
        outcome(user, "purchase", day=2, value=10)
    outcome(200, "purchase", day=2, value=1_000_000)
    assert total(test, "revenue_per_user") == [100, 1000, 101, 1010]


def test_where_few_buy_their_revenue_still_counts() -> None:
    """The quantile is one of those who bought: of all users it would be 0."""
    test = started()
    expose(test, "new", *range(1000))
    outcome(7, "purchase", day=2, value=30)
    assert total(test, "revenue_per_user") == [0, 0, 1000, 30]


def test_a_label_is_worth_nothing_and_still_a_purchase() -> None:
    test = started()
    expose(test, "new", 7)
    outcome(7, "purchase", day=2, value="gift card")
    assert total(test, "revenue_per_user") == [0, 0, 1, 0]
    assert total(test, "purchase_rate") == [0, 0, 1, 1]


def test_a_user_is_one_unit_however_many_rows() -> None:
    test = started()
    expose(test, "new", 7, 8)
    for _ in range(5):
        outcome(7, day=2)
    assert sums_of(test, "clicks_per_user")["new"] == Sums(2, 5.0, 25.0)
    assert sums_of(test, "click_rate")["new"] == Sums(2, 1.0, 1.0)


def test_an_erased_user_is_as_one_who_never_came(alice: APIClient, mallory: APIClient) -> None:
    test = started()
    for one in (alice.user.pk, mallory.user.pk):
        expose(test, "new", one)
        outcome(one, day=2)
    assert total(test, "click_rate") == [0, 0, 2, 2]
    assert alice.delete("/api/v1/auth/me/").status_code == 200
    assert total(test, "click_rate") == [0, 0, 1, 1]


def test_every_outcome_that_a_metric_reads_is_in_the_index() -> None:
    [index] = [one for one in Outcome._meta.indexes if one.name == "outcome_of_metrics"]
    [(_, kinds)] = index.condition.children
    assert set(kinds) == {kind for metric in METRICS.values() for kind in metric.outcomes}


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_a_metric_without_rows_is_zero_for_nobody(metric: object) -> None:
    assert total(started(), metric.name) == [0, 0, 0, 0]  # type: ignore[attr-defined]
