"""The watched values of two windows as columns that can be compared: numbers, categories and vectors."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from experiments.drift.fields import Field
from experiments.drift.texts import languages, unknown_shares, words

FEW_TEXTS = 100  # different ones, each ten times on average: that is a choice and no free text
ONE_WORD, SHORT = 2.0, 30.0  # words and characters on average, under both of which it is a name or a code
MOST_CATEGORIES = 50
OTHERS = "(others)"
HUGE = 1e100  # numbers beyond count as this one, whose square is still a number
READ = 100  # characters of a category's name
MOST_EMBEDDED = 200  # texts of a window: a network reads them in seconds

Values = Mapping[str, Sequence[float | str | None]]
Embed = Callable[[Sequence[str]], np.ndarray]


@dataclass(frozen=True)
class Column:
    """One feature in both windows, without what is missing. Numbers and categories (str) have the shape (rows,),
    vectors (rows, dimensions).
    """

    name: str
    kind: Literal["number", "category", "vectors"]
    reference: np.ndarray
    current: np.ndarray


def columns(
    fields: Sequence[Field], reference: Values, current: Values, embed: Embed | None = None
) -> Iterator[Column]:
    """`reference` and `current` hold the values of each field by its name, in any order. `embed` gives texts as vectors
    of shape (texts, dimensions) and is asked for what people wrote, not for answers. A field of which neither window
    has a value is left out.
    """
    for field in fields:
        first, second = _given(reference[field.name]), _given(current[field.name])
        if not first and not second:
            continue
        if field.kind == "number":
            numbers = (np.array(window, float).clip(-HUGE, HUGE) for window in (first, second))
            yield Column(field.name, "number", *numbers)
        elif field.kind == "category":
            yield _categories(field.name, _texts(first), _texts(second))
        else:
            asked = embed if field.name.startswith("input.") else None
            yield from _of_texts(field.name, _texts(first), _texts(second), asked)


def _given(values: Sequence[float | str | None]) -> list[float | str]:
    return [value for value in values if value is not None]


def _texts(values: Sequence[float | str]) -> list[str]:
    return [str(value) for value in values]


def _categories(name: str, reference: Sequence[str], current: Sequence[str]) -> Column:
    """Beyond the commonest of both windows together all are one."""
    short = [[value[:READ] for value in window] for window in (reference, current)]
    counts = Counter(short[0] + short[1])
    kept = {value for value, _ in counts.most_common(MOST_CATEGORIES)}
    first, second = (np.array([value if value in kept else OTHERS for value in window], np.str_) for window in short)
    return Column(name, "category", first, second)


def _of_texts(name: str, reference: list[str], current: list[str], embed: Embed | None) -> Iterator[Column]:
    """A text of many words is several features; a choice is one."""
    if _is_choice(reference + current):
        yield _categories(name, reference, current)
        return
    split = [words(text) for text in reference], [words(text) for text in current]
    lengths = (np.array([len(text) for text in window], float) for window in split)
    yield Column(f"{name}.words", "number", *lengths)
    unknown = (np.array(_given(shares), float) for shares in unknown_shares(*split))
    yield Column(f"{name}.new_words", "number", *unknown)
    written = [[text for text in window if text.strip()] for window in (reference, current)]
    yield _categories(f"{name}.language", languages(written[0]), languages(written[1]))
    if embed and all(written):
        vectors = (embed(_spread(window)) for window in written)
        yield Column(f"{name}.embedding", "vectors", *vectors)


def _is_choice(texts: Sequence[str]) -> bool:
    distinct, written = len(set(texts)), [text for text in texts if text.strip()]
    if distinct <= min(FEW_TEXTS, len(texts) / 10):
        return True
    one_word = sum(len(text.split()) for text in written) < ONE_WORD * len(written)
    return one_word and sum(map(len, written)) < SHORT * len(written)


def _spread(texts: Sequence[str]) -> Sequence[str]:
    """At most MOST_EMBEDDED, evenly."""
    places = np.linspace(0, len(texts) - 1, min(len(texts), MOST_EMBEDDED)).round()
    return [texts[int(place)] for place in places]
