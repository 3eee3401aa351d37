import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from experiments.models import ModelVersion, Outcome
from experiments.uuid7 import EPOCH, uuid7, uuid7_floor
from reviews.models import Event, Product
from tests import shop
from tests.concurrency import at_once
from tests.problems import assert_problem

EVENTS = f"{shop.API}/events/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def predicted(live: Callable[..., ModelVersion]) -> Callable[[APIClient], str]:
    """The id of a prediction that a caller got."""
    live("sentiment")
    return lambda client: client.post(f"{shop.API}/predict/sentiment/", {"text": shop.GOOD}).json()["prediction_id"]


@pytest.mark.parametrize("kind", ["view", "click", "cart", "purchase"])
def test_an_event_is_taken_and_is_an_outcome(
    alice: APIClient, predicted: Callable[[APIClient], str], kind: str
) -> None:
    lamp, prediction = shop.product(price=Decimal("19.90")), predicted(alice)
    answer = alice.post(EVENTS, {"product": lamp.pk, "kind": kind, "prediction_id": prediction})
    assert (answer.status_code, answer.content) == (202, b"")
    event, outcome = Event.objects.get(), Outcome.objects.get()
    assert (event.user, event.product, event.kind, str(event.prediction_id)) == (alice.user, lamp, kind, prediction)
    worth = 19.9 if kind == "purchase" else 1
    assert (outcome.kind, outcome.subject, outcome.value) == (kind, f"product:{lamp.pk}", worth)
    assert (outcome.user_id, str(outcome.prediction_id)) == (alice.user.pk, prediction)


def test_a_purchase_keeps_the_price_that_the_product_had_then(alice: APIClient) -> None:
    lamp, gift = shop.product(price=Decimal(20)), shop.product()
    alice.post(EVENTS, {"product": lamp.pk, "kind": "purchase"})
    Product.objects.filter(pk=lamp.pk).update(price=30)
    for product in (lamp, gift):
        alice.post(EVENTS, {"product": product.pk, "kind": "purchase"})
    assert list(Outcome.objects.order_by("id").values_list("value", flat=True)) == [20, 30, 0]


@pytest.mark.parametrize(("kind", "views"), [("view", 1), ("click", 0), ("cart", 0), ("purchase", 0)])
def test_views_alone_are_counted_and_everything_feeds_the_trend(alice: APIClient, kind: str, views: int) -> None:
    lamp, other = shop.product(), shop.product()
    assert alice.post(EVENTS, {"product": lamp.pk, "kind": kind, "prediction_id": None}).status_code == 202
    lamp.refresh_from_db()
    other.refresh_from_db()
    assert (lamp.view_count, other.view_count, other.trend) == (views, 0, 0)
    assert lamp.trend > 0


def test_a_purchase_weighs_more_than_a_cart_a_click_and_a_view(alice: APIClient, visitor: APIClient) -> None:
    shown = {kind: shop.product(kind) for kind in ("view", "purchase", "click", "cart")}
    for kind, product in shown.items():
        alice.post(EVENTS, {"product": product.pk, "kind": kind})
    trending = visitor.get(f"{shop.API}/products/trending/").json()["recommendations"]
    assert [one["name"] for one in trending] == ["purchase", "cart", "click", "view"]


@pytest.mark.django_db(transaction=True)
def test_twenty_views_at_once_are_all_counted() -> None:
    from reviews.services import event_record

    lamp, who = shop.product(), shop.user()
    at_once(*[lambda: event_record(user=who, product=lamp, kind="view")] * 20)
    lamp.refresh_from_db()
    assert (lamp.view_count, Event.objects.count(), Outcome.objects.count()) == (20, 20, 20)


@pytest.mark.parametrize("kind", ["View", "sale", "", None, 1, True, ["view"], "view\0"])
def test_another_kind_is_refused(alice: APIClient, kind: object) -> None:
    body = json.dumps({"product": shop.product().pk, "kind": kind})
    assert_problem(alice.generic("POST", EVENTS, body, "application/json"), 400, "invalid", "kind")
    assert not Event.objects.exists()


@pytest.mark.parametrize("product", [0, 999_999_999, 10**30, 1.5, True, None, "x"])
def test_a_product_that_is_none_is_refused(alice: APIClient, product: object) -> None:
    shop.product(pk=1)
    body = json.dumps({"product": product, "kind": "view"})
    assert_problem(alice.generic("POST", EVENTS, body, "application/json"), 400, "invalid", "product")


@pytest.mark.parametrize("prediction", ["x", 10**40, -1, True, [], "\0", str(uuid7_floor(EPOCH))])
def test_a_prediction_that_is_none_is_refused(alice: APIClient, prediction: object) -> None:
    body = json.dumps({"product": shop.product().pk, "kind": "view", "prediction_id": prediction})
    assert_problem(alice.generic("POST", EVENTS, body, "application/json"), 400, "invalid", "prediction_id")
    assert not Event.objects.exists()


def test_a_strangers_prediction_is_as_unknown_as_one_that_never_was(
    alice: APIClient, mallory: APIClient, predicted: Callable[[APIClient], str]
) -> None:
    lamp = shop.product()

    def refused(prediction: str) -> dict[str, Any]:
        answer = mallory.post(EVENTS, {"product": lamp.pk, "kind": "click", "prediction_id": prediction})
        body = assert_problem(answer, 400, "invalid", "prediction_id")
        return json.loads(json.dumps(body["errors"]).replace(prediction, "…"))

    assert refused(predicted(alice)) == refused(str(uuid7()))
    assert not Event.objects.exists()
    assert not Outcome.objects.exists()


def test_visitors_leave_no_events(visitor: APIClient) -> None:
    assert_problem(visitor.post(EVENTS, {"product": shop.product().pk, "kind": "view"}), 401, "not_authenticated")
    assert not Event.objects.exists()


def test_events_are_not_read_here(alice: APIClient) -> None:
    assert_problem(alice.get(EVENTS), 405, "method_not_allowed")
