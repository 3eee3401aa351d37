"""`ranking_scores`: what the promotion gate compares."""

import time
from collections.abc import Sequence
from math import log2

import numpy as np
import pandas as pd
import pytest

from experiments.mltask import Examples
from recommendations.ml.metrics import BATCH, ranking_scores
from recommendations.ml.recommend import Happened, Ranked, Rated, RecommendInput, RecommendOutput

COLUMNS = ["unit", "product", "kind", "value", "at", "held_out"]
Fact = tuple[str, int, float, bool]


class Fixed:
    """Answers with the same products whoever asks, but for the rated ones, and remembers what it was asked."""

    def __init__(self, *products: int) -> None:
        self.products = products
        self.batches: list[Sequence[RecommendInput]] = []

    def predict(self, batch: Sequence[RecommendInput]) -> list[RecommendOutput]:
        self.batches.append(batch)
        return [self._one(one) for one in batch]

    def _one(self, given: RecommendInput) -> RecommendOutput:
        rated = {one.product for one in given.history}
        found = [product for product in self.products if product not in rated]
        return RecommendOutput(tuple(Ranked(product, 1.0, 4.0, 1.0, 0, "trending") for product in found[: given.n]))


def rows(*facts: Fact) -> Examples:
    """User, product, stars, held out or not; in order of time."""
    table = [(unit, product, "rating", value, float(at), held) for at, (unit, product, value, held) in enumerate(facts)]
    return Examples(pd.DataFrame(table, columns=COLUMNS))


def test_scores_are_the_mean_over_users_of_what_was_ranked_where() -> None:
    examples = rows(
        ("ann", 1, 3.0, False),
        ("ann", 2, 5.0, True),  # first of ann's ranking
        ("ann", 4, 4.0, True),  # third
        ("bob", 1, 5.0, False),
        ("bob", 9, 5.0, True),  # not ranked
    )
    gain = (1 + 1 / log2(4)) / (1 + 1 / log2(3))
    precision = (1 + 2 / 3) / 2
    assert ranking_scores(Fixed(1, 2, 3, 4), examples) == pytest.approx({
        "ndcg@10": gain / 2, "recall@20": 0.5, "map@10": precision / 2, "hit@10": 0.5, "coverage@10": 3 / 4,
    })  # fmt: skip


def test_the_history_is_what_is_not_held_out_newest_first_with_ratings_and_events_apart() -> None:
    table = [
        ("ann", 1, "rating", 3.0, 1.0, False),
        ("ann", 5, "view", 0.0, 2.0, False),
        ("ann", 2, "rating", 4.5, 3.0, False),
        ("ann", 6, "purchase", 0.0, 4.0, False),
        ("ann", 3, "rating", 5.0, 5.0, True),
    ]
    model = Fixed(3)
    assert ranking_scores(model, Examples(pd.DataFrame(table, columns=COLUMNS)))["ndcg@10"] == 1
    [[asked]] = model.batches
    assert asked == RecommendInput(
        history=(Rated(2, 4.5), Rated(1, 3.0)), events=(Happened(6, "purchase"), Happened(5, "view")), n=20
    )
    assert type(asked.history[0].product) is int


def test_a_held_out_product_with_few_stars_is_not_relevant_and_such_a_user_does_not_count() -> None:
    examples = rows(("ann", 1, 5.0, True), ("ann", 2, 3.5, True), ("bob", 1, 3.5, True), ("cleo", 1, 5.0, False))
    assert ranking_scores(Fixed(1, 2), examples)["ndcg@10"] == 1
    assert ranking_scores(Fixed(2, 1), examples)["ndcg@10"] == pytest.approx(1 / log2(3))


@pytest.mark.parametrize(
    ("place", "gain", "recall", "hit"), [(10, 1 / log2(11), 1, 1), (11, 0, 1, 0), (20, 0, 1, 0), (21, 0, 0, 0)]
)
def test_gain_counts_up_to_the_tenth_place_and_recall_up_to_the_twentieth(
    place: int, gain: float, recall: float, hit: float
) -> None:
    scores = ranking_scores(Fixed(*range(1, 31)), rows(("ann", place, 5.0, True)))
    assert (scores["ndcg@10"], scores["recall@20"], scores["hit@10"]) == pytest.approx((gain, recall, hit))
    assert scores["map@10"] == pytest.approx(hit / place)


def test_more_relevant_products_than_places_can_still_be_perfect() -> None:
    scores = ranking_scores(Fixed(*range(1, 31)), rows(*[("ann", product, 5.0, True) for product in range(1, 26)]))
    assert (scores["ndcg@10"], scores["recall@20"], scores["map@10"]) == pytest.approx((1, 1, 1))


def test_coverage_is_a_share_of_the_catalogue_where_there_is_one() -> None:
    examples = rows(("ann", 1, 5.0, True))
    assert ranking_scores(Fixed(1, 2), examples)["coverage@10"] == 2
    catalogue = {"products": pd.DataFrame({"product": range(8)})}
    assert ranking_scores(Fixed(1, 2), Examples(examples.rows, catalogue))["coverage@10"] == 2 / 8


def test_without_anybody_to_measure_on_the_scores_are_zero() -> None:
    nothing = {"ndcg@10": 0, "recall@20": 0, "coverage@10": 0, "map@10": 0, "hit@10": 0}
    assert ranking_scores(Fixed(1), rows()) == nothing
    assert ranking_scores(Fixed(1), rows(("ann", 1, 5.0, False))) == nothing
    assert ranking_scores(Fixed(), rows(("ann", 1, 5.0, True))) == nothing


def test_users_are_asked_about_in_batches() -> None:
    model = Fixed(1)
    ranking_scores(model, rows(*[(f"user {number}", 1, 5.0, True) for number in range(BATCH + 1)]))
    assert [len(batch) for batch in model.batches] == [BATCH, 1]


def test_the_parts_that_the_gate_makes_are_scored_each_by_itself() -> None:
    whole = rows(*[(f"user {number}", number % 3, 5.0, True) for number in range(30)])
    parts = [ranking_scores(Fixed(0, 1), part)["hit@10"] for part in whole.parts(5)]
    assert np.mean(parts) == pytest.approx(ranking_scores(Fixed(0, 1), whole)["hit@10"]) == pytest.approx(2 / 3)


def test_a_hundred_thousand_ratings_are_scored_in_no_time() -> None:
    draw = np.random.default_rng(0)
    table = pd.DataFrame({
        "unit": np.repeat(np.arange(600), 170), "product": draw.integers(0, 9_000, 102_000), "kind": "rating",
        "value": draw.integers(1, 6, 102_000).astype(float), "at": np.arange(102_000.0),
        "held_out": np.tile(np.arange(170) >= 136, 600),
    })  # fmt: skip
    start = time.process_time()
    ranking_scores(Fixed(*range(20)), Examples(table))
    assert time.process_time() - start < 2
