"""`nlp/entities/` and `nlp/summarize/` as a client sees them: answers, bounds, and no 500 for any text."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from experiments.models import ModelVersion, Prediction
from tests import shop
from tests.problems import assert_problem

pytestmark = pytest.mark.django_db
ENTITIES, SUMMARIZE = f"{shop.API}/nlp/entities/", f"{shop.API}/nlp/summarize/"
LONG = "The kettle boils fast. It is easy to clean, and the handle stays cool. The lid is stiff. I like it a lot. " * 3
ODD = ["a", "😀😀😀", "   x   ", "x" * 20_000, "\r\n\t.\r\n", "مرحبا بالعالم", "e\u0301" * 50, "..." * 100]


@pytest.fixture
def texts(live: Callable[..., ModelVersion]) -> None:
    live("entities")
    live("summary")


def test_entities_stand_where_they_are_said_to_stand(alice: APIClient, texts: None) -> None:
    text = "😀 Barack Obama\r\nflew from Paris to Apple in Cupertino."
    body = alice.post(ENTITIES, {"text": text}).json()
    assert (body["model"], body["version"]) == ("spacy", 1)
    found = [one for of_kind in body["entities"].values() for one in of_kind]
    assert "Barack Obama" in [one["word"] for one in body["entities"]["PER"]]
    assert all(text[one["start"] : one["end"]] == one["word"] for one in found)
    assert Prediction.objects.get(pk=body["prediction_id"]).task == "entities"


def test_a_summary_keeps_its_bounds_and_says_how_it_was_made(alice: APIClient, texts: None) -> None:
    body = alice.post(SUMMARIZE, {"text": LONG, "max_length": 25, "min_length": 5}).json()
    assert 5 <= body["summary_length"] == len(body["summary"].split()) <= 25
    assert (body["method"], body["original_length"]) == ("extractive", len(LONG.split()))


def test_a_text_shorter_than_the_least_length_comes_back_as_it_is(alice: APIClient, texts: None) -> None:
    assert alice.post(SUMMARIZE, {"text": "Short and good."}).json()["summary"] == "Short and good."


def test_a_small_upper_bound_alone_is_no_contradiction(alice: APIClient, texts: None) -> None:
    body = alice.post(SUMMARIZE, {"text": LONG, "max_length": 10}).json()
    assert body["summary_length"] <= 10


def test_many_texts_are_answered_in_their_order(alice: APIClient, texts: None) -> None:
    sent = [{"text": "Anna lives in Rome."}, {"text": "Nobody is named here."}]
    results = alice.post(ENTITIES, {"instances": sent}, format="json").json()["results"]
    assert [bool(one["entities"]) for one in results] == [True, False]
    assert len({one["prediction_id"] for one in results}) == 2


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"text": LONG, "max_length": 5, "min_length": 9}, "min_value", "max_length"),
        ({"text": LONG, "max_length": -1}, "min_value", "max_length"),
        ({"text": LONG, "min_length": -1}, "min_value", "min_length"),
        ({"text": LONG, "max_length": 10_000}, "max_value", "max_length"),
        ({"text": ""}, "blank", "text"),
        ({"text": " \n "}, "blank", "text"),
        ({"text": "x" * 20_001}, "max_length", "text"),
        ({}, "required", "text"),
    ],
)
def test_bounds_of_a_summary_are_named_when_they_are_not_kept(
    body: dict[str, Any], code: str, field: str, alice: APIClient
) -> None:
    problem = assert_problem(alice.post(SUMMARIZE, body), 400, "invalid", field)
    assert code in [one["code"] for one in problem["errors"]]


def test_a_contradiction_in_one_of_many_names_its_place(alice: APIClient) -> None:
    sent = [{"text": LONG}, {"text": LONG, "max_length": 5, "min_length": 9}]
    problem = alice.post(SUMMARIZE, {"instances": sent}, format="json").json()
    assert [one["field"] for one in problem["errors"]] == ["instances.1.max_length"]


@pytest.mark.parametrize("path", [ENTITIES, SUMMARIZE])
def test_odd_texts_have_an_honest_answer(path: str, alice: APIClient, texts: None) -> None:
    answers = {text: alice.post(path, {"text": text}).status_code for text in ODD}
    assert set(answers.values()) == {200}, answers


@pytest.mark.parametrize("path", [ENTITIES, SUMMARIZE])
def test_texts_that_are_none_are_refused(path: str, alice: APIClient) -> None:
    assert_problem(alice.post(path, {"text": "a\0b"}), 400, "invalid", "text")
    lone_surrogate = json.dumps({"text": "\ud800"})
    assert_problem(alice.post(path, lone_surrogate, content_type="application/json"), 400, "parse_error")


@pytest.mark.parametrize("path", [ENTITIES, SUMMARIZE])
def test_who_is_not_logged_in_is_not_answered(path: str, visitor: APIClient) -> None:
    assert visitor.post(path, {"text": LONG}).status_code == 401
