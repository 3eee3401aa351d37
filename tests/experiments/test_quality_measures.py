"""What came of recommendations: followed, clicked, rated, how much of the catalogue they show; kept as rows."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from experiments import tasks as jobs
from experiments.models import Outcome, Prediction, QualityMeasure
from experiments.monitoring.measures import measures_make
from experiments.schedule import jobs as scheduled_jobs
from recommendations import quality
from reviews.models import Product
from reviews.services import event_record, rating_set
from tests.experiments.rolled import prediction
from tests.shop import product, products, rating, user

pytestmark = pytest.mark.django_db


def recommended(*shown: Any, by: Any = None, days: float = 1, **facts: Any) -> Prediction:
    """These products, to this person."""
    given = {"task": "recommend", "algorithm": "ease", "user_id": by.pk if by else 1,
             "output": {"products": [{"product": one.pk} for one in shown], "method": "hybrid"}, **facts}  # fmt: skip
    made = timezone.now() - timedelta(days=days)
    row = prediction(made, created_at=made, **given)
    row.save(force_insert=True)
    return row


def outcome(of: Prediction, on: Product, kind: str = "click") -> None:
    facts = {"subject": f"product:{on.pk}", "user_id": of.user_id, "prediction_id": of.pk}
    Outcome.objects.create(kind=kind, value=1, **facts)


def measured(version: int = 1, hours: float = 168) -> dict[str, tuple[float, int]]:
    measures_make(now=timezone.now())
    rows = QualityMeasure.objects.filter(task="recommend", version=version)
    return {row.name: (row.value, row.n) for row in rows if row.window_end - row.window_start == timedelta(hours=hours)}


def test_hit_rate_is_the_share_of_answers_that_led_somewhere() -> None:
    lamp, desk = products(2)
    first, second, third, _ = (recommended(lamp, desk) for _ in range(4))
    outcome(first, lamp, "click")
    outcome(first, desk, "purchase")
    outcome(second, lamp, "cart")
    outcome(third, lamp, "view")
    assert measured()["hit_rate"] == (0.5, 4)


def test_click_through_is_the_share_of_products_shown_that_were_clicked() -> None:
    lamp, desk, sofa = products(3)
    first, second = recommended(lamp, desk), recommended(lamp, desk, sofa)
    outcome(first, lamp)
    outcome(first, lamp)  # again
    outcome(second, sofa)
    outcome(second, desk, "purchase")
    outcome(first, sofa)  # was not shown there
    assert measured()["click_through"] == (pytest.approx(2 / 5), 5)


def test_coverage_is_the_share_of_the_catalogue_that_anybody_saw() -> None:
    shown = products(10)
    recommended(*shown[:3])
    recommended(*shown[2:4])
    gone = product()
    recommended(gone)
    gone.delete()
    assert measured()["coverage"] == (pytest.approx(4 / 10), 6)


def test_popular_share_counts_the_most_rated_fifth_of_the_catalogue() -> None:
    shown = products(10)
    for one in (shown[4], shown[4], shown[7]):
        rating(one)
    recommended(shown[4], shown[7], shown[0], shown[1])
    assert measured()["popular_share"] == (0.5, 4)


def test_stars_are_those_given_after_the_product_was_recommended_and_the_last_ones_count() -> None:
    ada, bob, lamp, desk = user(), user(), product(), product()
    rating_set(user=ada, product=desk, value=1.0)
    Outcome.objects.update(created_at=timezone.now() - timedelta(days=3))
    recommended(lamp, desk, by=ada)
    recommended(lamp, by=bob)
    rating_set(user=ada, product=lamp, value=2.0)
    rating_set(user=ada, product=lamp, value=4.0)
    rating_set(user=bob, product=desk, value=1.0)  # was not recommended to Bob
    rating_set(user=bob, product=lamp, value=5.0)
    assert measured()["rating_of_recommended"] == (4.5, 2)


def test_without_any_stars_there_is_no_such_figure() -> None:
    recommended(product())
    assert set(measured()) == {"hit_rate", "click_through", "coverage", "popular_share"}


def test_versions_are_measured_apart() -> None:
    lamp = product()
    first, second = recommended(lamp), recommended(lamp, version=2)
    recommended(lamp, version=2)
    outcome(second, lamp)
    assert (measured(1)["hit_rate"], measured(2)["hit_rate"]) == ((0.0, 1), (0.5, 2))
    assert first.version == 1


def test_only_what_a_version_answered_a_customer_itself_counts() -> None:
    lamp = product()
    recommended(lamp)
    for facts in (
        {"status": "fallback"}, {"status": "error", "output": {"error": "ValueError"}}, {"user_id": None},
        {"algorithm": "trending", "version": None}, {"algorithm": "image_embedding"}, {"task": "other"},
        {"output": {"products": [], "method": ""}}, {"output": None},
    ):  # fmt: skip
        recommended(lamp, **facts)
    assert measured()["hit_rate"] == (0.0, 1)


def test_each_window_has_its_own_answers() -> None:
    lamp = product()
    outcome(recommended(lamp, days=0.5), lamp)
    recommended(lamp, days=3)
    recommended(lamp, days=8)
    assert measured(hours=24)["hit_rate"] == (1.0, 1)
    assert measured(hours=168)["hit_rate"] == (0.5, 2)


def test_what_customers_do_through_the_shop_is_found() -> None:
    ada, lamp = user(), product(price=10)
    row = recommended(lamp, by=ada)
    ada.is_staff = False
    event_record(user=ada, product=lamp, kind="click", prediction_id=row.pk)
    event_record(user=ada, product=lamp, kind="purchase", prediction_id=row.pk)
    found = measured()
    assert (found["hit_rate"], found["click_through"]) == ((1.0, 1), (1.0, 1))


def test_of_very_many_answers_the_newest_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    lamp = product()
    monkeypatch.setattr(quality, "SQL", quality.SQL.replace(f"LIMIT {quality.MOST}", "LIMIT 2"))
    recommended(lamp, days=3)
    for days in (2, 1):
        outcome(recommended(lamp, days=days), lamp)
    assert measured()["hit_rate"] == (1.0, 2)


def test_an_empty_shop_has_no_figures() -> None:
    assert measures_make(now=timezone.now()) == 0
    recommended(output={"products": [{"product": 7}], "method": "hybrid"})
    assert measured()["coverage"] == (0.0, 1)


def test_the_worker_measures_every_hour() -> None:
    assert scheduled_jobs()["experiments.tasks.measure_outcomes_hourly"].every == timedelta(hours=1)
    recommended(product(), days=0.5)
    assert jobs.measure_outcomes.call() == 8
