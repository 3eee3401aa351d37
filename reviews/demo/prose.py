"""Fills sentence patterns: slots in braces, agreement with one or many, a or an, capitals."""

import re
from collections.abc import Callable, Mapping

_AGREE = {
    "it": ("it", "they"),
    "them": ("it", "them"),
    "is": ("is", "are"),
    "was": ("was", "were"),
    "were": ("were", "were"),
    "does": ("does", "do"),
    "s": ("s", ""),
    "this": ("this", "these"),
    "one": ("one", "pair"),
    "one_too": ("one", "a pair"),
}
_SLOT = re.compile(r"\{(\w+)\}")
_ARTICLE = re.compile(r"\b([Aa]) (?=(?!one\b|us|uni|eu)[aeiouAEIOU]|8|11\b|18\b)")


def capitalised(text: str) -> str:
    """The text with its first letter in upper case and the rest as it is."""
    return text[:1].upper() + text[1:]


def title_case(text: str) -> str:
    """Words with a capital, small ones aside, also after a hyphen: "roll-top backpack in moss" is "Roll-Top Backpack in
    Moss"."""
    return re.sub(r"(?<![\w'])(?!(?:in|by|the|of|to|and|for|from|a|l)\b)[a-zâê]", lambda match: match[0].upper(), text)


def fill(pattern: str, values: Mapping[str, str], *, plural: bool, slot: Callable[[str], str] | None = None) -> str:
    """`pattern` with each {name} replaced: by agreement words, by `values`, else by what `slot(name)` draws. A {Name}
    with a capital gives the value one. Values may hold slots themselves. Raises KeyError for a name nobody knows."""

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        key = name[0].lower() + name[1:]
        if key in _AGREE:
            text = _AGREE[key][plural]
        elif key in values:
            text = values[key]
        elif slot:
            text = slot(key)
        else:
            raise KeyError(key)
        return capitalised(text) if name != key else text

    while _SLOT.search(pattern):
        pattern = _SLOT.sub(replace, pattern)
    return _ARTICLE.sub(r"\1n ", pattern)
