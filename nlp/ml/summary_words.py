"""Words of a text to be summarised: their stems, and what each is worth to be said. English."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

TOKEN = re.compile(r"\w+(?:'\w+)?")
OF_THE_WRITER = "i i'm i've i'd i'll my me mine we we're we've our us"
SMALL = (
    "a an the and or but if so of to in on at for with from by as is are was were be been am it it's its this that"
    " that's these those they they're them he she his her him you your has have had do does did don't doesn't didn't"
    " not no very just than then there here when what which who will would can could all also too up out about into"
    " over some any more most"
)
FIRST_PERSON = frozenset(OF_THE_WRITER.split())
FUNCTION_WORDS = FIRST_PERSON.union(SMALL.split())


def words_in(text: str) -> list[str]:
    """Lower-cased."""
    return TOKEN.findall(text.lower().replace("\u2019", "'"))


@lru_cache(maxsize=10_000)
def stem(word: str) -> str:
    """A word without its commonest endings, so that fit, fits and fitting are one."""
    word = word.removesuffix("'s")
    for ending, instead in (("ies", "y"), ("ing", ""), ("ed", ""), ("ly", ""), ("es", "e"), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith(("ss", "us", "is")):
            word = word.removesuffix(ending) + instead
            break
    undoubled = word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeosl" else word
    return undoubled.removesuffix("e") if len(undoubled) > 3 else undoubled


def weights_of(texts: Sequence[Counter[str]], steepness: float, function_words: float) -> dict[str, float]:
    """What it is worth to say a word: 1 for the content word that stands in the most texts."""
    found = Counter(word for text in texts for word in text)
    small = {stem(word) for word in FUNCTION_WORDS}
    highest = max((count for word, count in found.items() if word not in small), default=1)
    return {
        word: min(count / highest, 1.0) ** steepness * (function_words if word in small else 1.0)
        for word, count in found.items()
    }
