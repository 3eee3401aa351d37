"""The log of predictions: there before the answer, bounded, and found again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from uuid import uuid4

import orjson
import pytest
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from experiments import serving
from experiments.errors import NotFound
from experiments.mltask import Digested, Items, from_json, to_json
from experiments.models import ModelVersion, Prediction
from experiments.prediction_log import MAX_ITEMS, MAX_TEXT, prediction_get, prediction_record, shortened
from experiments.uuid7 import uuid7, uuid7_time
from nlp.ml.sentiment import SENTIMENT, SentimentInput
from recommendations.ml.recommend import RECOMMEND, Rated, RecommendInput
from tests.queries import pinned_queries

PREDICT = "/api/v1/predict/sentiment/"


def prediction(**facts: Any) -> Prediction:
    return Prediction(**{"task": "sentiment", "input": {"text": "fine"}, "output": {}, "latency_ms": 1.0, **facts})


@contextmanager
def second_connection() -> Iterator[Any]:
    """Another session of the database, which sees only what is committed."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()


def committed() -> int:
    with second_connection() as cursor:
        cursor.execute("SELECT count(*) FROM experiments_prediction")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_a_prediction_is_committed_when_its_answer_arrives(live: Callable[..., ModelVersion], alice: APIClient) -> None:
    live("sentiment")
    answer = alice.post(PREDICT, {"text": "Lovely"}).json()
    with second_connection() as cursor:
        cursor.execute("SELECT id::text, user_id, output->>'sentiment' FROM experiments_prediction")
        assert cursor.fetchall() == [(answer["prediction_id"], alice.user.pk, answer["sentiment"])]


@pytest.mark.django_db(transaction=True)
def test_a_failed_prediction_is_committed_too(live: Callable[..., ModelVersion], alice: APIClient) -> None:
    live("sentiment")
    serving.live("sentiment").predictor.intercept = "no number"
    assert alice.post(PREDICT, {"text": "Lovely"}).status_code == 503
    assert committed() == 1
    assert Prediction.objects.get().status == "error"


@pytest.mark.django_db(transaction=True)
def test_in_the_callers_transaction_it_commits_or_goes_with_that(live: Callable[..., ModelVersion]) -> None:
    live("sentiment")
    with transaction.atomic():
        serving.predict(SENTIMENT, [SentimentInput("fine")], user_id=None)
        assert committed() == 0
    assert committed() == 1
    with transaction.atomic():
        serving.predict(SENTIMENT, [SentimentInput("fine")], user_id=None)
        transaction.set_rollback(True)
    assert committed() == 1


@pytest.mark.django_db
def test_every_column_comes_back_as_it_was_written() -> None:
    text = "\"quoted\" \\ back%slash%% ☃ \u2028 {'a': 1} $$ -- \U0001f600"
    row = prediction(
        algorithm="tfidf", version=3, variant="b", method="by hand", user_id=2**40, request_id="r-1",
        input={"text": text, "list": [1, 2.5, None, True, [text]]}, output={"nested": {"x": 1e-300}},
        confidence=0.1 + 0.2, latency_ms=0.25, status="fallback", created_at=timezone.now(),
    )  # fmt: skip
    prediction_record([row])
    found = Prediction.objects.get()
    names = [field.attname for field in Prediction._meta.concrete_fields]
    assert {name: getattr(found, name) for name in names} == {name: getattr(row, name) for name in names}


@pytest.mark.django_db
def test_what_is_left_out_is_empty() -> None:
    prediction_record([prediction()])
    found = Prediction.objects.get()
    assert (found.algorithm, found.version, found.user_id, found.confidence) == ("", None, None, None)
    assert found.status == "ok"
    assert abs(found.created_at - uuid7_time(found.pk)) < timedelta(seconds=1)


@pytest.mark.django_db
def test_many_rows_are_one_statement_and_none_is_none() -> None:
    with pinned_queries("log 256 predictions"):
        prediction_record([prediction() for _ in range(256)])
    prediction_record([])
    assert Prediction.objects.count() == 256


def test_a_long_input_is_logged_shortened_and_is_still_one_of_its_task(live: Callable[..., ModelVersion]) -> None:
    live("recommend")
    history = tuple(Rated(product, 4.0) for product in range(MAX_ITEMS + 50))
    serving.predict(RECOMMEND, [RecommendInput(history, allowed=tuple(range(100_000)))], user_id=None)
    row = Prediction.objects.get()
    assert len(row.input["history"]) == len(row.input["allowed"]) == MAX_ITEMS
    assert from_json(RecommendInput, row.input).history == history[:MAX_ITEMS]


class Watched(tuple[Any, ...]):
    """Notes how many of its items are looked at."""

    seen = 0

    def __iter__(self) -> Iterator[Any]:
        for one in super().__iter__():
            self.seen += 1
            yield one

    def __getitem__(self, key: Any) -> Any:
        return Watched(super().__getitem__(key)) if isinstance(key, slice) else super().__getitem__(key)


def test_an_input_is_cut_at_any_depth_and_converted() -> None:
    given = {"a": [[1] * (MAX_ITEMS + 1)] * (MAX_ITEMS + 1), "b": {"c": ("x" * (MAX_TEXT + 1), None, True, 0.5)}}
    assert shortened(given) == {"a": [[1] * MAX_ITEMS] * MAX_ITEMS, "b": {"c": ["x" * MAX_TEXT, None, True, 0.5]}}
    history = tuple(Rated(product, 4.0) for product in range(MAX_ITEMS + 50))
    long, short = RecommendInput(history, n=3, exclude=(1, 2)), RecommendInput(history[:MAX_ITEMS], n=3, exclude=(1, 2))
    assert orjson.loads(orjson.dumps(shortened(long))) == to_json(short)


def test_numbers_that_are_marked_so_are_logged_as_their_digest() -> None:
    @dataclass(frozen=True)
    class Seen:
        vector: Annotated[tuple[float, ...], Items(max_length=3), Digested()]
        name: str = "a"

    same, other = shortened(Seen((0.5, 1.0, 2.0))), shortened(Seen((0.5, 1.0, 3.0)))
    assert same == to_json(Seen((0.5, 1.0, 2.0)))
    assert same["name"] == "a"
    assert same["vector"]["numbers"] == 3
    assert same["vector"]["sha256"] != other["vector"]["sha256"]
    with pytest.raises(ValueError, match="not finite"):
        shortened(Seen((float("nan"),)))


def test_what_the_log_cuts_is_never_looked_at() -> None:
    history = Watched(Rated(product, 4.0) for product in range(10_000))
    assert len(shortened(RecommendInput(history))["history"]) == MAX_ITEMS
    assert history.seen == 0


@pytest.mark.parametrize("value", [float("nan"), "a\0b", {"\0": 1}, 2**64, b"x", {1: 2.0, "a": {print: 1}}], ids=repr)
def test_what_the_log_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        shortened({"given": [value]})


@pytest.mark.django_db
def test_texts_are_shortened_wherever_they_stand() -> None:
    long, longer = "x" * MAX_TEXT, "x" * (MAX_TEXT + 1)
    prediction_record([prediction(input={"a": longer, "b": {"c": [longer] * (MAX_ITEMS + 1)}, "d": long, "e": 1})])
    assert Prediction.objects.get().input == {"a": long, "b": {"c": [long] * MAX_ITEMS}, "d": long, "e": 1}


@pytest.mark.django_db
def test_a_stranger_finds_no_prediction_and_staff_finds_all(
    alice: APIClient, mallory: APIClient, staff: APIClient
) -> None:
    row = prediction(user_id=alice.user.pk)
    prediction_record([row])
    assert prediction_get(prediction_id=row.pk, user=alice.user) == row
    assert prediction_get(prediction_id=row.pk, user=staff.user) == row
    for who, pk in [(mallory, row.pk), (alice, uuid7()), (staff, uuid4())]:
        with pytest.raises(NotFound, match=f"There is no prediction {pk} of yours"):
            prediction_get(prediction_id=pk, user=who.user)


def test_a_prediction_outlives_what_it_speaks_of() -> None:
    assert [field.name for field in Prediction._meta.get_fields() if field.is_relation] == []


@pytest.mark.django_db
def test_the_table_has_no_foreign_key_to_or_from_it() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"
            " AND 'experiments_prediction'::regclass IN (conrelid, confrelid)"
        )
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("name", ["predict one", "predict a batch of 50"])
def test_a_predict_request_makes_as_few_queries_as_ever(
    live: Callable[..., ModelVersion], alice: APIClient, name: str
) -> None:
    live("sentiment")
    given = {"text": "fine"}
    with pinned_queries(name):
        answer = alice.post(PREDICT, {"instances": [given] * 50} if "batch" in name else given)
    assert answer.status_code == 200
