"""Who was truly served a variant is noted: once a test, with the first prediction, and at no cost after that."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from experiments import prediction_log, serving
from experiments.errors import ModelFailed
from experiments.models import ABTest, Exposure, Prediction
from experiments.prediction_log import exposure_record
from experiments.uuid7 import uuid7
from tests.concurrency import at_once
from tests.experiments.asking import ask_tested, person
from tests.experiments.conftest import Forget, Tested, Version


@pytest.mark.django_db(transaction=True)
def test_the_first_answer_is_the_one_that_is_noted(promoted: Version, tested: Tested, forget: Forget) -> None:
    promoted()
    test = tested({"name": "now"})
    first = ask_tested()
    ask_tested()
    forget()
    ask_tested()
    row = Exposure.objects.get()
    assert (row.test, row.variant.name, row.user_id) == (test, "now", 7)
    assert row.prediction_id == first.prediction_id
    assert Prediction.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_warm_request_writes_its_log_and_asks_nothing(
    promoted: Version, version: Version, tested: Tested, django_assert_num_queries: Any
) -> None:
    promoted()
    tested({"name": "new", "version": version()})
    with django_assert_num_queries(1) as captured:
        ask_tested()
    assert "INSERT" not in captured[0]["sql"]  # as everywhere: planned once a connection
    with django_assert_num_queries(1) as captured:
        ask_tested()
    assert captured[0]["sql"].startswith("EXECUTE insert_")


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_leave_one_exposure(promoted: Version, tested: Tested) -> None:
    promoted()
    tested({"name": "now"})
    at_once(*[ask_tested] * 4)
    assert Exposure.objects.count() == 1
    assert Prediction.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_an_exposure_that_was_rolled_back_is_noted_the_next_time(promoted: Version, tested: Tested) -> None:
    promoted()
    tested({"name": "now"})
    with transaction.atomic():
        ask_tested()
        transaction.set_rollback(True)
    assert not Exposure.objects.exists()
    ask_tested()
    assert Exposure.objects.count() == 1


def test_a_failed_prediction_is_no_exposure(promoted: Version, tested: Tested) -> None:
    promoted(fails_on="broken")
    tested({"name": "now"})
    with pytest.raises(ModelFailed):
        ask_tested(text="it is broken")
    assert not Exposure.objects.exists()


def test_nothing_asked_is_no_exposure(promoted: Version, tested: Tested) -> None:
    from nlp.ml.sentiment import SENTIMENT

    promoted()
    tested({"name": "now"})
    assert serving.predict(SENTIMENT, [], user_id=7, tested=person()) == []
    assert not Exposure.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_test_that_was_deleted_meanwhile_fails_no_request(promoted: Version, tested: Tested) -> None:
    promoted()
    tested({"name": "now"}).delete()
    assert ask_tested().version == 1
    assert not Exposure.objects.exists()


def test_each_test_has_exposures_of_its_own(promoted: Version, tested: Tested) -> None:
    promoted()
    first = tested({"name": "now"})
    ask_tested()
    ABTest.objects.filter(pk=first.pk).update(state="stopped")
    tested({"name": "now"}, name="another")
    ask_tested()
    assert Exposure.objects.filter(user_id=7).count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_process_remembers_a_bounded_number(tested: Tested, forget: Forget, monkeypatch: pytest.MonkeyPatch) -> None:
    variant = tested({"name": "now"}).variants.get()
    monkeypatch.setattr(prediction_log, "MOST_REMEMBERED", 3)
    for user in range(10):
        row = Prediction(task="sentiment", user_id=user, input={}, output={}, latency_ms=1.0)
        exposure_record(row, test_id=variant.test_id, variant_id=variant.pk)
        assert len(prediction_log._exposed) <= 3
    assert Exposure.objects.count() == Prediction.objects.count() == 10


def test_the_database_holds_one_exposure_a_user_and_test(tested: Tested) -> None:
    test = tested({"name": "a"}, {"name": "b"})
    first, second = test.variants.all()
    test.exposures.create(variant=first, user_id=7, prediction_id=uuid7())
    with pytest.raises(IntegrityError), transaction.atomic():
        test.exposures.create(variant=second, user_id=7, prediction_id=uuid7())


def test_a_persons_exposures_are_found_by_index(tested: Tested) -> None:
    variant = tested({"name": "a"}).variants.get()
    Exposure.objects.bulk_create(
        Exposure(test_id=variant.test_id, variant=variant, user_id=user, prediction_id=uuid7()) for user in range(5_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE experiments_exposure")
        cursor.execute("EXPLAIN SELECT 1 FROM experiments_exposure WHERE user_id = 7")
        assert "Index" in str(cursor.fetchall())
