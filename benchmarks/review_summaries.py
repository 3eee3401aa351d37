"""`make measure-review-summaries`: the reviews of the ten most reviewed products of the Women's Clothing Reviews,
summarised.

Sentiment (the default algorithm) learns from the reviews of all other products. Printed are the seconds that a product
takes, its sentences read by that model included, the share of sentences whose sentiment is that of the stars of the
reviews that they cite, and the summary of the product with the most reviews.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from benchmarks.sentiment import clothing
from benchmarks.shops import DATA
from experiments.mltask import Examples, no_progress
from nlp.ml.review_points import Points
from nlp.ml.review_summary import MOST_SAID, REVIEW_SUMMARY, ReviewSummaryInput, ReviewSummaryOutput, Said
from nlp.ml.sentences import sentences_of
from nlp.ml.sentiment import POSITIVE_FROM, SENTIMENT, SentimentInput

PRODUCTS, REVIEWS = 10, 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    rows = clothing(parser.parse_args().data)
    most = rows["unit"].value_counts().head(PRODUCTS).index
    [algorithm, *_] = SENTIMENT.algorithms.values()
    sentiment = algorithm().fit(Examples(rows[~rows["unit"].isin(most)]), progress=no_progress)
    points = Points().fit(REVIEW_SUMMARY.tiny(), progress=no_progress)
    shown, agreed, seconds = "", [], []
    for product in most:
        own = rows[rows["unit"] == product][-REVIEWS:]
        content = (own["stars"] >= POSITIVE_FROM).to_dict()
        start = time.monotonic()
        texts = [(at, one.text) for at, text in own["text"].items() for one in sentences_of(text)][:MOST_SAID]
        moods = sentiment.predict([SentimentInput(text) for _, text in texts])
        said = tuple(Said(at, text, mood.scores.positive, content[at])
                     for (at, text), mood in zip(texts, moods, strict=True))  # fmt: skip
        [found] = points.predict([ReviewSummaryInput(said, "dresses, sweaters, tops")])
        seconds.append(time.monotonic() - start)
        for one in found.sentences:
            said_positive = sentiment.predict([SentimentInput(one.text)])[0].sentiment == "positive"
            agreed += [said_positive is content[at] for at in one.review_ids]
        print(f"product {product}: {len(own)} reviews, {len(said)} sentences, {seconds[-1]:.1f} s", flush=True)
        shown = shown or told(found)
    print(
        f"longest {max(seconds):.1f} s; sentiment agrees with the stars cited: {np.mean(agreed):.3f} of {len(agreed)}"
    )
    print(f"\n{shown}")


def told(found: ReviewSummaryOutput) -> str:
    points = (f"  ({len(one.review_ids)} reviews) {one.text}" for one in found.sentences)
    aspects = (f"  {one.name}: +{one.positive} -{one.negative} {[q.text for q in one.quotes]}" for one in found.aspects)
    return "\n".join([found.summary, *points, *aspects])


if __name__ == "__main__":
    main()
