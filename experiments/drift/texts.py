"""What of a text can be counted: its words, those that nobody used before, and its language."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

WORD = re.compile(r"[^\W\d_]+")
READ = 500  # characters, enough to tell a language
SURE = 0.5  # of the language; under it a text is of none


def words(text: str) -> list[str]:
    """Runs of letters, in lower case."""
    return WORD.findall(text.lower())


def unknown_shares(
    reference: Sequence[Sequence[str]], current: Sequence[Sequence[str]]
) -> tuple[list[float | None], list[float | None]]:
    """Which share of each text's words stands in no text of the reference; None for a text without words.

    A text of the reference is held against the others, without itself, else none of its words would ever be new.
    """
    standing = Counter(word for text in reference for word in set(text))

    def shares(texts: Sequence[Sequence[str]], own: int) -> list[float | None]:
        return [sum(standing[word] <= own for word in text) / len(text) if text else None for text in texts]

    return shares(reference, 1), shares(current, 0)


def languages(texts: Sequence[str]) -> list[str]:
    """The ISO 639 code of each text's language; `und`, undetermined, where it is too short to tell.

    By py3langid (BSD-3-Clause, a naive Bayes over byte n-grams after Lui and Baldwin, "langid.py", 2012), which knows
    140 languages: 4.6 MB on disk, 77 MB in memory, 0.1 ms a text.
    """
    classify = _identifier().classify
    return [classify(text[:READ])[0] for text in texts]


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True, min_confidence=SURE)
