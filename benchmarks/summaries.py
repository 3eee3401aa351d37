"""`make measure-summaries`: how close summaries of reviews come to those that people wrote, on FewSum Amazon.

Eight reviews of a product, three summaries by people, 32 products (validation and test; parameters were chosen on the
others). ROUGE-1, -2 and -L are F1 with stemming, the mean of the three. All methods have the same number of words and
take the next sentence of their order that still fits: the first sentences of the reviews in turn (lead), chance, and
LexRank (Erkan and Radev, "LexRank", 2004: TF-IDF cosine over a threshold of 0.1, damping 0.15). Then the algorithm
`extractive` less LexRank, with the 95 % interval of a bootstrap over products.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import numpy.typing as npt
import pandas as pd
from rouge_score.rouge_scorer import RougeScorer
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.shops import DATA
from experiments.mltask import no_progress
from nlp.ml.sentences import Sentence, sentences_of
from nlp.ml.summary import SummaryInput, tiny
from nlp.ml.summary_extractive import ExtractiveSummary

FIGURES = ["rouge1", "rouge2", "rougeL"]
REVIEWS, REFERENCES = [f"rev{number}" for number in range(1, 9)], [f"summ{number}" for number in range(1, 4)]
THRESHOLD, DAMPING = 0.1, 0.15
SEEDS, RESAMPLES = 20, 10_000
Order = Callable[[Sequence[Sentence]], Sequence[int]]
Floats = npt.NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA / "summaries")
    parser.add_argument("--words", type=int, default=55, help="of a summary, at most")
    parser.add_argument("--parts", nargs="+", default=["val", "test"], choices=["train", "val", "test"])
    options = parser.parse_args()
    rows = pd.concat([products(options.data, part) for part in options.parts], ignore_index=True)
    texts = ["\n".join(" ".join(review.split()) for review in reviews) for reviews in rows[REVIEWS].to_numpy()]
    model = ExtractiveSummary().fit(tiny(), progress=no_progress)
    inputs = [SummaryInput(text, options.words, 0) for text in texts]
    summaries = {
        "extractive": [[one.summary for one in model.predict(inputs)]],
        "LexRank": [[filled(text, lexrank, options.words) for text in texts]],
        "lead": [[filled(text, lead, options.words) for text in texts]],
        "random": [[filled(text, by_chance(seed), options.words) for text in texts] for seed in range(SEEDS)],
    }
    references = rows[REFERENCES].to_numpy()
    scores = {name: np.mean([scored(one, references) for one in many], axis=0) for name, many in summaries.items()}
    print(f"{len(rows)} products ({', '.join(options.parts)}), {options.words} words at most\n")
    print(f"{'':12}{'words':>8}" + "".join(f"{figure:>10}" for figure in FIGURES))
    for name, found in scores.items():
        words = np.mean([len(text.split()) for many in summaries[name] for text in many])
        print(f"{name:12}{words:8.1f}" + "".join(f"{value:10.4f}" for value in found.mean(axis=0)))
    print("\nextractive less LexRank")
    for at, figure in enumerate(FIGURES):
        print(f"  {figure:10}{compared(scores['extractive'][:, at] - scores['LexRank'][:, at])}")


def products(folder: Path, part: str) -> pd.DataFrame:
    path = folder / f"fewsum_amazon_{part}.csv"
    if not path.is_file():
        raise SystemExit(f"There is no {path}: SHOP_DATA= names the folder with summaries/.")
    return pd.read_csv(path, sep="\t", quoting=3)  # quotes there are part of the reviews


def scored(summaries: Sequence[str], references: npt.NDArray[Any]) -> Floats:
    """Shape (products, FIGURES): the means over the references of each product."""
    scorer = RougeScorer(FIGURES, use_stemmer=True)
    return np.array(
        [
            np.mean([[scorer.score(one, text)[figure].fmeasure for figure in FIGURES] for one in of], axis=0)
            for text, of in zip(summaries, references, strict=True)
        ]
    )


def filled(text: str, order: Order, words: int) -> str:
    """The sentences that fit, one after another in the given order, as they stand in the text."""
    sentences, kept = sentences_of(text), []
    for at in order(sentences):
        if sentences[at].words <= words:
            kept.append(at)
            words -= sentences[at].words
    return " ".join(sentences[at].text for at in sorted(kept))


def lead(sentences: Sequence[Sentence]) -> list[int]:
    """The first of each review, then the second of each."""
    reviews: dict[int, list[int]] = {}
    for at, sentence in enumerate(sentences):
        reviews.setdefault(sentence.line, []).append(at)
    return [at for rank in zip_longest(*reviews.values()) for at in rank if at is not None]


def by_chance(seed: int) -> Order:
    rng = np.random.default_rng(seed)
    return lambda sentences: list(rng.permutation(len(sentences)))


def lexrank(sentences: Sequence[Sentence]) -> list[int]:
    """The most central first: the stationary distribution of a walk among sentences that are alike."""
    vectors = TfidfVectorizer(token_pattern=r"(?u)\b\w+\b").fit_transform([one.text for one in sentences])
    alike = (vectors @ vectors.T).toarray() > THRESHOLD
    np.fill_diagonal(alike, True)  # a sentence without words is like itself
    steps = alike / alike.sum(axis=1, keepdims=True)
    rank = np.full(len(sentences), 1 / len(sentences))
    for _ in range(200):
        rank = DAMPING / len(sentences) + (1 - DAMPING) * steps.T @ rank
    return [int(at) for at in np.argsort(-rank, kind="stable")]


def compared(differences: Floats) -> str:
    """The mean, and its interval when products are drawn again."""
    drawn = np.random.default_rng(0).integers(0, len(differences), (RESAMPLES, len(differences)))
    low, high = np.quantile(differences[drawn].mean(axis=1), [0.025, 0.975])
    return f"{differences.mean():+.4f} ({low:+.4f} to {high:+.4f}), better for {(differences > 0).mean():.0%}"


if __name__ == "__main__":
    main()
