"""Sentences with a label a word, as CoNLL files have them: a word, a tab and its label a line, an empty line between
sentences.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from experiments.errors import Invalid

TAG = re.compile(r"O|[BI]-\S+")
DOCUMENT = "-DOCSTART-"  # a line of CoNLL-2003 that is no sentence


@dataclass(frozen=True)
class Sentence:
    words: tuple[str, ...]
    labels: tuple[str, ...]  # one a word: O, B-… or I-…


def sentences_in(path: str, field: str) -> list[Sentence]:
    """The last column of a line is the label. Raises Invalid for `field`, with the line where there is one."""
    try:
        lines = Path(path).read_text("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise Invalid(field, f"{path} cannot be read: it is not in UTF-8.") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or "no such name"
        raise Invalid(field, f"{path} cannot be read: {reason.lower()}.") from error
    found, words, labels = [], list[str](), list[str]()
    for number, line in enumerate([*lines, ""], 1):
        if line.strip():
            word, label = _columns(line, f"Line {number:,} of {path}", field)
            if word != DOCUMENT:
                words.append(word)
                labels.append(label)
        elif words:
            found.append(Sentence(tuple(words), tuple(labels)))
            words, labels = [], []
    if not found:
        raise Invalid(field, f"There is no sentence in {path}.")
    return found


def _columns(line: str, where: str, field: str) -> tuple[str, str]:
    columns = line.strip("\r").split("\t") if "\t" in line else line.split()
    if len(columns) < 2 or not columns[0].strip():
        raise Invalid(field, f"{where} has not the form word, tab, label: {line.strip()[:60]!r}.")
    label = columns[-1].strip()
    if not TAG.fullmatch(label):
        raise Invalid(field, f"{where} has the label {label[:60]!r}; expected O, B-… or I-….")
    return columns[0].strip(), label
