"""Asking the live sentiment model, and switching it past the gate."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from django.db import connections

from experiments import serving
from experiments.assignment import Person
from experiments.models import ModelVersion
from nlp.ml.sentiment import SENTIMENT, SentimentInput


def ask(*texts: str) -> list[serving.Answer]:
    return serving.predict(SENTIMENT, [SentimentInput(text) for text in texts or ("fine",)], user_id=7)


def make_live(version: int) -> None:
    """Without asking the gate or the canary."""
    rows = ModelVersion.objects.filter(task="sentiment")
    rows.exclude(version=version).update(live=False)
    rows.filter(version=version).update(live=True)


def from_threads(count: int, call: Callable[[], object]) -> list[object]:
    """What each call gave or raised, each on a thread and a connection of its own."""

    def run(_: int) -> object:
        try:
            return call()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def person(user_id: int = 7, *, is_staff: bool = False, joined: datetime = datetime(2020, 1, 1, tzinfo=UTC)) -> Person:
    return Person(user_id, is_staff, joined)


def ask_tested(user_id: int = 7, text: str = "fine", **facts: Any) -> serving.Answer:
    """As a route does that takes part in tests; `facts` are of the person."""
    [answer] = serving.predict(SENTIMENT, [SentimentInput(text)], user_id=user_id, tested=person(user_id, **facts))
    return answer
