"""`evaluate --folds`: an algorithm measured on every part of the rows in turn, none of which it learned from."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pandas as pd
import pytest
from django.core.management import CommandError, call_command

from experiments.errors import DomainError, Invalid
from experiments.mltask import Examples
from experiments.registry import cross_validate
from nlp.ml.sentiment import TfidfSentiment
from tests import shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviews() -> None:
    for product in shop.products(12):
        shop.review(product, shop.GOOD, rating=5)
        shop.review(product, shop.BAD, rating=1)


def test_parts_keep_units_whole_lose_nothing_and_are_of_about_equal_size() -> None:
    units = [0] * 40 + [1] * 30 + [unit for unit in range(2, 32) for _ in range(3)]
    rows = pd.DataFrame({"unit": units, "row": range(len(units))})
    parts = list(Examples(rows).parts(4))
    assert sorted(row for part in parts for row in part.rows["row"]) == list(range(len(units)))
    assert sum(part.rows["unit"].nunique() for part in parts) == 32
    assert max(map(len, parts)) - min(map(len, parts)) <= 3


def test_parts_are_the_same_each_time_and_none_is_empty() -> None:
    rows = pd.DataFrame({"row": range(3)})
    assert [list(part.rows["row"]) for part in Examples(rows).parts(5)] == [
        list(part.rows["row"]) for part in Examples(rows).parts(5)
    ]
    assert [len(part) for part in Examples(rows).parts(5)] == [1, 1, 1]
    assert list(Examples(rows[:0]).parts(5)) == []


def test_no_fold_is_measured_on_what_it_learned_from(
    reviews: None, live: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = live("sentiment")
    fit, evaluate = TfidfSentiment.fit, TfidfSentiment.evaluate
    learned: list[set[int]] = []
    measured: list[set[int]] = []

    def noted_fit(self: TfidfSentiment, examples: Examples, **more: Any) -> TfidfSentiment:
        learned.append(set(examples.rows["unit"]))
        return fit(self, examples, **more)

    def noted_evaluate(self: TfidfSentiment, examples: Examples) -> dict[str, float]:
        measured.append(set(examples.rows["unit"]))
        return evaluate(self, examples)

    monkeypatch.setattr(TfidfSentiment, "fit", noted_fit)
    monkeypatch.setattr(TfidfSentiment, "evaluate", noted_evaluate)
    assert len(cross_validate(row=row, folds=4)) == 4
    assert not any(a & b for a, b in zip(learned, measured, strict=True))
    assert len(set.union(*measured)) == sum(map(len, measured)) == 12


def test_the_command_prints_the_mean_and_each_fold(reviews: None, live: Callable[..., Any]) -> None:
    live("sentiment")
    printed = StringIO()
    call_command("evaluate", "sentiment", "--folds", "3", stdout=printed)
    assert "sentiment tfidf, 3 folds: macro_f1 1.0000 (1.0000, 1.0000, 1.0000)" in printed.getvalue()


@pytest.mark.parametrize("folds", [1, 21, -1])
def test_too_few_and_too_many_folds_are_refused(live: Callable[..., Any], folds: int) -> None:
    with pytest.raises(Invalid, match="2 to 20 folds"):
        cross_validate(row=live("sentiment"), folds=folds)


def test_a_task_that_is_split_by_time_has_no_folds(live: Callable[..., Any]) -> None:
    with pytest.raises(DomainError, match="split by time"):
        cross_validate(row=live("recommend"), folds=5)


def test_without_rows_the_command_says_so(live: Callable[..., Any]) -> None:
    live("sentiment")
    with pytest.raises(CommandError, match="no rows"):
        call_command("evaluate", "sentiment", "--folds", "5")
