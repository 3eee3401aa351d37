"""A bounded micro-batcher: requests that wait at the same time share one call of the model. Pure.

One thread takes what waits, up to `max_size` inputs, and calls the model once. Nobody is made to wait for company: an
idle model answers a single request at once, and batches form by themselves while it is busy. When more than
`max_queue` inputs wait, the next caller is refused. A waiter who gave up is skipped. An error of the batch reaches
every waiter in it.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from experiments.errors import QueueFull
from experiments.mltask import Batching

In = TypeVar("In")
Out = TypeVar("Out")


class Closed(Exception):
    """The model was taken out of service; another one is in its place."""


class Batcher(Generic[In, Out]):
    def __init__(self, call: Callable[[Sequence[In]], Sequence[Out]], bounds: Batching) -> None:
        self.call = call
        self.bounds = bounds
        self.waiting: deque[tuple[Sequence[In], Future[list[Out]]]] = deque()
        self.size = 0  # inputs in `waiting`
        self.closed = False
        self.change = threading.Condition()
        threading.Thread(target=self._run, name="batcher", daemon=True).start()

    def submit(self, inputs: Sequence[In]) -> list[Out]:
        """The outputs for `inputs`, in order. Raises QueueFull, Closed, or what the model raised."""
        future: Future[list[Out]] = Future()
        with self.change:
            if self.closed:
                raise Closed
            if self.size + len(inputs) > self.bounds.max_queue and self.size:
                raise QueueFull(f"{self.size} inputs wait for the model already; at most {self.bounds.max_queue} may.")
            self.waiting.append((inputs, future))
            self.size += len(inputs)
            self.change.notify()
        try:
            return future.result(self.bounds.timeout_s)
        except TimeoutError:
            future.cancel()
            raise QueueFull(f"The model did not answer within {self.bounds.timeout_s:g} s.") from None

    def close(self) -> None:
        """Take no more; what waits is still answered."""
        with self.change:
            self.closed = True
            self.change.notify()

    def _take(self) -> list[tuple[Sequence[In], Future[list[Out]]]]:
        taken: list[tuple[Sequence[In], Future[list[Out]]]] = []
        count = 0
        with self.change:
            while not self.waiting and not self.closed:
                self.change.wait()
            while self.waiting and (not taken or count + len(self.waiting[0][0]) <= self.bounds.max_size):
                inputs, future = self.waiting.popleft()
                self.size -= len(inputs)
                if future.set_running_or_notify_cancel():
                    taken.append((inputs, future))
                    count += len(inputs)
        return taken

    def _run(self) -> None:
        while True:
            taken = self._take()
            if not taken:
                if self.closed:
                    return
                continue
            try:
                outputs = self.call([one for inputs, _ in taken for one in inputs])
                at = 0
                for inputs, future in taken:
                    future.set_result(list(outputs[at : at + len(inputs)]))
                    at += len(inputs)
            except BaseException as error:
                for _, future in taken:
                    if not future.done():
                        future.set_exception(error)
