"""Recommenders compared under a protocol: figures worked out by hand, and who is compared with whom."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2, sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments.errors import DomainError
from experiments.mltask import Examples
from recommendations.ml.baselines import BASELINES
from recommendations.ml.evaluation import Contender, Live, Trial, compare, contenders, trial_of
from recommendations.ml.hybrid import Ease
from recommendations.ml.metrics import Case
from recommendations.ml.recommend import RECOMMEND, Ranked, Rated, RecommendInput, RecommendOutput

WORDS = {10: "lamp", 11: "lamp", 12: "lamp", 13: "shirt", 14: ""}
LISTS = {1: [10, 12, 11], 2: [12, 13]}  # by the product that the asker rated


class Says:
    """Answers with a list that belongs to the first product of the history."""

    def __init__(self, lists: Mapping[int, Sequence[int]]) -> None:
        self.lists, self.asked = lists, list[RecommendInput]()

    def fit(self, examples: Examples, *, progress: Any) -> "Says":
        return self

    def predict(self, batch: Sequence[RecommendInput]) -> list[RecommendOutput]:
        self.asked += batch
        found = [self.lists.get(one.history[0].product, ())[: one.n] for one in batch]
        return [RecommendOutput(tuple(Ranked(product, 1, 3, 0, None, "trending") for product in one)) for one in found]


class Rates(Says):
    def predicted(self, history: Sequence[Rated], products: Sequence[int]) -> Any:
        return np.full(len(products), 3.0)


@dataclass
class Breaks:
    error: Exception

    def fit(self, examples: Examples, *, progress: Any) -> Any:
        raise self.error


def contender(name: str, model: Any, **facts: Any) -> Contender:
    return Contender(name, lambda: model, {}, **facts)


def case(known: int, stars: Mapping[int, float]) -> Case:
    given = RecommendInput(history=(Rated(known, 5.0),))
    return Case(given, np.array(list(stars)), np.array(list(stars.values())))


@pytest.fixture
def trial() -> Trial:
    """Product 10 was rated by all four, 11 by two, 12 by one; the last of the three cases likes nothing."""
    rated = [(user, 10) for user in "abcd"] + [("a", 11), ("b", 11), ("c", 12)]
    rows = pd.DataFrame(rated, columns=["unit", "product"]).assign(kind="rating", value=4.0, at=0.0)
    products = pd.DataFrame({"product": list(WORDS), "name": WORDS.values(), "category": "", "description": ""})
    cases = [case(1, {10: 5.0, 11: 4.0, 12: 1.0}), case(2, {10: 4.5}), case(3, {12: 2.0})]
    return Trial(Examples(rows, {"products": products}), cases, catalogue=5)


def figures(report: dict[str, Any], name: str, part: str = "figures") -> dict[str, Any]:
    [found] = [one[part] for one in report["recommenders"] if one["name"] == name]
    return found


def values(report: dict[str, Any], name: str) -> dict[str, float]:
    return {figure: found["value"] for figure, found in figures(report, name).items()}


def test_each_figure_is_what_one_works_out_by_hand(trial: Trial) -> None:
    report = compare(trial, [contender("a", Rates(LISTS))], [3, 2])
    best = 1 + 1 / log2(3)
    assert values(report, "a") == pytest.approx({
        "ndcg@2": 1 / best / 2, "recall@2": 1 / 2 / 2, "map@2": 1 / 2 / 2, "hit@2": 1 / 2,
        "ndcg@3": (1 + 1 / log2(4)) / best / 2, "recall@3": 1 / 2, "map@3": (1 + 2 / 3) / 2 / 2, "hit@3": 1 / 2,
        "coverage@2": 3 / 5, "coverage@3": 4 / 5,
        "novelty@2": ((0 + 2) / 2 + 2) / 2, "novelty@3": ((0 + 2 + 1) / 3 + 2) / 2,
        "popular@2": (1 / 2 + 0) / 2, "popular@3": (1 / 3 + 0) / 2,  # one of five products: number 10
        "diversity@2": (0 + 1) / 2, "diversity@3": (0 + 1) / 2,
        "rmse": sqrt((2**2 + 1**2 + 2**2 + 1.5**2 + 1**2) / 5),  # also of who likes nothing
    }, abs=1e-6)  # fmt: skip
    assert (report["users"], report["held_out"], report["learned_from"], report["products"]) == (2, 5, 7, 5)


def test_an_interval_is_over_users_and_a_figure_of_all_of_them_has_none(trial: Trial) -> None:
    found = figures(compare(trial, [contender("a", Says(LISTS))], [2]), "a")
    assert found["hit@2"] == {"value": 0.5, "low": 0, "high": 1}  # a quarter of the draws are one user twice
    assert found["coverage@2"] == {"value": 0.6, "low": None, "high": None}


def test_what_is_not_defined_is_null_and_not_a_number_that_json_lacks(trial: Trial) -> None:
    report = compare(trial, [contender("silent", Says({}))], [2])
    assert figures(report, "silent")["novelty@2"] == {"value": None, "low": None, "high": None}
    assert figures(report, "silent")["ndcg@2"] == {"value": 0, "low": 0, "high": 0}
    json.dumps(report, allow_nan=False)


def test_differences_are_paired_user_by_user(trial: Trial) -> None:
    wanted = [1, 2, 3]
    liked = dict.fromkeys(wanted, 5.0)
    cases = [case(known, liked) for known in range(10, 50)]
    before = {known: wanted[: known % 3] for known in range(10, 50)}
    after = {known: wanted[: known % 3 + 1] for known in range(10, 50)}  # one more for each, whatever they had
    among = [contender("live", Rates(before), live=True, reference=True), contender("new", Says(after))]
    report = compare(Trial(trial.fit, cases, 5), among, [3])
    wide, difference = figures(report, "new")["recall@3"], figures(report, "new", "difference")
    assert wide["high"] - wide["low"] > 0.1
    assert difference["recall@3"] == pytest.approx({"value": 1 / 3, "low": 1 / 3, "high": 1 / 3}, abs=1e-6)
    assert difference["coverage@3"] == {"value": 0.2, "low": None, "high": None}
    assert "rmse" in figures(report, "live") and "rmse" not in difference
    assert "difference" not in report["recommenders"][0]
    assert report["reference"] == {"name": "live", "live": True, "measured": True}


def test_one_that_fails_is_listed_with_its_error_and_the_others_are_measured(trial: Trial) -> None:
    broken = [contender("odd", Breaks(ValueError("no rows"))), contender("told", Breaks(DomainError("Too few.")))]
    report = compare(trial, [*broken, contender("a", Says(LISTS), reference=True)], [2])
    assert report["recommenders"][0] == {"name": "odd", "params": {}, "live": False, "error": "ValueError: no rows"}
    assert report["recommenders"][1]["error"] == "Too few."
    assert values(report, "a")["hit@2"] == 0.5


def test_where_the_reference_fails_nothing_is_compared(trial: Trial) -> None:
    among = [contender("live", Breaks(ValueError()), live=True, reference=True), contender("a", Says(LISTS))]
    report = compare(trial, among, [2])
    assert report["reference"] == {"name": "live", "live": True, "measured": False}
    assert "difference" not in report["recommenders"][1]


def test_where_all_fail_each_error_is_said(trial: Trial) -> None:
    broken = [contender("odd", Breaks(ValueError("no rows"))), contender("told", Breaks(DomainError("Too few.")))]
    with pytest.raises(DomainError, match=r"Nothing could be evaluated\. odd: ValueError: no rows told: Too few\."):
        compare(trial, broken, [2])


def named(**more: Any) -> dict[str, tuple[bool, bool]]:
    """Name to (live, reference)."""
    return {one.name: (one.live, one.reference) for one in contenders(RECOMMEND.algorithms, **more)}


def test_without_a_live_version_the_default_algorithm_is_the_reference() -> None:
    found = named()
    assert list(found) == [*RECOMMEND.algorithms, *BASELINES]
    assert found.pop("ease") == (False, True)
    assert set(found.values()) == {(False, False)}
    assert list(named(only=["random"])) == ["ease", "random"]


def test_a_live_version_without_parameters_is_its_algorithm() -> None:
    assert named(only=["ease"], live=Live("als", {}, 3)) == {"ease": (False, False), "als": (True, True)}


def test_a_live_version_with_parameters_is_a_contender_of_its_own() -> None:
    live = Live("ease", {"l2": 7.0}, 4)
    assert named(only=["ease"], live=live) == {"ease v4": (True, True), "ease": (False, False)}
    [own, default] = contenders(RECOMMEND.algorithms, only=["ease"], live=live)
    assert (own.make().l2, own.params, default.make().l2) == (7.0, {"l2": 7.0}, Ease().l2)


def test_a_live_version_of_an_algorithm_that_is_gone_says_so() -> None:
    [own] = contenders(RECOMMEND.algorithms, live=Live("magic", {}, 4))[:1]
    with pytest.raises(DomainError, match="Version 4 was made by an algorithm that this code does not have"):
        own.make()


def test_an_unknown_name_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(DomainError, match=r"no algorithm magic\. Known are: ease, als, .*tutorial"):
        named(only=["ease", "magic"])


def shop(users: int = 20, products: int = 20, stars: float = 5.0) -> Examples:
    """Even users like even products; the words say which is which."""
    rows = [
        (user, product, "rating", stars if user % 2 == product % 2 else 1.0, float(product))
        for user in range(users)
        for product in range(products)
        if (user + product) % 5
    ]
    words = ["brass lamp", "linen shirt"]
    side = pd.DataFrame([(product, words[product % 2], "", "") for product in range(products)])
    side.columns = ["product", "name", "category", "description"]
    return Examples(pd.DataFrame(rows, columns=["unit", "product", "kind", "value", "at"]), {"products": side})


def test_a_protocol_says_what_is_learned_and_who_is_asked() -> None:
    found = trial_of(shop(), "leave-last-out")
    assert (len(found.cases), len(found.fit), found.catalogue) == (20, 320 - 20, 20)
    assert all(len(one.products) == 1 and len(one.given.history) == 15 for one in found.cases)
    assert (found.words, found.allowed) == (None, None)


def test_no_more_users_than_said_are_asked_and_all_are_learned_from() -> None:
    few, again = (trial_of(shop(), "temporal-user", users=3) for _ in range(2))
    assert len(few.cases) == 3
    assert [one.given for one in few.cases] == [one.given for one in again.cases]
    assert few.fit.rows.equals(trial_of(shop(), "temporal-user").fit.rows)
    assert len(trial_of(shop(), "temporal-user", users=99).cases) == 20


def test_where_nothing_can_be_measured_it_is_said_why() -> None:
    rows = shop().rows
    for nothing in (Examples(rows[:0]), Examples(rows.assign(kind="view"))):
        with pytest.raises(DomainError, match="no ratings to evaluate on: import some"):
            trial_of(nothing, "temporal-user")
    once = Examples(rows.drop_duplicates("unit"), shop().side)
    for unlucky in (once, shop(stars=3.5)):
        with pytest.raises(DomainError, match=r"nothing to evaluate under leave-last-out: .* 4 stars or more"):
            trial_of(unlucky, "leave-last-out")


def test_only_new_products_are_recommended_and_the_recall_is_set_against_chance() -> None:
    found = trial_of(shop(products=60), "new-products")
    new = set(found.words["product"])
    assert (len(new), found.catalogue, set(found.allowed)) == (6, 6, new)
    assert not new & {*found.fit.rows["product"], *found.fit.side["products"]["product"]}
    spy = Says({})
    models = {"spy": spy, "ease": Ease(), "random": BASELINES["random"]()}
    report = compare(found, [contender(name, model) for name, model in models.items()], [1])
    assert {(asked.n, asked.allowed) for asked in spy.asked} == {(1, found.allowed)}
    assert not {"novelty@1", "diversity@1", "popular@1"} & set(figures(report, "ease"))
    chance = np.mean([len(case.relevant) / 6 for case in found.cases if len(case.relevant)])
    ease, random = values(report, "ease"), values(report, "random")
    assert ease["recall@1"] > 0.7 > 0.6 > random["recall@1"]
    assert ease["recall_to_random@1"] == pytest.approx(ease["recall@1"] / chance, abs=1e-5)
    assert 0.5 < random["recall_to_random@1"] < 1.5
