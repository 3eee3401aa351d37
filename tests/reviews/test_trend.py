import math
import random
import threading
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext

import pytest
from django.db import connections, transaction

from reviews import trend
from reviews.models import Event, Product
from reviews.trend import EVENT_WEIGHTS, HALF_LIFE, LIKED_ABOVE, trend_add, trends_rebuild
from tests import shop
from tests.concurrency import at_once

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
Row = tuple[int, float, datetime]

pytestmark = pytest.mark.django_db


def trends() -> dict[int, float]:
    return dict(Product.objects.values_list("pk", "trend"))


def order() -> list[int]:
    return list(Product.objects.order_by("-trend", "id").values_list("pk", flat=True))


def exact_order(rows: list[Row]) -> list[int]:
    """Products by their decayed sum as of now, with 60 digits."""
    with localcontext() as context:
        context.prec = 60
        sums: dict[int, Decimal] = defaultdict(Decimal)
        for product, weight, at in rows:
            sums[product] += Decimal(weight) * Decimal(2) ** (Decimal((at - NOW).total_seconds()) / HALF_LIFE)
        return sorted(sums, key=lambda product: (-sums[product], product))


def scattered(count: int, first: datetime, last: datetime) -> list[Row]:
    """Ratings and events of ten products between two moments, in rows of the shop."""
    draw, shown, rows = random.Random(7), shop.products(10), []
    customers = [shop.user() for _ in range(count // 10)]
    for number in range(count):
        product, who = shown[number % 10], customers[number // 10]
        at = first + timedelta(seconds=draw.uniform(0, (last - first).total_seconds()))
        if draw.random() < 0.5:
            kind = draw.choice(list(EVENT_WEIGHTS))
            shop.event(product, kind, by=who, created_at=at)
            rows.append((product.pk, EVENT_WEIGHTS[kind], at))
        else:
            value = draw.randint(1, 10) / 2
            shop.rating(product, value, by=who, rated_at=at)
            rows.append((product.pk, value - LIKED_ABOVE, at))
    draw.shuffle(rows)
    return rows


def add(rows: list[Row]) -> None:
    for product, weight, at in rows:
        trend_add(product_id=product, weight=weight, at=at)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (NOW - timedelta(days=60), NOW),
        (NOW - timedelta(hours=1), NOW),
        (datetime(1996, 3, 29, tzinfo=UTC), datetime(1996, 6, 1, tzinfo=UTC)),
        (datetime(1996, 3, 29, tzinfo=UTC), NOW),
    ],
    ids=["two months", "an hour", "thirty years ago", "thirty years"],
)
def test_the_order_is_that_of_the_exact_decayed_sums_added_or_rebuilt(first: datetime, last: datetime) -> None:
    rows = scattered(200, first, last)
    add(rows)
    added = trends()
    wanted = exact_order([row for row in rows if row[1] > 0])
    assert len(wanted) == 10
    assert order() == wanted
    trends_rebuild()
    assert trends() == pytest.approx(added, rel=1e-12)
    assert order() == wanted


def test_the_trend_is_the_logarithm_of_the_sum_in_half_lives() -> None:
    lamp = shop.product()
    for _ in range(3):
        trend_add(product_id=lamp.pk, weight=4.0, at=NOW)
    assert trends()[lamp.pk] == pytest.approx(NOW.timestamp() / HALF_LIFE + math.log2(12))


def test_interest_halves_in_a_half_life() -> None:
    old, new = shop.product(), shop.product()
    trend_add(product_id=old.pk, weight=2.0, at=NOW - timedelta(seconds=HALF_LIFE))
    trend_add(product_id=new.pk, weight=1.0, at=NOW)
    assert trends()[old.pk] == pytest.approx(trends()[new.pk])


@pytest.mark.parametrize("value", [0.5, 2.0])
def test_a_rating_that_shows_no_interest_adds_nothing(value: float) -> None:
    lamp = shop.product()
    shop.rating(lamp, value)
    trend_add(product_id=lamp.pk, weight=value - LIKED_ABOVE, at=NOW)
    assert trends() == {lamp.pk: 0}
    assert trends_rebuild() == 0


@pytest.mark.parametrize("year", [1, 1900, 1969, 1970, 9999])
def test_extreme_times_are_finite_and_the_same_when_rebuilt(year: int) -> None:
    lamp, plain = shop.product(), shop.product()
    at = datetime(year, 1, 2, tzinfo=UTC)
    for moment in (at, NOW, at):
        shop.event(lamp, "cart", created_at=moment)
        trend_add(product_id=lamp.pk, weight=4.0, at=moment)
    shop.event(plain, "view", created_at=at)
    trend_add(product_id=plain.pk, weight=1.0, at=at)
    added = trends()
    assert all(math.isfinite(one) and one >= 0 for one in added.values())
    assert added[lamp.pk] >= NOW.timestamp() / HALF_LIFE
    trends_rebuild()
    assert trends() == pytest.approx(added, rel=1e-12)


def test_a_rebuild_forgets_what_was_deleted_and_leaves_the_rest_alone() -> None:
    lamp, shade = shop.product(), shop.product()
    gone = shop.event(lamp, "cart", created_at=NOW)
    shop.event(shade, "cart", created_at=NOW)
    assert trends_rebuild() == 2
    assert trends_rebuild() == 0
    gone.delete()
    assert trends_rebuild() == 1
    assert (trends()[lamp.pk], trends()[shade.pk] > 0) == (0, True)


@pytest.mark.parametrize("batch", [1, 3, 10])
def test_every_batch_of_products_is_rebuilt(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    monkeypatch.setattr(trend, "BATCH", batch)
    for lamp in shop.products(10):
        shop.event(lamp, created_at=NOW)
    assert trends_rebuild() == 10
    assert list(trends().values()) == pytest.approx([NOW.timestamp() / HALF_LIFE] * 10)


def test_an_empty_shop_is_rebuilt() -> None:
    assert trends_rebuild() == 0


@pytest.mark.django_db(transaction=True)
def test_twenty_who_add_at_once_lose_nothing() -> None:
    lamp = shop.product()
    at_once(*[lambda: trend_add(product_id=lamp.pk, weight=1.0, at=NOW, views=1)] * 20)
    assert trends()[lamp.pk] == pytest.approx(NOW.timestamp() / HALF_LIFE + math.log2(20))
    assert Product.objects.get().view_count == 20


@pytest.mark.django_db(transaction=True)
def test_a_rebuild_does_not_lose_what_is_being_added_meanwhile() -> None:
    lamp, who = shop.product(), shop.user()
    shop.event(lamp, "view", by=who, created_at=NOW)
    added = threading.Event()

    def buy() -> None:
        with transaction.atomic():
            Event.objects.create(user=who, product=lamp, kind="purchase", created_at=NOW)
            trend_add(product_id=lamp.pk, weight=8.0, at=NOW)
            added.set()
            wait_for_a_blocked_query()

    def rebuild() -> None:
        added.wait()
        trends_rebuild()

    at_once(buy, rebuild)
    assert trends()[lamp.pk] == pytest.approx(NOW.timestamp() / HALF_LIFE + math.log2(9))


def wait_for_a_blocked_query() -> None:
    """Until somebody waits for this transaction's rows."""
    blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    with connections["default"].cursor() as cursor:
        for _ in range(200):
            cursor.execute(blocked)
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.02)")
    raise AssertionError("nobody waits")
