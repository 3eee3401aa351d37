from collections.abc import Sequence
from math import log2

import pandas as pd
import pytest

from experiments.mltask import Examples
from recommendations.ml.recommend import Ranked, Rated, RecommendInput, RecommendOutput, ranking_scores


class Fixed:
    """Answers with the same products whoever asks, but for the rated ones, and remembers what it was asked."""

    def __init__(self, *products: int) -> None:
        self.products = products
        self.asked: list[RecommendInput] = []

    def predict(self, batch: Sequence[RecommendInput]) -> list[RecommendOutput]:
        self.asked += batch
        return [
            RecommendOutput(
                tuple(
                    Ranked(product, 1.0, 4.0, 1.0, 0)
                    for product in self.products
                    if product not in {rated.product for rated in one.history}
                )[: one.n]
            )
            for one in batch
        ]


def rows(*facts: tuple[str, int, float, bool]) -> Examples:
    return Examples(pd.DataFrame(facts, columns=["unit", "product", "value", "held_out"]))


def test_scores_are_the_mean_over_users_of_what_was_ranked_where() -> None:
    examples = rows(
        ("ann", 1, 3.0, False),
        ("ann", 2, 5.0, True),  # first of ann's ranking
        ("ann", 4, 4.0, True),  # third
        ("bob", 1, 5.0, False),
        ("bob", 9, 5.0, True),  # not ranked
    )
    model = Fixed(1, 2, 3, 4)
    ann = (1 + 1 / log2(4)) / (1 + 1 / log2(3))
    assert ranking_scores(model, examples) == pytest.approx(
        {"ndcg@10": ann / 2, "recall@20": 0.5, "coverage@10": 3 / 4}
    )
    assert [one.history for one in model.asked] == [(Rated(1, 3.0),), (Rated(1, 5.0),)]


def test_a_held_out_product_with_few_stars_is_not_relevant_and_such_a_user_does_not_count() -> None:
    examples = rows(("ann", 1, 5.0, True), ("ann", 2, 3.5, True), ("bob", 1, 3.5, True), ("cleo", 1, 5.0, False))
    assert ranking_scores(Fixed(1, 2), examples)["ndcg@10"] == 1
    assert ranking_scores(Fixed(2, 1), examples)["ndcg@10"] == pytest.approx(1 / log2(3))


def test_gain_counts_up_to_the_tenth_place_and_recall_up_to_the_twentieth() -> None:
    for place, ndcg, recall in [(10, 1 / log2(11), 1), (11, 0, 1), (20, 0, 1), (21, 0, 0)]:
        scores = ranking_scores(Fixed(*range(1, 31)), rows(("ann", place, 5.0, True)))
        assert (scores["ndcg@10"], scores["recall@20"]) == pytest.approx((ndcg, recall))


def test_more_relevant_products_than_places_can_still_be_perfect() -> None:
    examples = rows(*[("ann", product, 5.0, True) for product in range(1, 16)])
    scores = ranking_scores(Fixed(*range(1, 16)), examples)
    assert (scores["ndcg@10"], scores["recall@20"]) == pytest.approx((1, 1))


def test_without_anybody_to_measure_on_the_scores_are_zero() -> None:
    nothing = {"ndcg@10": 0, "recall@20": 0, "coverage@10": 0}
    assert ranking_scores(Fixed(1), rows()) == nothing
    assert ranking_scores(Fixed(1), rows(("ann", 1, 5.0, False))) == nothing
