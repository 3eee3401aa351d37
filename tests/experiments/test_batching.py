"""The micro-batcher, with a model that waits for the test's word."""

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from experiments.batching import Batcher, Closed
from experiments.errors import QueueFull
from experiments.mltask import Batching
from tests.waiting import until


class Model:
    """Doubles numbers. A batch is answered when `go` is set; `calls` are the batches it got."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.go = threading.Event()
        self.called = threading.Semaphore(0)

    def __call__(self, batch: Sequence[int]) -> list[int]:
        self.calls.append(list(batch))
        self.called.release()
        assert self.go.wait(10)
        if -1 in batch:
            raise ZeroDivisionError("minus one")
        return [2 * one for one in batch]


@pytest.fixture
def model() -> Iterator[Model]:
    model = Model()
    yield model
    model.go.set()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(40) as pool:
        yield pool


Busy = Callable[..., Batcher[int, int]]


@pytest.fixture
def busy(model: Model, pool: ThreadPoolExecutor) -> Iterator[Busy]:
    """`busy(max_size=…)`: a batcher whose model is at work on a first input, 0, until `model.go` is set."""
    made: list[Batcher[int, int]] = []

    def make(**bounds: float) -> Batcher[int, int]:
        batcher = Batcher(model, Batching(**bounds))
        made.append(batcher)
        pool.submit(batcher.submit, [0])
        assert model.called.acquire(timeout=10)
        return batcher

    yield make
    model.go.set()
    for batcher in made:
        batcher.close()


def put(pool: ThreadPoolExecutor, batcher: Batcher[int, int], *requests: list[int]) -> list["Future[list[int]]"]:
    """Submit the requests from a thread each, in this order; they wait when this returns."""
    futures = []
    for inputs in requests:
        size = batcher.size
        futures.append(pool.submit(batcher.submit, inputs))
        until(lambda size=size, inputs=inputs: batcher.size == size + len(inputs))
    return futures


def test_an_idle_model_answers_a_single_request_alone(model: Model) -> None:
    model.go.set()
    batcher = Batcher(model, Batching())
    assert batcher.submit([3]) == [6]
    assert batcher.submit([4, 5]) == [8, 10]
    assert batcher.submit([]) == []
    assert model.calls[:2] == [[3], [4, 5]]
    batcher.close()


def test_what_waits_while_the_model_is_busy_shares_its_next_call(
    model: Model, pool: ThreadPoolExecutor, busy: Busy
) -> None:
    futures = put(pool, busy(), [1], [2, 3], [4])
    model.go.set()
    assert [future.result(10) for future in futures] == [[2], [4, 6], [8]]
    assert model.calls == [[0], [1, 2, 3, 4]]


def test_a_batch_is_at_most_max_size_and_no_request_is_split(
    model: Model, pool: ThreadPoolExecutor, busy: Busy
) -> None:
    futures = put(pool, busy(max_size=4), [1, 1, 1], [2, 2], [3, 3], [4])
    model.go.set()
    assert [future.result(10) for future in futures] == [[2, 2, 2], [4, 4], [6, 6], [8]]
    assert model.calls == [[0], [1, 1, 1], [2, 2, 3, 3], [4]]


def test_a_request_larger_than_a_batch_and_the_queue_runs_alone(
    model: Model, pool: ThreadPoolExecutor, busy: Busy
) -> None:
    large = [7] * 10
    futures = put(pool, busy(max_size=4, max_queue=5), large)
    model.go.set()
    assert futures[0].result(10) == [14] * 10
    assert model.calls == [[0], large]


def test_over_the_bound_a_request_is_refused_at_once_and_the_others_are_answered(
    model: Model, pool: ThreadPoolExecutor, busy: Busy
) -> None:
    batcher = busy(max_queue=3)
    futures = put(pool, batcher, [1, 2], [3])
    start = time.monotonic()
    with pytest.raises(QueueFull, match=r"3 inputs wait for the model already; at most 3 may"):
        batcher.submit([4])
    assert time.monotonic() - start < 1
    model.go.set()
    assert [future.result(10) for future in futures] == [[2, 4], [6]]
    assert batcher.submit([4]) == [8]
    assert batcher.size == 0


def test_a_waiter_who_left_is_skipped(model: Model, pool: ThreadPoolExecutor, busy: Busy) -> None:
    batcher = busy(timeout_s=0.05)
    with pytest.raises(QueueFull, match=r"did not answer within 0\.05 s"):
        batcher.submit([5])
    model.go.set()
    assert batcher.submit([6]) == [12]
    assert model.calls == [[0], [6]]
    assert batcher.size == 0


def test_an_answer_that_comes_too_late_hurts_nobody(model: Model) -> None:
    batcher = Batcher(model, Batching(timeout_s=0.05))
    with pytest.raises(QueueFull):
        batcher.submit([5])  # the model is at work on it when the waiter leaves
    model.go.set()
    assert batcher.submit([6]) == [12]
    batcher.close()


def test_an_error_reaches_every_waiter_of_the_batch_and_the_next_batch_is_answered(
    model: Model, pool: ThreadPoolExecutor, busy: Busy
) -> None:
    batcher = busy(max_size=3)
    futures = put(pool, batcher, [1], [-1], [2], [3])
    model.go.set()
    for future in futures[:3]:
        with pytest.raises(ZeroDivisionError, match="minus one"):
            future.result(10)
    assert futures[3].result(10) == [6]


def test_order_is_kept_under_load(model: Model, pool: ThreadPoolExecutor) -> None:
    model.go.set()
    batcher = Batcher(model, Batching(max_size=8, max_queue=10_000))
    requests = [list(range(start, start + start % 5)) for start in range(500)]
    answers = list(pool.map(batcher.submit, requests))
    assert answers == [[2 * one for one in inputs] for inputs in requests]
    assert max(len(call) for call in model.calls) <= 8
    assert len(model.calls) < len(requests), "no batch was ever formed"
    batcher.close()


def test_close_answers_what_waits_and_takes_no_more(model: Model, pool: ThreadPoolExecutor, busy: Busy) -> None:
    batcher = busy(max_size=1)
    futures = put(pool, batcher, [1], [2], [3])
    batcher.close()
    with pytest.raises(Closed):
        batcher.submit([4])
    model.go.set()
    assert [future.result(10) for future in futures] == [[2], [4], [6]]


def test_a_closed_batcher_lets_go_of_its_thread_and_its_model(model: Model) -> None:
    model.go.set()
    before = set(threading.enumerate())
    batcher = Batcher(model, Batching())
    assert batcher.submit([1]) == [2]
    [thread] = set(threading.enumerate()) - before
    gone = weakref.ref(batcher)
    batcher.close()
    thread.join(10)
    assert not thread.is_alive()
    del batcher, thread
    gc.collect()
    assert gone() is None
