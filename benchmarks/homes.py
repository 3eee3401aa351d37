"""`make measure-price`: how near each algorithm comes to what homes were sold for, and how far off it says it may be.

On King County's homes (bedrooms, bathrooms, square feet, postcode): five random fifths are held out in turn, by
scikit-learn's `train_test_split` with seeds 0 to 4. Beside the algorithms stand two ridge regressions on logarithms
with split conformal intervals: `ridge` with a level for each postcode, and `ridge with slopes` with a slope over the
area for each too. Widths are those of 90 % intervals over the price.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split

from benchmarks.shops import DATA
from experiments.mltask import Examples, no_progress
from pricing.ml import price_network, price_trees  # noqa: F401  (price_trees registers its algorithm)
from pricing.ml.browser import FACTS, browser_files
from pricing.ml.conformal import USUAL
from pricing.ml.price import COLUMNS, PRICE, PriceInput, price_scores

HELD_OUT, CALIBRATION = 0.2, 0.2
SEEDS = (0, 1, 2, 3, 4)
NAMES = {"sqft_living": "sqft", "zipcode": "location"}
RIDGES = ("ridge", "ridge with slopes")
TIMES = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA / "house" / "kc_house_train.csv")
    parser.add_argument("--algorithms", default=",".join(PRICE.algorithms))
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    options = parser.parse_args()
    homes = pd.read_csv(options.data).rename(columns=NAMES).astype({"location": str})
    found: dict[str, list[dict[str, float]]] = {}
    for seed in map(int, options.seeds.split(",")):
        fit, test = train_test_split(homes, test_size=HELD_OUT, random_state=seed)
        print(f"seed {seed}: {len(fit)} homes to learn from, {len(test)} held out", flush=True)
        for name in RIDGES:
            found.setdefault(name, []).append(ridge(fit, test, seed, slopes=name != RIDGES[0]))
            print(f"  {name:18} {shown(found[name][-1])}", flush=True)
        for name in options.algorithms.split(","):
            start = time.monotonic()
            model = PRICE.algorithms[name]().fit(Examples(fit), progress=no_progress)
            learned = time.monotonic() - start
            found.setdefault(name, []).append({**model.evaluate(Examples(test)), "p50_ms": quickness(model, test)})
            if isinstance(model, price_network.PriceNetwork):
                size = sum(len(content) for file, content in browser_files(model).items() if file != FACTS)
                print(f"  a browser downloads {size / 1_000:.0f} kB for it")
            print(f"  {name:18} {shown(found[name][-1])}; learned in {learned:.0f} s", flush=True)
    print(f"mean of {len(found[RIDGES[0]])}")
    means = {name: {one: float(np.mean([row[one] for row in rows])) for one in rows[0]} for name, rows in found.items()}
    for name, mean in means.items():
        narrower = ", ".join(f"{1 - mean['width'] / means[one]['width']:.1%} narrower than {one}" for one in RIDGES)
        print(f"  {name:18} {shown(mean)}{'' if name in RIDGES else f'; {narrower}'}")


def ridge(fit: pd.DataFrame, test: pd.DataFrame, seed: int, *, slopes: bool) -> dict[str, float]:
    """Split conformal: a part of the rows is kept back, and the quantile of how far off it is there is the interval."""
    learned, kept = train_test_split(fit, test_size=CALIBRATION, random_state=seed)
    postcodes = sorted(set(fit["location"]))
    model = Ridge(1.0).fit(columns(learned, postcodes, slopes), np.log(learned["price"]))
    off = np.abs(np.log(kept["price"]) - model.predict(columns(kept, postcodes, slopes)))
    reach = float(np.quantile(off, min(1, USUAL * (1 + 1 / len(off))), method="higher"))
    whole = Ridge(1.0).fit(columns(fit, postcodes, slopes), np.log(fit["price"]))  # figures but those of the interval
    said, price = whole.predict(columns(test, postcodes, slopes)), test["price"].to_numpy(float)
    held = model.predict(columns(test, postcodes, slopes))
    return price_scores(price, np.exp(said), np.exp(held - reach), np.exp(held + reach))


def columns(rows: pd.DataFrame, postcodes: list[str], slopes: bool) -> np.ndarray:
    area = np.log(rows["sqft"].to_numpy(float))[:, None] - 7.5  # about the middle
    places = (rows["location"].to_numpy()[:, None] == np.array(postcodes)).astype(float)
    found = [rows[["bedrooms", "bathrooms"]].to_numpy(float), area, places]
    return np.hstack([*found, area**2, places * area] if slopes else found)


def quickness(model: object, test: pd.DataFrame) -> float:
    """Milliseconds for one home, the median."""
    took = []
    for bedrooms, bathrooms, sqft, location in test[[*COLUMNS, "location"]].head(TIMES).itertuples(index=False):
        given = PriceInput(bedrooms, bathrooms, sqft, location, allow_unknown=True)
        start = time.perf_counter()
        model.predict([given])  # type: ignore[attr-defined]
        took.append((time.perf_counter() - start) * 1_000)
    return float(np.median(took))


def shown(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in found.items())


if __name__ == "__main__":
    main()
