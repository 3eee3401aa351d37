"""`make bench-training`: time and memory to fit the default recommender, on more and more synthetic ratings.

Each size is made in one process and fitted in another, whose peak memory the operating system tells. Growth is the time
per rating against that of the size before: 1 is linear.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
import timeit
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pandas as pd

from benchmarks.power_law import ratings
from experiments.mltask import Examples
from recommendations.ml import hybrid  # noqa: F401  (its algorithms register themselves)
from recommendations.ml.recommend import RECOMMEND, Rated, RecommendInput

SIZES = ["100000:5000", "1000000:20000", "10000000:50000"]
CATEGORIES, PER_CATEGORY, VOCABULARY, WORDS = 40, 200, 20_000, 12  # WORDS of a product from each vocabulary
HISTORY, CUSTOMERS = 100, 200  # ratings of a customer who asks, and how many do


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="ratings:products, ascending")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)  # for the processes that are started here
    parser.add_argument("--fit", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make or options.fit:
        return make(options.sizes[0], options.make) if options.make else fit(options.fit)
    return table(options.sizes)


def table(sizes: list[str]) -> None:
    print("   ratings    users  products  seconds  growth  peak GB  artifact MB  predict ms", flush=True)
    before = None
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            child("--sizes", size, "--make", folder)
            peak = child("--fit", folder)
            said = json.loads((Path(folder) / "said.json").read_text())
        each = said["seconds"] / said["ratings"]
        print(
            f"{said['ratings']:10,}{said['users']:9,}{said['products']:10,}{said['seconds']:9.1f}"
            f"{f'{each / before:.2f}' if before else '':>8}{peak:9.2f}{said['megabytes']:13.0f}{said['predict']:12.2f}"
        )
        print("          ", ", ".join(f"{what} {seconds:.1f} s" for what, seconds in said["steps"].items()), flush=True)
        before = each


def child(*arguments: str) -> float:
    """Runs this script; returns the peak memory in GB."""
    process = subprocess.Popen([sys.executable, __file__, *arguments])
    _, process.returncode, usage = os.wait4(process.pid, 0)
    if process.returncode:
        raise SystemExit(1)
    return usage.ru_maxrss * 1024 / 1e9


def make(size: str, folder: Path) -> None:
    count, products = map(int, size.split(":"))
    ratings(count, products=products).to_pickle(folder / "ratings.pickle")
    catalogue(products).to_pickle(folder / "products.pickle")


def catalogue(products: int) -> pd.DataFrame:
    """Half of a product's words are its category's, half are anything's; common and rare ones follow a power law."""
    rng = np.random.default_rng(0)
    category = rng.integers(0, CATEGORIES, products)
    own, any_of = ((rng.random((products, WORDS)) ** 3 * size).astype(int) for size in (PER_CATEGORY, VOCABULARY))
    rows = []
    for number, (kind, mine, others) in enumerate(zip(category, own, any_of, strict=True), 1):
        words = [f"kind{kind}word{word}" for word in mine] + [f"word{word}" for word in others]
        rows.append((number, " ".join(words[WORDS - 2 : WORDS + 2]), f"kind{kind}", " ".join(words)))
    return pd.DataFrame(rows, columns=["product", "name", "category", "description"])


def fit(folder: Path) -> None:
    rows, products = (pd.read_pickle(folder / f"{name}.pickle") for name in ("ratings", "products"))
    examples = Examples(rows.assign(kind="rating"), {"products": products})
    default = next(iter(RECOMMEND.algorithms.values()))
    moments = [(time.monotonic(), "sorting the ratings")]
    model = default().fit(examples, progress=lambda done, total, what: moments.append((time.monotonic(), what)))
    (folder / "artifact").mkdir()
    model.save(folder / "artifact")
    said = {
        "ratings": len(rows), "users": rows["unit"].nunique(), "products": len(products),
        "seconds": moments[-1][0] - moments[0][0],
        "steps": {what: end - start for (start, what), (end, _) in itertools.pairwise(moments)},
        "megabytes": sum(file.stat().st_size for file in (folder / "artifact").iterdir()) / 1e6,
        "predict": milliseconds(default.load(folder / "artifact"), rows),
    }  # fmt: skip
    (folder / "said.json").write_text(json.dumps(said))


def milliseconds(model: Any, rows: pd.DataFrame) -> float:
    """The median of one answer to a customer with HISTORY ratings."""
    counts, taken = rows["unit"].value_counts(sort=False), []
    for unit in counts.index[counts >= HISTORY][:CUSTOMERS]:
        newest = rows[rows["unit"] == unit][: -HISTORY - 1 : -1]
        given = RecommendInput(tuple(map(Rated, newest["product"].tolist(), newest["value"].tolist())))
        taken.append(timeit.timeit(partial(model.predict, [given]), number=1))
    return float(np.median(taken)) * 1000


if __name__ == "__main__":
    main()
