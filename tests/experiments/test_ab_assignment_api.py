"""Anyone who is logged in reads their own variants of the tests that run, the same ones that they are served."""

from datetime import UTC, datetime

import pytest
from rest_framework.test import APIClient

from experiments import serving
from experiments.assignment import Person
from experiments.models import ABTest, Prediction
from nlp.ml.sentiment import SENTIMENT, SentimentInput
from tests.experiments.conftest import Drafted, Tested, Version
from tests.problems import assert_problem
from tests.queries import pinned_queries

PATH = "/api/v1/experiments/assignment/"


def served(client: APIClient) -> str:
    [answer] = serving.predict(
        SENTIMENT, [SentimentInput("fine")], user_id=client.user.pk, tested=Person.of(client.user)
    )
    return Prediction.objects.get(pk=answer.prediction_id).variant


def test_the_callers_variant_is_the_one_that_they_are_served(
    promoted: Version, tested: Tested, alice: APIClient, mallory: APIClient
) -> None:
    promoted()
    test = tested(*[{"name": f"variant {number}"} for number in range(50)])
    for client in (alice, mallory):
        [before] = client.get(PATH).json()["assignments"]
        assert before == {
            "test": test.pk, "name": "which is better", "task": "sentiment", "variant": served(client), "exposed": False
        }  # fmt: skip
        assert client.get(PATH).json()["assignments"] == [{**before, "exposed": True}]


def test_a_variant_that_they_met_stays_theirs_when_the_weights_change(
    promoted: Version, tested: Tested, alice: APIClient
) -> None:
    promoted()
    test = tested({"name": "a", "weight": 1000}, {"name": "b", "weight": 0.001})
    assert served(alice) == "a"
    test.variants.filter(name="a").update(weight=0.001)
    test.variants.filter(name="b").update(weight=1000)
    assert alice.get(PATH).json()["assignments"][0]["variant"] == "a"


@pytest.mark.parametrize(
    "facts",
    [
        *({"state": state} for state in ["draft", "paused", "stopped"]),
        {"traffic": 0.0},
        {"audience": "staff"},
        {"signed_up_before": datetime(2020, 1, 1, tzinfo=UTC)},
    ],
    ids=str,
)
def test_of_a_test_that_they_take_no_part_in_nothing_is_said(
    tested: Tested, alice: APIClient, facts: dict[str, object]
) -> None:
    tested({"name": "a"}, **facts)
    assert alice.get(PATH).json() == {"assignments": []}


def test_it_costs_the_same_queries_for_any_number_of_tests(drafted: Drafted, alice: APIClient) -> None:
    for task in ["sentiment", "summary", "recommend"]:
        drafted(name=task, task=task)
    ABTest.objects.update(state="running")
    with pinned_queries("assignments of the caller"):
        assert len(alice.get(PATH).json()["assignments"]) == 3


def test_visitors_are_in_no_test(tested: Tested, visitor: APIClient) -> None:
    tested({"name": "a"})
    assert_problem(visitor.get(PATH), 401, "not_authenticated")
