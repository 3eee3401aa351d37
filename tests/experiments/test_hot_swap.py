"""Two real processes that answer all the time, while this one promotes."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise

import pytest

from experiments.models import ModelVersion
from experiments.registry import version_promote
from tests.processes import started

WITHIN_S = 2.0
ASK = """
import sys, threading, time, django
django.setup()
from experiments import serving
from nlp.ml.sentiment import SENTIMENT
serving.start()
stop = threading.Event()
def ask():
    while not stop.is_set():
        try:
            [answer] = serving.predict(SENTIMENT, [SENTIMENT.example], user_id=None)
            said = answer.version
        except Exception as error:
            said = repr(error)
        print(f"{time.time()} {said}\\n", end="", flush=True)
        time.sleep(0.01)
threads = [threading.Thread(target=ask) for _ in range(2)]
for thread in threads: thread.start()
sys.stdin.read()
stop.set()
for thread in threads: thread.join()
"""

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def answers() -> Iterator[Callable[[], list[list[tuple[float, str]]]]]:
    """Two processes that ask and ask; the call stops them and gives when each got which version."""
    with ExitStack() as stack:
        processes = [stack.enter_context(started("-c", ASK)) for _ in range(2)]
        first = [process.stdout.readline() for process in processes]  # both are at work

        def stop() -> list[list[tuple[float, str]]]:
            found = []
            for line, process in zip(first, processes, strict=True):
                out, _ = process.communicate(timeout=20)
                lines = [one.split(" ", 1) for one in [line, *out.splitlines()] if one[:10].isdigit()]
                found.append([(float(at), said.strip()) for at, said in lines])
            return found

        yield stop


def test_other_processes_serve_a_promoted_version_within_two_seconds_and_no_request_fails(
    live: Callable[..., ModelVersion], candidate: Callable[..., ModelVersion], request: pytest.FixtureRequest
) -> None:
    live("sentiment")
    stop = request.getfixturevalue("answers")
    candidate("sentiment")
    version_promote(task="sentiment", version=2, force=True, reason="for a test")
    promoted_at = time.time()
    time.sleep(WITHIN_S + 0.2)
    for found in stop():
        assert len(found) > 100
        assert {said for _, said in found} == {"1", "2"}
        assert min(at for at, said in found if said == "2") < promoted_at + WITHIN_S
        assert max(at for at, said in found if said == "1") < promoted_at + WITHIN_S
        switches = sum(one[1] != other[1] for one, other in pairwise(found))
        assert switches in (1, 3)  # never back; of the two threads one may be an answer behind
