"""`make measure-estimates`: how near quality estimated without labels comes to what the labels say, on real data.

Sentiment on Women's Clothing Reviews: fitted on 14,000, 2,000 others are the reference, 5,000 more are asked as they
are and as customers might come to write. Prices on King County's homes: fitted on 8,000, 2,000 are the reference, of
the others some kinds of homes are asked. The order of the rows is shuffled with a fixed seed.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django
import numpy as np
import pandas as pd

from benchmarks.shops import DATA, choose

choose("estimates")
django.setup()

from benchmarks.homes import NAMES
from benchmarks.sentiment import clothing
from experiments.discovery import quality_of
from experiments.estimates.quality import Known, Quality
from experiments.mltask import Examples, MLTask, no_progress, to_json
from nlp.ml.sentiment import SENTIMENT
from pricing.ml.price import PRICE

Rows = pd.DataFrame
SEED = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    compare(SENTIMENT, "tfidf", clothing(options.data), (14_000, 2_000, 5_000), texts)
    homes = pd.read_csv(options.data / "house" / "kc_house_train.csv").rename(columns=NAMES)
    homes["bathrooms"] = homes["bathrooms"].clip(lower=0.25)
    compare(PRICE, "boosting", homes.astype({"location": str, "sqft": float}), (8_000, 2_000, 7_232), kinds)


def compare(
    task: MLTask[Any, Any], algorithm: str, rows: Rows, sizes: tuple[int, int, int], mixes: Callable[..., Any]
) -> None:
    quality = quality_of(task.name)
    assert quality
    shuffled, (first, second) = rows.sample(sum(sizes), random_state=SEED), np.cumsum(sizes)[:2]
    fit, reference, current = shuffled[:first], shuffled[first:second], shuffled[second:]
    model = task.algorithms[algorithm]().fit(Examples(fit), progress=no_progress)
    known = answered(quality, model, reference)
    print(f"{task.name}, {algorithm}: {len(fit)} rows to learn from, {len(known.truth)} of reference", flush=True)
    for name, asked in mixes(current, lambda part: answered(quality, model, part).facts).items():
        tell(name, quality, known, answered(quality, model, asked))


def answered(quality: Quality, model: Any, rows: Rows) -> Known:
    inputs, truth = quality.asked(rows)
    outputs = model.predict(inputs)
    logged = [(to_json(given), to_json(said)) for given, said in zip(inputs, outputs, strict=True)]
    return Known(np.array([quality.facts(*one) for one in logged], float), truth)


def tell(name: str, quality: Quality, reference: Known, current: Known) -> None:
    start = time.process_time()
    estimated = quality.estimate(reference, current.facts)
    seconds = time.process_time() - start
    measured = quality.measure(current)
    said = [f"{one} {measured[one]:.3f}, estimated {found.value:.3f} ({found.low:.3f} to {found.high:.3f})"
            for one, found in estimated.items()]  # fmt: skip
    print(f"  {name:20} {len(current.truth):5} rows: {'; '.join(said)}; {seconds:.2f} s", flush=True)


def texts(rows: Rows, facts: Callable[[Rows], np.ndarray]) -> Mapping[str, Rows]:
    unsure = np.abs(facts(rows)[:, 0] - 0.5)
    words = rows["text"].str.split()
    return {
        "as before": rows,
        "the least sure half": rows[unsure < np.quantile(unsure, 0.5)],
        "the least sure fifth": rows[unsure < np.quantile(unsure, 0.2)],
        **{f"{count} words": rows.assign(title="", text=words.str[:count].str.join(" ")) for count in (2, 4, 8, 16)},
        "titles alone": rows.assign(text=rows["title"], title="")[rows["title"] != ""],
        "no titles": rows.assign(title=""),
        "three and four stars": rows[rows["stars"].isin([3, 4])],
    }  # fmt: skip


def kinds(rows: Rows, facts: Callable[[Rows], np.ndarray]) -> Mapping[str, Rows]:
    places = rows.groupby("location")["price"].median().sort_values().index
    return {
        "as before": rows,
        "over 3,500 sqft": rows[rows["sqft"] > 3_500],
        "under 1,200 sqft": rows[rows["sqft"] < 1_200],
        "the ten dearest places": rows[rows["location"].isin(places[-10:])],
        "the ten cheapest": rows[rows["location"].isin(places[:10])],
        "five bedrooms and up": rows[rows["bedrooms"] >= 5],
        "a place it never saw": rows.assign(location="nowhere"),
        "prices risen by a third": rows.assign(price=rows["price"] * 4 / 3),
    }


if __name__ == "__main__":
    main()
