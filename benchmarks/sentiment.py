"""`make measure-sentiment`: how well each algorithm tells content from discontent, and how long it takes.

On the Women's Clothing Reviews: the last fifth of the file is held out, the eighth part before it is left aside as in
the shop, and the rest is learned from, once a seed. Then on shops that nothing was learned from: the reviews of the
FewSum files of Amazon with 4 stars and up against 2 and down. Then on thirty hard sentences
(benchmarks/hard_sentences.csv), which were written before any model was trained.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pandas as pd

from benchmarks.shops import DATA, ROOT
from experiments.mltask import Examples
from nlp.ml import sentiment_minilm  # noqa: F401  (registers its algorithm)
from nlp.ml.sentiment import POSITIVE_FROM, SENTIMENT, SentimentInput, scores_of

TEST, VALIDATION = 0.2, 0.08
SEEDS = (0, 1, 2)
FIGURES = ["macro_f1", "auc", "calibration_error", "elsewhere", "hard", "p50_ms"]
WORDS = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--algorithms", default="tfidf,minilm")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    parser.add_argument("--rows", type=int, help="learn from so many alone: a quick trial")
    parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="of minilm")
    options = parser.parse_args()
    rows = clothing(options.data)
    start = round(len(rows) * (1 - TEST))
    fit, test = rows[: round(len(rows) * (1 - TEST - VALIDATION))], rows[start:]
    fit = fit[-options.rows :] if options.rows else fit
    other, hard = amazon(options.data), pd.read_csv(ROOT / "benchmarks" / "hard_sentences.csv")
    print(f"{len(fit)} reviews to learn from, {len(test)} held out, {len(other)} of other shops, {len(hard)} hard ones")
    for name in options.algorithms.split(","):
        found = []
        for seed in map(int, options.seeds.split(",")) if name != "tfidf" else [0]:
            parameters = dict(one.split("=", 1) for one in options.param) | {"seed": seed} if name != "tfidf" else {}
            began = time.monotonic()
            model = SENTIMENT.algorithms[name](**parameters).fit(Examples(fit), progress=told)
            took = time.monotonic() - began
            found.append(measured(model, test, other, hard))
            print(f"{name} {parameters or ''} in {took:.0f} s: {shown(found[-1])}", flush=True)
        mean = {figure: float(np.mean([one[figure] for one in found])) for figure in FIGURES}
        print(f"{name}, mean of {len(found)}: {shown(mean)}\n", flush=True)


def told(done: int, total: int, what: str) -> None:
    if done and total >= 100 and not done % (total // 10):
        print(f"  {what}: {done} of {total}", flush=True)


def clothing(data: Path) -> pd.DataFrame:
    """Columns title, text, stars, unit (the product), in the order of the file; reviews without text are left out."""
    rows = pd.read_csv(data / "reviews" / "womens_clothing_reviews.csv")
    rows = rows[rows["Review Text"].fillna("").str.strip() != ""]
    named = {"Title": "title", "Review Text": "text", "Rating": "stars", "Clothing ID": "unit"}
    return rows.rename(columns=named)[[*named.values()]].fillna({"title": ""}).reset_index(drop=True)


def amazon(data: Path) -> pd.DataFrame:
    """The same columns, of the three FewSum files; three stars are neither."""
    files = [pd.read_csv(one, sep="\t") for one in sorted((data / "summaries").glob("fewsum_amazon_*.csv"))]
    pairs = [(row[f"rev{at}"], float(row[f"rating{at}"]), row["group_id"])
             for file in files for _, row in file.iterrows() for at in range(1, 9)]  # fmt: skip
    rows = pd.DataFrame(pairs, columns=["text", "stars", "unit"]).assign(title="")
    return rows[rows["stars"] != POSITIVE_FROM - 1].reset_index(drop=True)


def measured(model: Any, test: pd.DataFrame, other: pd.DataFrame, hard: pd.DataFrame) -> dict[str, float]:
    scores = scores_of(model, Examples(test))
    outputs = model.predict([SentimentInput(text) for text in hard["text"]])
    right = sum(one.sentiment == truth for one, truth in zip(outputs, hard["sentiment"], strict=True))
    long = [text for text in test["text"] if len(text.split()) == WORDS][:50]
    took = []
    for text in long:
        start = time.perf_counter()
        model.predict([SentimentInput(text)])
        took.append((time.perf_counter() - start) * 1_000)
    return {
        **{name: scores[name] for name in ("macro_f1", "auc", "calibration_error")},
        "elsewhere": scores_of(model, Examples(other))["macro_f1"],
        "hard": right,
        "p50_ms": float(np.median(took)),
    }


def shown(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {found[name]:.4f}" if name != "hard" else f"hard {found[name]:.1f}" for name in FIGURES)


if __name__ == "__main__":
    main()
