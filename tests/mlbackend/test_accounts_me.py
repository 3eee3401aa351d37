import json

import pytest
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import RefreshToken

from experiments.models import Outcome, Prediction
from mlbackend.accounts.models import User
from mlbackend.accounts.selectors import CHUNK
from reviews.models import Event, Product, Rating, Review
from tests.mlbackend.conftest import SignedIn
from tests.problems import assert_problem

DATA = "/api/v1/auth/me/data/"

pytestmark = pytest.mark.django_db


def exported(client: APIClient) -> dict[str, list[dict[str, object]]]:
    answer = client.get(DATA)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    return json.loads(b"".join(answer.streaming_content))


def test_me_is_the_caller(customer: User, boss: User, signed_in: SignedIn) -> None:
    me = signed_in(customer).get("/api/v1/auth/me/").json()
    assert me == {"id": customer.pk, "username": "alice", "email": "alice@example.com", "is_staff": False}
    assert signed_in(boss).get("/api/v1/auth/me/").json()["is_staff"] is True


@pytest.mark.parametrize(("method", "path"), [("get", "me"), ("delete", "me"), ("get", "me/data")])
def test_nobody_is_somebody_without_a_token(api: APIClient, db: None, method: str, path: str) -> None:
    assert_problem(getattr(api, method)(f"/api/v1/auth/{path}/"), 401, "not_authenticated")


def test_the_export_has_every_row_of_the_caller_and_none_of_others(
    customer: User, outsider: User, signed_in: SignedIn
) -> None:
    product = Product.objects.create(name="Lamp", price="12.50")
    for user in (customer, outsider):
        Review.objects.create(author=user, product=product, text=f"Bright, says {user}", rating=4.5)
        Rating.objects.create(user=user, product=product, value=4.5)
        Prediction.objects.create(task="sentiment", user_id=user.pk, input={"text": "é"}, output={}, latency_ms=1)
        Outcome.objects.create(kind="rating", value=4.5, user_id=user.pk)
    RefreshToken.for_user(customer)

    data = exported(signed_in(customer))
    assert data["account"]["username"] == "alice"
    assert [row["text"] for row in data["reviews"]] == ["Bright, says alice"]
    assert [row["value"] for row in data["ratings"]] == [4.5]
    assert [row["input"] for row in data["predictions"]] == [{"text": "é"}]
    assert [row["kind"] for row in data["outcomes"]] == ["rating"]
    assert data["events"] == []
    assert len(data["tokens"]) == 1


def test_the_export_is_complete_beyond_a_chunk(customer: User, signed_in: SignedIn) -> None:
    product = Product.objects.create(name="Lamp")
    count = 2 * CHUNK + 1
    Event.objects.bulk_create([Event(user=customer, product=product, kind="view") for _ in range(count)])
    assert len({row["id"] for row in exported(signed_in(customer))["events"]}) == count


def test_the_export_gives_no_secret_away(customer: User, signed_in: SignedIn) -> None:
    refresh = str(RefreshToken.for_user(customer))
    text = b"".join(signed_in(customer).get(DATA).streaming_content).decode()
    assert customer.password not in text
    assert refresh not in text
    assert RefreshToken(refresh)["jti"] not in text


def test_a_text_that_was_analysed_in_the_background_belongs_to_its_author(customer: User, signed_in: SignedIn) -> None:
    logged = Prediction.objects.create(task="sentiment", input={"text": "Bright"}, output={}, latency_ms=1)
    Review.objects.create(
        author=customer, product=Product.objects.create(name="Lamp"), text="Bright", prediction_id=logged.pk
    )
    assert [row["id"] for row in exported(signed_in(customer))["predictions"]] == [str(logged.pk)]
