"""Sentiment models that do what a test says, a small shop whose reviews they are measured on, and an old log."""

import dataclasses
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from experiments import ab_tests, discovery, prediction_log, serving
from experiments.mltask import Batching
from experiments.models import ABTest, ModelVersion
from experiments.prediction_log import partitions_ensure
from experiments.registry import version_promote
from nlp.ml.sentiment import SENTIMENT
from reviews.models import Product, Review
from tests.experiments.pruned import APRIL, MARCH, TABLES, Months, counted
from tests.experiments.rolled import log
from tests.experiments.scripted import Scripted
from tests.shop import BAD, GOOD

Version = Callable[..., ModelVersion]
Tested = Callable[..., ABTest]
Drafted = Callable[..., ABTest]
Forget = Callable[[], None]


@pytest.fixture
def version(candidate: Version, monkeypatch: pytest.MonkeyPatch) -> Version:
    """`version(score=0.7)`: a stored version of a scripted sentiment model, not live."""
    monkeypatch.setitem(SENTIMENT.algorithms, "scripted", Scripted)
    return lambda **script: candidate("sentiment", Scripted(**script), algorithm="scripted")


@pytest.fixture
def promoted(version: Version) -> Version:
    """The same, put live whatever its score."""

    def make(**script: Any) -> ModelVersion:
        row = version(**script)
        version_promote(task="sentiment", version=row.version, force=True, reason="for a test")
        return row

    return make


@pytest.fixture
def reviewed(db: None) -> None:
    """60 products with a good and a bad review each; the last fifth of the reviews is the test part."""
    products = Product.objects.bulk_create(Product(name=f"Lamp {number}") for number in range(60))
    Review.objects.bulk_create(
        Review(product=product, text=text, rating=rating)
        for product in products
        for text, rating in [(GOOD, 5), (BAD, 1)]
    )


@pytest.fixture
def batched(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`batched(max_queue=1)`: sentiment is answered in batches from here on."""

    def make(**bounds: float) -> None:
        task = dataclasses.replace(SENTIMENT, batching=Batching(**bounds))
        monkeypatch.setitem(discovery.tasks(), "sentiment", task)

    return make


@pytest.fixture
def tested(db: None) -> Tested:
    """`tested({"name": "a"}, {"name": "b", "config": …})`: a test of sentiment that runs with these variants."""

    def make(*variants: dict[str, Any], **facts: Any) -> ABTest:
        test = ABTest.objects.create(**{"name": "which is better", "task": "sentiment", "state": "running", **facts})
        for variant in variants:
            test.variants.create(**variant)
        serving.refresh()
        return test

    return make


@pytest.fixture
def drafted(db: None) -> Drafted:
    """`drafted({"name": "a"}, {"name": "b"}, traffic=0.5)`: a draft of a test of sentiment that could be started."""

    def make(*variants: dict[str, Any], **facts: Any) -> ABTest:
        given = {"name": "which is better", "task": "sentiment", "planned_users": 100, **facts}
        return ab_tests.ab_test_create(by=None, variants=variants or [{"name": "a"}, {"name": "b"}], **given)

    return make


@pytest.fixture
def tester(staff: APIClient) -> APIClient:
    """One of the staff who may do all that can be done with A/B tests."""
    return may(staff, "add_abtest", "change_abtest", "delete_abtest", "run_abtest")


def may(client: APIClient, *permissions: str) -> APIClient:
    granted = Permission.objects.filter(content_type__app_label="experiments", codename__in=permissions)
    client.user.user_permissions.add(*granted)
    client.user = type(client.user).objects.get(pk=client.user.pk)  # the other one remembers what it may
    client.force_authenticate(client.user)
    return client


@pytest.fixture
def office(django_user_model: Any, db: None) -> Client:
    """The admin, of one who may do everything."""
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("boss", password="correct horse battery"))
    return client


@pytest.fixture
def forget() -> Iterator[Forget]:
    """As if another process were asked next."""
    yield prediction_log._exposed.clear
    prediction_log._exposed.clear()


@pytest.fixture
def months() -> Months:
    """`months(march=3, april=2)`: predictions in two old months with partitions of their own, all rolled up."""

    def make(march: int = 3, april: int = 2) -> None:
        for month, count in ((MARCH, march), (APRIL, april)):
            partitions_ensure(now=month, ahead=0)
            log(*(month + timedelta(seconds=number) for number in range(count)))
        counted()

    return make


@pytest.fixture
def committed(transactional_db: None, months: Months) -> Iterator[Months]:
    """The same, for tests with several connections."""
    yield months
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DROP TABLE IF EXISTS {table}")
