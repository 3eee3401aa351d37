"""Pictures in a folder, one sub-folder a category, as examples of the task `category`."""

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from experiments import serving
from experiments.errors import DomainError, Invalid, ModelUnavailable
from experiments.mltask import Examples, Image, Progress, Split
from experiments.pictures import MAX_BYTES, MESSAGES
from vision.ml.embedding import IMAGE_EMBEDDING, EmbeddingInput

HELD_OUT = 5  # one of so many pictures of a category is for the test part


def category_split(folder: Path, progress: Progress) -> tuple[Split, list[tuple[Path, str]]]:
    """The pictures as vectors of the live embedding version, and those that could not be read, with the reason. Copies
    of a picture are in one part.
    """
    import pandas as pd

    found = list(_pictures(folder))
    if not found:
        raise Invalid("folder", f"Expected sub-folders with pictures in {folder}, one a category.")
    try:
        network = serving.live(IMAGE_EMBEDDING.name)
    except ModelUnavailable as error:
        raise DomainError(f"{error.detail} Make one first: manage.py train {IMAGE_EMBEDDING.name} --promote") from error
    rows, unread = [], []
    for done, (path, category) in enumerate(found):
        progress(done, len(found), "looking at pictures")
        try:
            data = _content(path)
            [output] = network.predict([EmbeddingInput(Image(data))])
        except Invalid as error:
            unread.append((path, error.detail))
            continue
        rows.append((hashlib.sha256(data).hexdigest(), np.array(output.vector, np.float32), category, network.digest))
    table = pd.DataFrame(rows, columns=["unit", "vector", "category", "embedding"])
    aside = _held_out(rows)
    test = table["unit"].isin(aside)
    return Split(fit=Examples(table[~test]), validation=Examples(table[:0]), test=Examples(table[test])), unread


def _pictures(folder: Path) -> Iterator[tuple[Path, str]]:
    """Each file of each sub-folder with that one's name; what starts with a dot is nobody's picture."""
    try:
        categories = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise Invalid("folder", f"{folder} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    for category in categories:
        for path in sorted(category.iterdir()):
            if path.is_file() and not path.name.startswith("."):
                yield path, category.name


def _content(path: Path) -> bytes:
    if path.stat().st_size > MAX_BYTES:
        raise Invalid("image", MESSAGES["too_many_bytes"])
    return path.read_bytes()


def _held_out(rows: list[tuple[str, np.ndarray, str, str]]) -> set[str]:
    """Of each category one picture in HELD_OUT, drawn at random but each time the same."""
    units = defaultdict(set)
    for unit, _, category, _ in rows:
        units[category].add(unit)
    draw = random.Random(0)
    return {one for own in units.values() for one in draw.sample(sorted(own), len(own) // HELD_OUT)}
