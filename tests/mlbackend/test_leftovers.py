"""What a request wrote while its user was being erased is found and erased too; everything else stays."""

from datetime import timedelta

import pytest
from django.utils import timezone

from experiments.models import ABTest, Exposure, Outcome, Prediction
from experiments.schedule import jobs
from experiments.uuid7 import uuid7, uuid7_floor
from mlbackend.accounts.models import User
from mlbackend.accounts.services import leftovers_erase

pytestmark = pytest.mark.django_db
GONE = 987_654_321


def _prediction(user_id: int | None, **facts: object) -> Prediction:
    given = {"id": uuid7(), "task": "sentiment", "input": {}, "latency_ms": 1, **facts}
    return Prediction.objects.create(user_id=user_id, **given)


def test_rows_of_a_user_who_is_gone_are_erased_and_no_others(customer: User) -> None:
    kept = {_prediction(customer.pk).pk, _prediction(None).pk}
    _prediction(GONE)
    mine = Outcome.objects.create(kind="rating", value=4, user_id=customer.pk)
    Outcome.objects.create(kind="rating", value=4, user_id=GONE)
    test = ABTest.objects.create(name="words", task="recommend")
    variant = test.variants.create(name="words")
    for user_id in (customer.pk, GONE):
        Exposure.objects.create(test=test, variant=variant, user_id=user_id, prediction_id=uuid7())
    assert leftovers_erase() == 3
    assert Exposure.objects.get().user_id == customer.pk
    assert set(Prediction.objects.values_list("pk", flat=True)) == kept
    assert list(Outcome.objects.all()) == [mine]


def test_only_the_last_two_days_are_looked_through() -> None:
    old = _prediction(GONE, id=uuid7_floor(timezone.now() - timedelta(days=3)))
    assert leftovers_erase() == 0
    assert Prediction.objects.get() == old


def test_the_worker_does_it_by_schedule() -> None:
    names = set(jobs())
    assert "mlbackend.accounts.tasks.erase_leftovers" in names
    assert "mlbackend.accounts.tasks.flush_expired_tokens" in names
