"""The one protocol: what a prediction task is, and what a way of answering it must be able to do.

A task is declared once, under some app's `ml/`, and everything else is derived from it: commands, versions, serving,
the log, the route `POST predict/<task>/` with its validation and schema, and the contract suite. Pure: knows neither
Django nor HTTP.
"""

import dataclasses
import hashlib
import math
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

In = TypeVar("In")
Out = TypeVar("Out")
InContra = TypeVar("InContra", contravariant=True)
OutCo = TypeVar("OutCo", covariant=True)


@dataclass(frozen=True)
class Text:
    """Bound of a text field: `Annotated[str, Text(max_length=…)]`, in characters. A minimum of 1 refuses blank text
    too.
    """

    max_length: int
    min_length: int = 0


@dataclass(frozen=True)
class Number:
    """Bounds of a number field, both included: `Annotated[float, Number(ge=0, le=5)]`."""

    ge: float
    le: float


@dataclass(frozen=True)
class Items:
    """Bound of a sequence field: `Annotated[tuple[int, ...], Items(max_length=1000)]`."""

    max_length: int


Bound = Text | Number | Items


@dataclass(frozen=True)
class Digested:
    """Mark of a text, or of a field of many numbers, of which the log keeps the digest alone: `Annotated[tuple[float,
    ...], Items(…), Digested()]`.
    """


@dataclass(frozen=True)
class Image:
    """A picture as it was uploaded: the bytes of its file. The log holds its digest and its size, so a logged input
    with one cannot be asked again; and what was `seen` of it by whoever opened it (experiments/pictures.py).
    """

    data: bytes
    seen: dict[str, float] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class Examples:
    """Rows to learn from or to be measured on; each task says which columns it needs.

    A column `unit` says which rows belong together (one user, one product) when the rows are dealt into parts. `side`
    holds tables that the rows refer to by id, such as the catalogue; every part keeps them whole.
    """

    rows: "pd.DataFrame"
    side: "Mapping[str, pd.DataFrame]" = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def parts(self, count: int, *, seed: int = 0) -> Iterator["Examples"]:
        """The rows dealt at random into `count` disjoint parts of about equal size, units kept whole; empty ones are
        left out.
        """
        units = self.rows["unit"].factorize()[0] if "unit" in self.rows else np.arange(len(self.rows))
        sizes = np.bincount(units)
        shuffled = np.random.default_rng(seed).permutation(len(sizes))
        deal = np.zeros(len(sizes), np.int64)
        filled = np.zeros(count, np.int64)
        for unit in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:  # the largest first, to the emptiest part
            deal[unit] = filled.argmin()
            filled[deal[unit]] += sizes[unit]
        for part in range(count):
            rows = self.rows[deal[units] == part]
            if len(rows):
                yield Examples(rows, self.side)


@dataclass(frozen=True)
class Split:
    """A task's examples, split by time or by product so that nothing is scored on what it trained on.

    `sources` names the tables that the rows came from (`reviews.Rating`), so that erasing a person can say what
    learned from them.
    """

    fit: Examples
    validation: Examples
    test: Examples
    sources: tuple[str, ...] = ()

    @classmethod
    def by_checksum(cls, rows: "pd.DataFrame", keys: "pd.Series", *, sources: tuple[str, ...]) -> Self:
        """Two tenths of the rows are for the test, one for validation, by a checksum of the key of each: a row stays in
        its part when others come or go, so that no version is ever measured on what it learned from.
        """
        tenth = keys.map(lambda key: crc32(str(key).encode()) % 10)
        return cls(Examples(rows[tenth > 2]), Examples(rows[tenth == 2]), Examples(rows[tenth < 2]), sources)


class Progress(Protocol):
    """Told how far the work is: `done` of `total` steps of `what`."""

    def __call__(self, done: int, total: int, what: str) -> None: ...


def no_progress(done: int, total: int, what: str) -> None:
    """For callers that show nothing."""


class Predictor(Protocol[InContra, OutCo]):
    """One way to answer an MLTask. Knows arrays and files, never HTTP or the ORM. `__init__` only stores
    hyper-parameters.
    """

    def fit(self, examples: Examples, *, progress: Progress) -> Self: ...

    def predict(self, batch: Sequence[InContra]) -> Sequence[OutCo]:
        """One output an input, in the same order."""
        ...

    def evaluate(self, examples: Examples) -> dict[str, float]: ...

    def save(self, folder: Path) -> None:
        """Write everything that `load` needs into the empty `folder`. No pickle."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self: ...


@dataclass(frozen=True)
class Batching:
    """Requests that wait at the same time share one call of `predict`: at most `max_size`; over `max_queue` waiting,
    refuse.
    """

    max_size: int = 32
    max_queue: int = 256
    timeout_s: float = 10.0


@dataclass(frozen=True, kw_only=True)
class MLTask(Generic[In, Out]):
    """What is asked (`input`, a frozen dataclass with bounds), what is answered (`output`), and how answers are
    compared.
    """

    name: str
    input: type[In]
    output: type[Out]
    example: In  # warm-up, canary, OpenAPI, contract suite
    tiny: Callable[[], Examples]  # enough to fit on in a second: contract suite
    metric: str  # what the promotion gate compares
    higher_is_better: bool = True
    public: bool = True  # has a route of its own
    jobs_only: bool = False  # jobs ask it and nobody else: a web process does not load it
    pretrained: bool = False  # its algorithms bring what they know: they are fitted, and promoted, without any rows
    brought: bool = False  # there is nothing to train: somebody brings a file
    needs: tuple[str, ...] = ()  # tasks whose live versions made its examples
    batching: Batching | None = None
    max_instances: int = 256  # in one request
    algorithms: dict[str, type[Predictor[Any, Any]]] = field(default_factory=dict, compare=False)

    def algorithm(self, name: str) -> Callable[[type], type]:
        """Class decorator: registers a predictor under `name`. The first one is the default."""

        def register(predictor: type) -> type:
            if name in self.algorithms:
                raise ValueError(f"task {self.name} has an algorithm {name} already")
            self.algorithms[name] = predictor
            return predictor

        return register


def bounds(cls: type) -> dict[str, Bound]:
    """The bound of each field of a dataclass that has one."""
    hints = typing.get_type_hints(cls, include_extras=True)
    found = {
        name: [m for m in getattr(hint, "__metadata__", ()) if isinstance(m, Bound)] for name, hint in hints.items()
    }
    return {name: metadata[0] for name, metadata in found.items() if metadata}


def to_json(value: Any) -> Any:
    """A dataclass as plain dicts, lists and scalars. TypeError or ValueError for what JSON cannot hold, such as NaN."""
    if value is None or isinstance(value, bool):
        return value
    if type(value) is float and math.isfinite(value):  # nearly all that is logged: the shortest way out
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, tuple | list):
        return [to_json(inner) for inner in value]
    if isinstance(value, Image):
        return {"sha256": hashlib.sha256(value.data).hexdigest(), "bytes": len(value.data), **value.seen}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        short = digested(type(value))
        return {
            name: (digest_of if name in short else to_json)(getattr(value, name)) for name in field_names(type(value))
        }
    if isinstance(value, Mapping):
        return {_text(key): to_json(inner) for key, inner in value.items()}
    raise TypeError(f"{type(value).__name__} is not a plain value")


@lru_cache
def field_names(kind: Any) -> tuple[str, ...]:
    """Of a dataclass."""
    return tuple(one.name for one in dataclasses.fields(kind))


@lru_cache
def digested(kind: Any) -> frozenset[str]:
    """The fields of a dataclass that are marked so."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return frozenset(name for name, hint in hints.items() if Digested() in getattr(hint, "__metadata__", ()))


def digest_of(value: str | Sequence[float]) -> dict[str, Any]:
    """What stands for a text or for numbers in the log."""
    if isinstance(value, str):
        return {"sha256": hashlib.sha256(_text(value).encode()).hexdigest(), "characters": len(value)}
    array = np.asarray(value, np.float64)
    if not np.isfinite(array).all():
        raise ValueError("a number is not finite")
    return {"sha256": hashlib.sha256(array.tobytes()).hexdigest(), "numbers": array.size}


def _text(value: str) -> str:
    if "\0" in value:
        raise ValueError("a text with NUL cannot be stored")
    value.encode()  # a lone surrogate is a UnicodeEncodeError, which is a ValueError
    return value


def _number(value: float) -> float:
    """As Python's own number: numpy's float64 passes for one, but not where JSON is written."""
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise ValueError("an integer of more than 64 bits cannot be stored")
        return int(value)
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    return float(value)


def logged_whole(kind: Any) -> bool:
    """Whether the log keeps an input of this kind as it is, and not the digest alone of a part of it."""
    if not dataclasses.is_dataclass(kind):
        return all(logged_whole(one) for one in typing.get_args(kind))
    fields: Any = kind
    return kind is not Image and not digested(fields) and all(map(logged_whole, typing.get_type_hints(kind).values()))


def from_json(kind: Any, value: Any) -> Any:
    """The reverse of `to_json`, for dataclass fields of scalars, dataclasses, tuples, mappings and None."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else from_json(next(a for a in arguments if a is not type(None)), value)
    if origin is tuple:
        return tuple(from_json(arguments[0], inner) for inner in value)
    if origin in (dict, Mapping):
        return {key: from_json(arguments[1], inner) for key, inner in value.items()}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return kind(**{name: from_json(hints[name], inner) for name, inner in value.items()})
    return value
