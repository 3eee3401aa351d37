"""Where texts stand in a logged prediction, and how they are taken out of it. Pure.

A text is a string that the task's dataclass marks `Text`, of what was asked as of what was answered: an answer that may
quote a text is marked too. Where nothing says what a string is, as in rows of a task that is gone, it counts as one.
"""

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from experiments.mltask import Text, digest_of

UNKNOWN: Any = None  # the hint of what no dataclass speaks of
Place = tuple[Any, Any]  # a dict or a list, and the key or the index in it


def has_texts(kind: Any) -> bool:
    """Whether inputs or outputs of this kind can hold any."""
    plain = _plain(kind)
    inner = _hints(plain).values() if dataclasses.is_dataclass(plain) else typing.get_args(plain)
    return _marked(kind) or any(map(has_texts, inner))


def digest_texts(kind: Any, logged: Any) -> bool:
    """Put the digest and the length in the place of each text of a logged input or output; gives whether there was
    any. `kind` is its dataclass, UNKNOWN where there is none any more.
    """
    found = [(holder, key) for holder, key in _places(kind, logged) if isinstance(holder[key], str)]
    for holder, key in found:
        holder[key] = digest_of(holder[key])
    return bool(found)


def texts_are_there(kind: Any, logged: Any) -> bool:
    """Whether all texts of a logged input are still themselves, so that it can be asked again."""
    return not any(isinstance(holder[key], Mapping) for holder, key in _places(kind, logged))


def _places(hint: Any, value: Any) -> Iterator[Place]:
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _inner(_item(hint, index), value, index, inner)
    elif isinstance(value, dict) and "sha256" not in value:  # that is a digest already
        for name, inner in value.items():
            yield from _inner(_field(hint, name), value, name, inner)


def _inner(hint: Any, holder: Any, key: Any, value: Any) -> Iterator[Place]:
    if _marked(hint) or (hint is UNKNOWN and isinstance(value, str)):
        yield holder, key
    else:
        yield from _places(hint, value)


def _field(hint: Any, name: str) -> Any:
    """Of what stands under a name of a dict: a field of a dataclass, or any value of a mapping."""
    plain = _plain(hint)
    if dataclasses.is_dataclass(plain):
        return _hints(plain).get(name, UNKNOWN)
    return typing.get_args(plain)[1] if typing.get_origin(plain) in (dict, Mapping) else UNKNOWN


def _item(hint: Any, index: int) -> Any:
    arguments = typing.get_args(_plain(hint))
    if not arguments:
        return UNKNOWN
    return arguments[0] if arguments[-1] is Ellipsis else arguments[min(index, len(arguments) - 1)]


def _plain(hint: Any) -> Any:
    """Without its bounds, and without that it may be None."""
    if typing.get_origin(hint) is Annotated:
        return _plain(typing.get_args(hint)[0])
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return _plain(next(one for one in typing.get_args(hint) if one is not type(None)))
    return hint


def _marked(hint: Any) -> bool:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return any(map(_marked, typing.get_args(hint)))
    return any(isinstance(one, Text) for one in getattr(hint, "__metadata__", ()))


def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind, include_extras=True)
