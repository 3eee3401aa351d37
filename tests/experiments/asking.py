"""Asking the live sentiment model, and switching it past the gate."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connections

from experiments import serving
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


def ask_tested(user_id: int = 7, text: str = "fine") -> serving.Answer:
    """As a route does that takes part in tests."""
    [answer] = serving.predict(SENTIMENT, [SentimentInput(text)], user_id=user_id, tested=True)
    return answer
