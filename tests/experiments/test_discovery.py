"""What the rooms bring is found by name."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from experiments import discovery
from experiments.discovery import dataset, task_named, tasks
from experiments.errors import NotFound
from nlp.ml import sentiment
from nlp.ml.sentiment import SENTIMENT
from recommendations.ml.recommend import RECOMMEND
from reviews import datasets


@pytest.fixture
def looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks are looked for anew, instead of once a process."""
    monkeypatch.setattr(discovery, "tasks", tasks.__wrapped__)


def test_the_tasks_of_all_rooms_are_found() -> None:
    assert tasks()["sentiment"] is SENTIMENT
    assert tasks()["recommend"] is RECOMMEND
    assert task_named("sentiment") is SENTIMENT


def test_an_unknown_task_is_answered_with_the_known_ones() -> None:
    with pytest.raises(NotFound, match=r"There is no task flavour\. Known are: .*recommend, .*sentiment"):
        task_named("flavour")
    with pytest.raises(NotFound) as refused:
        task_named("x" * 10_000)
    assert len(refused.value.detail) < 1_000


def test_two_tasks_of_one_name_are_a_mistake(looked_for_again: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentiment, "TWIN", replace(SENTIMENT), raising=False)
    with pytest.raises(ValueError, match="two tasks are named sentiment"):
        discovery.tasks()


def test_a_task_that_two_modules_know_is_one(looked_for_again: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentiment, "RECOMMEND", RECOMMEND, raising=False)
    assert discovery.tasks() == tasks()


def test_examples_come_from_the_function_of_the_tasks_name(monkeypatch: pytest.MonkeyPatch) -> None:
    split = SimpleNamespace()
    monkeypatch.setattr(datasets, "shoe_size", lambda: split, raising=False)
    assert dataset(replace(SENTIMENT, name="shoe-size")) is split
    with pytest.raises(NotFound, match=r"No datasets\.py has a function hat_size, so hat-size cannot be trained"):
        dataset(replace(SENTIMENT, name="hat-size"))
