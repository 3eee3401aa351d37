"""`make measure-drift`: how often drift is seen where there is none, and from how many rows on where there is.

Windows are drawn from known distributions, seeds fixed: FEATURES features of a made-up model that is asked with a text
and with numbers and answers a label. First both windows are the same, PAIRS times for each pair of sizes: how often is
any feature called drifted? Then one feature moves, DRAWS times for each size of both windows: how often is it found,
corrected for all features? Beside stands what Evidently 0.7.23 would say: its method, threshold and tests
(src/evidently/legacy/calculations/stattests/), each feature on its own.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

os.environ.setdefault("OMP_NUM_THREADS", "1")  # each core has a process of its own

import numpy as np
from scipy import stats

from experiments.drift import distances
from experiments.drift.columns import Column
from experiments.drift.judging import LEAST, Finding, judge
from experiments.drift.texts import unknown_shares

PAIRS, DRAWS = 500, 100
WINDOWS = [(200, 200), (1_000, 1_000), (5_000, 200), (5_000, 1_000), (5_000, 5_000)]
SIZES = [100, 250, 500, 1_000, 2_500, 5_000]
DETECTED = 0.8  # of the draws
VOCABULARY, PLACES = 5_000, 70
WORDS = np.array([f"w{number}" for number in range(2 * VOCABULARY)])
LANGUAGES = ["en", "de", "fr", "und"]
ALPHA = 0.05

Rng = np.random.Generator
Draw = Callable[[Rng, int], np.ndarray]


def zipf(count: int) -> np.ndarray:
    weights = 1 / (np.arange(count) + 3.0)
    return weights / weights.sum()


def texts(rng: Rng, rows: int, foreign: float = 0.0) -> list[list[str]]:
    """As words, a share of which are from a second vocabulary."""
    lengths = 1 + rng.poisson(8, rows)
    words = rng.choice(VOCABULARY, lengths.sum(), p=zipf(VOCABULARY))
    words[rng.random(len(words)) < foreign] += VOCABULARY
    return [part.tolist() for part in np.split(WORDS[words], lengths.cumsum()[:-1])]


def of_languages(rng: Rng, rows: int, german: float = 0.04) -> np.ndarray:
    return rng.choice(LANGUAGES, rows, p=[0.97 - german, german, 0.02, 0.01])


def of_labels(rng: Rng, rows: int, positive: float = 0.8) -> np.ndarray:
    return np.where(rng.random(rows) < positive, "positive", "negative")


NUMBERS: dict[str, Draw] = {
    "words": lambda rng, rows: 1.0 + rng.negative_binomial(3, 0.05, rows),
    "price": lambda rng, rows: np.round(rng.lognormal(3, 1, rows), 2),
    "bedrooms": lambda rng, rows: rng.poisson(3, rows).astype(float),
    "stars": lambda rng, rows: np.round(rng.uniform(1, 5, rows), 1),
    "baths": lambda rng, rows: rng.integers(1, 5, rows).astype(float),
    "confidence": lambda rng, rows: rng.beta(5, 2, rows),
}
LABELS: dict[str, Draw] = {
    "language": of_languages,
    "place": lambda rng, rows: rng.choice(PLACES, rows, p=zipf(PLACES)).astype(np.str_),
    "label": of_labels,
    "method": lambda rng, rows: rng.choice([*"abcdef"], rows),
}
FEATURES = len(NUMBERS) + len(LABELS) + 2  # with new words and the meaning


def new_words(rng: Rng, reference: int, current: int, foreign: float = 0.0) -> Column:
    shares = unknown_shares(texts(rng, reference), texts(rng, current, foreign))
    return Column("new words", "number", *(np.array(one, float) for one in shares))


def unchanged(rng: Rng, reference: int, current: int) -> Iterator[Column]:
    for name, draw in NUMBERS.items():
        yield Column(name, "number", draw(rng, reference), draw(rng, current))
    for name, draw in LABELS.items():
        yield Column(name, "category", draw(rng, reference), draw(rng, current))
    yield new_words(rng, reference, current)
    yield Column("meaning", "vectors", *(rng.normal(0, 1, (LEAST, 16)) for _ in "ab"))


def moved(name: str, before: Draw, now: Draw) -> Callable[[Rng, int], Column]:
    kind = "number" if before(np.random.default_rng(0), 1).dtype == float else "category"
    return lambda rng, rows: Column(name, kind, before(rng, rows), now(rng, rows))  # type: ignore[arg-type]


def normal(mean: float, spread: float) -> Draw:
    return lambda rng, rows: rng.normal(mean, spread, rows)


SHIFTS: dict[str, Callable[[Rng, int], Column]] = {
    "mean by .2 deviations": moved("a", normal(0, 1), normal(0.2, 1)),
    "mean by .5 deviations": moved("a", normal(0, 1), normal(0.5, 1)),
    "spread by a half": moved("a", normal(0, 1), normal(0, 1.5)),
    "label 80 % to 70 %": moved("a", of_labels, partial(of_labels, positive=0.7)),
    "German 4 % to 12 %": moved("a", of_languages, partial(of_languages, german=0.12)),
    "German 4 % to 30 %": moved("a", of_languages, partial(of_languages, german=0.30)),
    "words 10 % new": lambda rng, rows: new_words(rng, rows, rows, foreign=0.1),
}


def evidently(column: Column, found: Finding) -> bool:
    """What Evidently would call it, with its one-sample chi-squared. It judges no vectors unless it is told how."""
    if column.kind == "vectors":
        return False
    if found.threshold is not None:
        return bool(found.value is not None and found.value >= found.threshold)
    if found.method != "chi_squared":
        return bool(found.p is not None and found.p < ALPHA)
    reference, current = distances.counted(column.reference, column.current)
    with np.errstate(divide="ignore"):
        expected = reference * (current.sum() / reference.sum())
        return float(stats.chi2.sf(((current - expected) ** 2 / expected).sum(), len(current) - 1)) < ALPHA


def false_alarms(sizes: tuple[int, int], seed: int) -> tuple[bool, bool]:
    """Of any feature: by Evidently's rules, and here."""
    columns = list(unchanged(np.random.default_rng([seed, *sizes]), *sizes))
    found = judge(columns)
    return any(map(evidently, columns, found)), any(one.drifted for one in found)


def detected(shift: str, rows: int, seed: int) -> tuple[bool, bool]:
    """The same of the one that moved. It has the smallest p of all, which is multiplied by their number."""
    column = SHIFTS[shift](np.random.default_rng([seed, rows]), rows)
    [found] = judge([column])
    return evidently(column, found), found.drifted and found.p is not None and found.p * FEATURES < ALPHA


def shares(outcomes: Iterable[tuple[bool, bool]]) -> np.ndarray:
    return np.array(list(outcomes), float).mean(axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--draws", type=int, default=DRAWS)
    options = parser.parse_args()
    with ProcessPoolExecutor() as pool:
        print(
            f"\nFalse alarms in {options.pairs} pairs of windows of the same, any of {FEATURES} features (at most 5 %)"
        )
        print(f"{'reference':>10}{'current':>10}{'Evidently':>12}{'here':>8}")
        for sizes in WINDOWS:
            theirs, ours = shares(pool.map(partial(false_alarms, sizes), range(options.pairs), chunksize=10))
            print(f"{sizes[0]:10,}{sizes[1]:10,}{theirs:12.1%}{ours:8.1%}", flush=True)
        print(f"\nDetected in {options.draws} draws, Evidently / here, by the rows of both windows; * from 80 % on")
        print(f"{'':24}" + "".join(f"{rows:>15,}" for rows in SIZES))
        for shift in SHIFTS:
            cells = [
                shares(pool.map(partial(detected, shift, rows), range(options.draws), chunksize=10)) for rows in SIZES
            ]
            print(f"{shift:24}" + "".join(f"{_said(cell):>15}" for cell in cells), flush=True)


def _said(cell: np.ndarray) -> str:
    return " / ".join(f"{share:.0%}{'*' if share >= DETECTED else ''}" for share in cell)


if __name__ == "__main__":
    main()
