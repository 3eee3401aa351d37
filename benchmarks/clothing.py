"""`make measure-vision`: how well pictures of clothes are told apart and found, on clothing-dataset-small.

Five stratified folds over all of its 786 photographs, for each algorithm of `image_embedding` with the default head of
`category`: both learn from four folds and are asked about the fifth, whose neighbours are looked for among the other
four. Then once as the dataset is divided: learned on `train`, read on `validation`. Beside them stands how many of the
ten nearest by the vectors as they come are also the nearest by what is stored of them (half precision).
"""

import argparse
import importlib
import pkgutil
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from benchmarks.shops import DATA
from experiments.mltask import Examples, Image, no_progress
from vision import ml
from vision.ml.category import CATEGORY, CategoryInput
from vision.ml.embedding import IMAGE_EMBEDDING, EmbeddingInput

Floats = npt.NDArray[np.floating[Any]]
FIGURES = ["accuracy", "precision@5", "recall@10"]  # of each held-out picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA / "images" / "clothing")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--few", type=int, help="take only so many pictures of each class: a quick trial")
    parser.add_argument("--embedding", help="only this algorithm of image_embedding")
    options = parser.parse_args()
    for module in pkgutil.iter_modules(ml.__path__, f"{ml.__name__}."):
        importlib.import_module(module.name)  # registers its algorithms
    rows = photographs(options.data)
    if options.few:
        rows = rows.groupby(["part", "category"]).head(options.few).reset_index(drop=True)
    print(f"{len(rows)} pictures, {rows['category'].nunique()} classes")
    for name in [options.embedding] if options.embedding else IMAGE_EMBEDDING.algorithms:
        tell(name, rows, options.folds)


def tell(name: str, rows: pd.DataFrame, folds: int) -> None:
    start, found = time.monotonic(), []
    print(f"\n{name}", flush=True)
    parts = StratifiedKFold(folds, shuffle=True, random_state=0).split(rows, rows["category"])
    for number, (fit, test) in enumerate(parts, 1):
        found.append(measured(name, rows, fit, test))
        print(f"fold {number}: {shown(found[-1])}", flush=True)
    every = pd.concat(found)
    print(f"all pictures, in {time.monotonic() - start:.0f} s:")
    for figure in FIGURES:
        folded = np.array([one[figure].mean() for one in found])
        print(f"  {figure:12} mean of folds {folded.mean():.4f}; {interval(every[figure])}")
    by_class = every.groupby("category")[FIGURES].mean().assign(pictures=every.groupby("category").size())
    print(f"\n{by_class.round(3).to_string()}\n")
    fit, test = (np.flatnonzero(rows["part"] == part) for part in ("train", "validation"))
    once = measured(name, rows, fit, test)
    print(f"learned on `train` ({len(fit)}), read on `validation` ({len(test)}): {shown(once)}")
    print(f"  accuracy     {interval(once['accuracy'])}", flush=True)


def photographs(folder: Path) -> pd.DataFrame:
    """Columns part (train or validation), category, image (bytes), and unit, a number."""
    files = sorted(folder.glob("*/*/*.jpg"))
    if not files:
        raise SystemExit(f"There are no photographs in {folder}: SHOP_DATA= names the folder with images/clothing.")
    named = [(*file.relative_to(folder).parts[:2], file.read_bytes()) for file in files]
    return pd.DataFrame(named, columns=["part", "category", "image"]).assign(unit=range(len(files)))


def measured(name: str, rows: pd.DataFrame, fit: npt.NDArray[Any], test: npt.NDArray[Any]) -> pd.DataFrame:
    """One row for each picture of `test`, with the FIGURES of what learned from those of `fit` alone."""
    network = IMAGE_EMBEDDING.algorithms[name]().fit(Examples(rows.iloc[fit]), progress=no_progress)
    vectors = [one.vector for one in network.predict([EmbeddingInput(Image(one)) for one in rows["image"]])]
    seen = rows.assign(vector=vectors, embedding="").drop(columns="image")
    [head, *_] = CATEGORY.algorithms.values()
    answers = (
        head()
        .fit(Examples(seen.iloc[fit]), progress=no_progress)
        .predict([CategoryInput(vectors[one]) for one in test])
    )
    truth, matrix = rows["category"].to_numpy(), np.array(vectors, np.float32)
    stored = matrix.astype(np.float16).astype(np.float32)
    near, kept = (fit[nearest(all_of[test], all_of[fit], 10)] for all_of in (matrix, stored))
    return pd.DataFrame(
        {
            "category": truth[test],
            "accuracy": truth[test] == [one.categories[0].category for one in answers],
            "precision@5": (truth[kept[:, :5]] == truth[test][:, None]).mean(axis=1),
            "recall@10": [np.isin(one, other).mean() for one, other in zip(near, kept, strict=True)],
        }
    )


def nearest(queries: Floats, gallery: Floats, count: int) -> npt.NDArray[np.intp]:
    """Rows of the gallery by cosine, the nearest first."""
    return np.argsort(-(queries @ gallery.T), axis=1, kind="stable")[:, :count]


def shown(found: pd.DataFrame) -> str:
    return ", ".join(f"{name} {found[name].mean():.4f}" for name in FIGURES)


def interval(values: "pd.Series[Any]") -> str:
    """The mean and its 95 % interval, the pictures taken as drawn one by one."""
    half = 1.96 * float(values.astype(float).std(ddof=1)) / len(values) ** 0.5
    return f"{values.mean():.4f} ± {half:.4f} ({values.mean() - half:.3f} to {values.mean() + half:.3f})"


if __name__ == "__main__":
    main()
