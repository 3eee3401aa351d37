"""`POST predict/<task>/`: one input or many, and what is refused."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.urls import resolve
from rest_framework.exceptions import ValidationError
from rest_framework.test import APIClient

from experiments.models import ModelVersion, Prediction
from nlp.ml.sentiment import SENTIMENT
from tests.problems import assert_problem

PREDICT = "/api/v1/predict/sentiment/"
MOST = 256
Live = Callable[..., ModelVersion]


@pytest.fixture
def served(live: Live) -> None:
    live("sentiment")


def test_one_input_has_one_answer(served: None, alice: APIClient) -> None:
    body = alice.post(PREDICT, {"text": "I love it, lovely soft fabric", "title": "Great"}).json()
    assert set(body) == {"sentiment", "confidence", "scores", "model", "version", "prediction_id"}
    assert (body["sentiment"], body["model"], body["version"]) == ("positive", "tfidf", 1)
    assert body["confidence"] == body["scores"]["positive"] > 0.5
    assert sum(body["scores"].values()) == pytest.approx(1)
    row = Prediction.objects.get(pk=UUID(body["prediction_id"]))
    assert (row.user_id, row.confidence) == (alice.user.pk, body["confidence"])
    assert row.input == {"text": "I love it, lovely soft fabric", "title": "Great"}


def test_the_request_id_of_the_call_is_on_its_prediction(served: None, alice: APIClient) -> None:
    answer = alice.post(PREDICT, {"text": "fine"}, HTTP_X_REQUEST_ID="web-1.7")
    assert answer["X-Request-ID"] == Prediction.objects.get().request_id == "web-1.7"


def test_a_batch_has_its_results_in_order_each_with_an_id_of_its_own(served: None, alice: APIClient) -> None:
    texts = ["I love it", "I hate it", "Terrible fabric, fits badly", "Great value and great fit"]
    results = alice.post(PREDICT, {"instances": [{"text": text} for text in texts]}).json()["results"]
    assert [one["sentiment"] for one in results] == ["positive", "negative", "negative", "positive"]
    assert len({one["prediction_id"] for one in results}) == 4
    for text, one in zip(texts, results, strict=True):
        row = Prediction.objects.get(pk=one["prediction_id"])
        assert (row.input["text"], row.output["sentiment"]) == (text, one["sentiment"])


def test_a_batch_equals_its_singles(served: None, alice: APIClient) -> None:
    given = [{"text": "I love it"}, {"text": "so so", "title": "Poor"}]
    batch = alice.post(PREDICT, {"instances": given}).json()["results"]
    singles = [alice.post(PREDICT, one).json() for one in given]
    assert [{**one, "prediction_id": ""} for one in batch] == [{**one, "prediction_id": ""} for one in singles]


def test_a_batch_may_have_256_instances_and_no_more(served: None, alice: APIClient) -> None:
    results = alice.post(PREDICT, {"instances": [{"text": "fine"}] * MOST}).json()["results"]
    assert len(results) == MOST == Prediction.objects.count()
    for count in (0, MOST + 1):
        answer = alice.post(PREDICT, {"instances": [{"text": "fine"}] * count})
        body = assert_problem(answer, 400, "invalid", "instances")
        assert f"Expected 1 to 256 instances, got {count}." in body["detail"]
    assert Prediction.objects.count() == MOST


def test_an_error_in_a_batch_names_the_instance_and_nothing_is_answered(served: None, alice: APIClient) -> None:
    given = [{"text": "fine"}] * 3 + [{"text": ""}, {"text": "fine", "title": "x" * 301}, "fine", None, {}]
    body = assert_problem(alice.post(PREDICT, {"instances": given}), 400, "invalid")
    assert [(error["field"], error["code"]) for error in body["errors"]] == [
        ("instances.3.text", "blank"),
        ("instances.4.title", "max_length"),
        ("instances.5", "invalid"),
        ("instances.6", "null"),
        ("instances.7.text", "required"),
    ]
    assert not Prediction.objects.exists()


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ({}, "text", "required"),
        ({"text": None}, "text", "null"),
        ({"text": ""}, "text", "blank"),
        ({"text": " \n\t"}, "text", "blank"),
        ({"text": "x" * 10_001}, "text", "max_length"),
        ({"text": "a\0b"}, "text", "null_characters_not_allowed"),
        ({"text": 7}, "text", "invalid"),
        ({"text": ["fine"]}, "text", "invalid"),
        ({"text": {"a": 1}}, "text", "invalid"),
        ({"text": True}, "text", "invalid"),
        ({"text": "fine", "title": None}, "title", "null"),
        ({"text": "fine", "title": "x" * 301}, "title", "max_length"),
        ({"instances": None}, "instances", "not_a_list"),
        ({"instances": {"0": {"text": "fine"}}}, "instances", "not_a_list"),
        ({"instances": "fine"}, "instances", "not_a_list"),
        ([], "", "invalid"),
        ([{"text": "fine"}], "", "invalid"),
        ("fine", "", "invalid"),
        (7, "", "invalid"),
    ],
)
def test_what_is_wrong_is_named(served: None, alice: APIClient, given: Any, field: str, code: str) -> None:
    body = assert_problem(alice.post(PREDICT, given), 400, "invalid", field)
    assert body["errors"][0]["code"] == code
    assert not Prediction.objects.exists()


def test_json_that_no_other_parser_reads_alike_is_refused(served: None, alice: APIClient) -> None:
    for text in [r'"\ud800"', r'"x\udc00"', "NaN", "Infinity", "1e999", '"\xff"']:
        body = b'{"text": ' + text.encode("latin-1") + b"}"
        assert_problem(alice.generic("POST", PREDICT, body, "application/json"), 400, "parse_error")


def test_text_is_taken_as_it_was_sent(served: None, alice: APIClient) -> None:
    text = "  Spaces, \u2028 lines\r\n\r\n and \U0001f600 \u202e \ufffe stay. "
    assert alice.post(PREDICT, {"text": text}).status_code == 200
    assert Prediction.objects.get().input["text"] == text


def test_the_longest_text_of_the_widest_characters_is_answered(served: None, alice: APIClient) -> None:
    text = "\U0001f600" * 10_000
    answer = alice.generic("POST", PREDICT, json.dumps({"text": text}, ensure_ascii=False).encode(), "application/json")
    assert answer.status_code == 200
    assert Prediction.objects.get().input["text"] == text


def test_a_field_that_the_task_does_not_have_is_ignored(served: None, alice: APIClient) -> None:
    assert alice.post(PREDICT, {"text": "fine", "version": 7, "user_id": 1}).json()["version"] == 1
    row = Prediction.objects.get()
    assert (row.user_id, set(row.input)) == (alice.user.pk, {"text", "title"})


def test_only_who_is_logged_in_is_answered(served: None, visitor: APIClient) -> None:
    assert_problem(visitor.post(PREDICT, {"text": "fine"}), 401, "not_authenticated")
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("name", ["flavour", "recommend", "Sentiment", "sentiment/1", "%00", "x" * 5000])
def test_a_task_without_a_route_is_not_found(alice: APIClient, name: str) -> None:
    assert_problem(alice.post(f"/api/v1/predict/{name}/", {"text": "fine"}), 404, "not_found")


def test_the_route_takes_nothing_but_post(alice: APIClient) -> None:
    for method in ("get", "put", "patch", "delete"):
        assert_problem(getattr(alice, method)(PREDICT), 405, "method_not_allowed")


def test_one_serializer_for_all_requests_mixes_none_of_them_up() -> None:
    """The view validates with one instance in all threads."""
    serializer = resolve(PREDICT).func.cls.input
    wrong = {"text": "", "title": "x" * 301}
    given = [{"text": f"text {number}", "title": f"title {number}"} if number % 2 else wrong for number in range(400)]

    def check(one: dict[str, str]) -> Any:
        try:
            return serializer.run_validation(one)
        except ValidationError as error:
            return set(error.detail)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(check, given))
    assert found == [SENTIMENT.input(**one) if one is not wrong else {"text", "title"} for one in given]
