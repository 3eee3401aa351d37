"""What every recommender answers: two tastes (the tiny examples: even customers like even products)."""

from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import pandas as pd
import pytest

from experiments.errors import DomainError
from experiments.mltask import Examples, no_progress
from recommendations.ml import hybrid
from recommendations.ml.hybrid import Als, Ease
from recommendations.ml.recommend import (
    RECOMMEND,
    Happened,
    Newcomers,
    Rated,
    RecommendInput,
    RecommendOutput,
    Weights,
    tiny,
)

ODD = (Rated(3, 4.5), Rated(1, 5.0), Rated(0, 1.0))
Ask = Callable[..., RecommendOutput]


@pytest.fixture(params=list(RECOMMEND.algorithms))
def ask(request: Any, fitted: Callable[..., Any]) -> Ask:
    model = fitted("recommend", request.param)
    if request.param == "als":  # as many factors as there are tastes: 64 know eight products by heart
        model = Als(factors=2).fit(tiny(), progress=no_progress)

    def answer(*history: Rated, **more: Any) -> RecommendOutput:
        return model.predict([RecommendInput(history, **more)])[0]

    return answer


def products(output: RecommendOutput) -> list[int]:
    return [one.product for one in output.products]


def test_products_of_ones_taste_come_first_and_scores_fall(ask: Ask) -> None:
    output = ask(*ODD)
    assert set(products(output)[:2]) == {5, 7}
    scores = [one.score for one in output.products]
    assert scores == sorted(scores, reverse=True)


def test_each_names_the_product_of_the_history_that_spoke_most_for_it(ask: Ask) -> None:
    for one in ask(*ODD, n=2).products:
        assert one.because in (1, 3)
        assert one.reason in ("collaborative", "content")
        assert 0 < one.similarity <= 1


def test_predicted_stars_follow_the_taste(ask: Ask) -> None:
    stars = {one.product: one.predicted_rating for one in ask(*ODD, weights=Weights(trending=1.0)).products}
    assert all(0.5 <= value <= 5 for value in stars.values())
    assert min(stars[5], stars[7]) > max(stars[2], stars[4], stars[6])


def test_rated_and_excluded_products_are_never_ranked(ask: Ask) -> None:
    assert not {1, 3, 0, 5} & set(products(ask(*ODD, exclude=(5, 99), n=100, weights=Weights(trending=1.0))))


def test_a_disliked_product_speaks_for_none_of_its_kind(ask: Ask) -> None:
    assert products(ask(*ODD, Rated(2, 0.5)))[0] in (5, 7)


@pytest.mark.parametrize(("allowed", "found"), [((7, 4, 99), {7}), ((1,), set()), ((99,), set()), ((), set())])
def test_only_allowed_products_are_ranked(ask: Ask, allowed: tuple[int, ...], found: set[int]) -> None:
    assert found <= set(products(ask(*ODD, allowed=allowed))) <= {*found, 4} & set(allowed)


@pytest.mark.parametrize("n", [1, 2, 3, 1000])
def test_there_are_never_more_than_asked_for_and_the_first_are_the_same(ask: Ask, n: int) -> None:
    assert products(ask(*ODD, n=n)) == products(ask(*ODD, n=1000))[:n]


def test_unknown_products_in_the_history_say_nothing(ask: Ask) -> None:
    assert set(products(ask(Rated(99, 5.0), *ODD))[:2]) == {5, 7}
    assert ask(Rated(99, 5.0)) == RecommendOutput((), "")


def test_an_empty_history_gives_nothing_but_what_is_popular_when_asked_for(ask: Ask) -> None:
    assert ask() == RecommendOutput((), "")
    output = ask(weights=Weights(trending=1.0))
    assert (output.method, output.products[0].reason, output.products[0].because) == ("trending", "trending", None)


def test_of_a_product_that_was_rated_twice_the_newest_rating_counts(ask: Ask) -> None:
    assert products(ask(Rated(1, 5.0), Rated(3, 5.0), Rated(1, 0.5))) == products(ask(Rated(1, 5.0), Rated(3, 5.0)))


def test_events_speak_too(ask: Ask) -> None:
    output = ask(events=(Happened(1, "purchase"), Happened(3, "view")), exclude=(1, 3))
    assert products(output)[0] in (5, 7)
    assert ask(events=(Happened(99, "purchase"),)) == RecommendOutput((), "")


@pytest.mark.parametrize(
    ("weights", "method"),
    [
        (None, "hybrid"),
        (Weights(collaborative=2.0), "collaborative"),
        (Weights(content=0.1), "content"),
        (Weights(trending=1.0), "trending"),
        (Weights(collaborative=1.0, content=1.0), "hybrid"),
        (Weights(), ""),
    ],
)
def test_the_method_says_which_parts_answered(ask: Ask, weights: Weights | None, method: str) -> None:
    assert ask(*ODD, weights=weights).method == method


def test_only_the_ratios_of_the_weights_matter(ask: Ask) -> None:
    small, large = (ask(*ODD, weights=Weights(0.3 * times, 0.1 * times, 0.2 * times)) for times in (0.001, 1000))
    assert products(small) == products(large)
    assert [one.score for one in small.products] == pytest.approx([one.score for one in large.products])


def test_a_newcomer_is_ranked_by_what_it_is_like(ask: Ask) -> None:
    like_odd = Newcomers(products=(50, 50, 60), like=(5, 7, 4), similarity=(0.9, 0.8, 0.9))
    found = products(ask(*ODD, newcomers=like_odd, n=100))
    assert 50 in found[:3]
    assert 60 not in found[:3]
    [newcomer] = [one for one in ask(*ODD, newcomers=like_odd, n=100).products if one.product == 50]
    assert newcomer.because in (1, 3)
    assert 0.5 <= newcomer.predicted_rating <= 5


def test_a_newcomer_that_is_hardly_like_anything_counts_less(ask: Ask) -> None:
    pair = Newcomers(products=(50, 60), like=(5, 5), similarity=(0.9, 0.01))
    score = {one.product: one.score for one in ask(*ODD, newcomers=pair, n=100).products}
    assert 0 < score[60] < score[50] < score[5]


def test_a_newcomer_that_one_liked_speaks_through_what_it_is_like(ask: Ask) -> None:
    new = Newcomers(products=(50,), like=(3,), similarity=(0.9,))
    output = ask(Rated(50, 5.0), newcomers=new, exclude=(3,))
    assert products(output)[0] in (1, 5, 7)
    assert output.products[0].because == 50
    assert 50 not in products(output)


def test_newcomers_that_are_known_or_like_the_unknown_are_passed_over(ask: Ask) -> None:
    odd_ones = Newcomers(products=(5, 70), like=(4, 99), similarity=(0.9, 0.9))
    assert ask(*ODD, newcomers=odd_ones) == ask(*ODD)


@pytest.mark.parametrize("kind", ["rating", "purchase"])
def test_without_anything_liked_there_is_nothing_to_learn_from(kind: str) -> None:
    rows = tiny().rows.assign(value=2.0)
    with pytest.raises(DomainError, match=r"Nobody rated anything 3\.5 stars or more"):
        Ease().fit(Examples(rows), progress=no_progress)
    if kind == "purchase":
        bought = rows.assign(kind="purchase", value=0.0)
        model = Ease().fit(Examples(bought, tiny().side), progress=no_progress)
        assert model.predict([RecommendInput(events=(Happened(1, "purchase"),))])[0].products


def test_equal_scores_are_in_order_of_id_whatever_the_order_of_the_rows() -> None:
    rows = pd.DataFrame(
        [(user, product, "rating", 5.0, 0.0) for user in "ab" for product in (9, 3, 7, 1)],
        columns=["unit", "product", "kind", "value", "at"],
    )
    for mixed in (rows, rows[::-1], rows.sample(frac=1, random_state=1)):
        model = Ease(ahead=0.0).fit(Examples(mixed), progress=no_progress)
        assert products(model.predict([RecommendInput((Rated(7, 5.0),))])[0]) == [1, 3, 9]


def test_an_answer_is_worked_out_once_until_something_new_comes_in(ask: Ask) -> None:
    new = Newcomers(products=(50,), like=(5,), similarity=(0.9,))
    first = ask(Rated(3, 5.0), newcomers=new, n=50)
    assert ask(Rated(3, 5.0), newcomers=new, n=50) is first
    fewer = ask(Rated(3, 5.0), newcomers=new, n=2)
    for one, same in zip(fewer.products, first.products[:2], strict=True):  # BLAS rounds by the shape of a product
        assert astuple(one) == pytest.approx(astuple(same))
    assert 50 in products(first)
    assert 50 not in products(ask(Rated(3, 5.0), n=50))
    assert products(ask(Rated(3, 5.0), newcomers=new, exclude=(50,), n=50)) == [
        one for one in products(first) if one != 50
    ]
    assert products(ask(Rated(3, 5.0), newcomers=new, allowed=(5,))) == [5]


def test_long_answers_are_not_remembered(ask: Ask) -> None:
    new = Newcomers()
    assert ask(Rated(3, 5.0), newcomers=new, n=51) is not ask(Rated(3, 5.0), newcomers=new, n=51)


def test_no_more_answers_are_remembered_than_the_bound(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hybrid, "MOST_ANSWERS", 2)
    new = Newcomers()
    first = ask(Rated(3, 5.0), newcomers=new)
    for product in (1, 2):
        ask(Rated(product, 5.0), newcomers=new)
    again = ask(Rated(3, 5.0), newcomers=new)
    assert again == first
    assert again is not first
