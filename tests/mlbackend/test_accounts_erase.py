from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection, models
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import RefreshToken

from experiments.models import ABTest, ABTestAction, Exposure, ModelVersion, Outcome, Prediction, Promotion
from experiments.uuid7 import uuid7
from mlbackend.accounts.models import User
from mlbackend.accounts.selectors import rows_about
from reviews.models import Event, Product, Rating, Review
from tests.concurrency import at_once
from tests.mlbackend.conftest import SignedIn
from tests.problems import assert_problem

ME = "/api/v1/auth/me/"

pytestmark = pytest.mark.django_db


def leave_traces(user: User) -> None:
    product = Product.objects.create(name="Lamp")
    Review.objects.create(author=user, product=product, text="Bright")
    Rating.objects.create(user=user, product=product, value=4)
    Event.objects.create(user=user, product=product, kind="view")
    Event.objects.create(user=user, product=product, kind="click")
    Prediction.objects.create(task="sentiment", user_id=user.pk, input={}, output={}, latency_ms=1)
    test, _ = ABTest.objects.get_or_create(name="which is better", task="sentiment")
    variant, _ = test.variants.get_or_create(name="new")
    Exposure.objects.create(test=test, variant=variant, user_id=user.pk, prediction_id=uuid7())
    Outcome.objects.create(kind="rating", value=4, user_id=user.pk)
    RefreshToken.for_user(user)


def traces(user: User) -> dict[str, int]:
    return {name: rows.count() for name, rows in rows_about(user).items()}


def version(task: str, *sources: str, live: bool = True, age: timedelta = timedelta(0)) -> ModelVersion:
    return ModelVersion.objects.create(
        task=task,
        version=1,
        algorithm="tfidf",
        live=live,
        data={"sources": list(sources)},
        manifest={},
        created_at=timezone.now() - age,
    )


def learned(client: APIClient) -> list[str]:
    return [model["task"] for model in client.delete(ME).json()["models"]]


def test_all_of_the_caller_goes_and_nothing_of_others(customer: User, outsider: User, signed_in: SignedIn) -> None:
    leave_traces(customer)
    leave_traces(outsider)
    before = traces(outsider)
    answer = signed_in(customer).delete(ME)
    assert answer.status_code == 200
    assert answer.json()["erased"] == {
        "reviews": 1, "ratings": 1, "events": 2, "predictions": 1, "exposures": 1, "outcomes": 1, "tokens": 1,
        "admin_log": 0,
    }  # fmt: skip
    assert answer.json()["models"] == []
    assert set(traces(customer).values()) == {0}
    assert list(User.objects.all()) == [outsider]
    assert traces(outsider) == before


def test_the_tokens_of_an_erased_user_stop_at_once(api: APIClient, customer: User, signed_in: SignedIn) -> None:
    client, refresh = signed_in(customer), str(RefreshToken.for_user(customer))
    client.delete(ME)
    assert_problem(client.get(ME), 401, "user_not_found")
    assert_problem(client.delete(ME), 401, "user_not_found")
    assert_problem(api.post("/api/v1/auth/token/refresh/", {"refresh": refresh}), 401, "user_not_found")


def test_live_models_that_learned_from_the_caller_are_listed(customer: User, signed_in: SignedIn) -> None:
    leave_traces(customer)
    version("of reviews", "reviews.Review")
    version("of reviews and more", "reviews.Product", "reviews.Event")
    version("of nothing of theirs", "reviews.Product")
    version("older than the review", "reviews.Review", age=timedelta(days=1))
    version("not live", "reviews.Review", live=False)
    body = signed_in(customer).delete(ME).json()
    assert body["models"] == [
        {"task": "of reviews", "version": 1, "algorithm": "tfidf"},
        {"task": "of reviews and more", "version": 1, "algorithm": "tfidf"},
    ]
    assert "next training" in body["detail"]


def test_a_model_that_learned_from_an_outsider_is_not_listed(
    customer: User, outsider: User, signed_in: SignedIn
) -> None:
    leave_traces(outsider)
    version("of reviews", "reviews.Review", "reviews.Rating", "reviews.Event")
    assert learned(signed_in(customer)) == []


def test_a_rating_that_was_replaced_since_the_training_still_counts(customer: User, signed_in: SignedIn) -> None:
    past = timezone.now() - timedelta(days=2)
    Outcome.objects.create(kind="rating", value=2, user_id=customer.pk, created_at=past)
    Rating.objects.create(user=customer, product=Product.objects.create(name="Lamp"), value=4)
    version("of ratings", "reviews.Rating", age=timedelta(days=1))
    assert learned(signed_in(customer)) == ["of ratings"]


def test_what_a_member_of_staff_promoted_stays_on_record(boss: User, signed_in: SignedIn) -> None:
    promotion = Promotion.objects.create(task="x", kind="promote", to_version=version("x"), by=boss, reason="better")
    signed_in(boss).delete(ME)
    promotion.refresh_from_db()
    assert (promotion.by, promotion.reason) == (None, "better")


def test_a_failure_in_between_erases_nothing(customer: User, signed_in: SignedIn) -> None:
    leave_traces(customer)
    before = traces(customer)
    with connection.cursor() as cursor:
        cursor.execute("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no'; END$$")
        cursor.execute("CREATE TRIGGER t BEFORE DELETE ON accounts_user FOR EACH ROW EXECUTE FUNCTION refuse()")
    assert_problem(signed_in(customer).delete(ME), 500, "internal_error")
    assert traces(customer) == before


@pytest.mark.django_db(transaction=True)
def test_of_two_erasures_at_once_one_counts(customer: User, signed_in: SignedIn) -> None:
    leave_traces(customer)
    client = signed_in(customer)
    answers = sorted(at_once(*[lambda: client.delete(ME)] * 2), key=lambda answer: answer.status_code)
    assert answers[0].status_code == 200
    assert answers[0].json()["erased"]["reviews"] == 1
    assert answers[1].status_code in (401, 404)


@pytest.mark.django_db(transaction=True)
def test_a_login_during_the_erasure_leaves_nothing_behind(customer: User, signed_in: SignedIn) -> None:
    refresh = str(RefreshToken.for_user(customer))
    client = signed_in(customer)
    use = lambda: APIClient().post("/api/v1/auth/token/refresh/", {"refresh": refresh})  # noqa: E731
    erased, used = at_once(lambda: client.delete(ME), use)
    assert erased.status_code == 200
    assert used.status_code in (200, 401)
    assert set(traces(customer).values()) == {0}


def test_every_table_that_knows_a_user_is_exported_and_erased(customer: User) -> None:
    kept = {Promotion, ABTestAction}  # facts about a model, a test; their `by` is emptied
    through = {User.groups.through, User.user_permissions.through}  # go with the user
    knowing = {
        model
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.concrete_fields
        if field.name == "user_id" or (isinstance(field, models.ForeignKey) and field.related_model is User)
    }
    assert knowing - kept - through == {rows.model for rows in rows_about(customer).values()}
