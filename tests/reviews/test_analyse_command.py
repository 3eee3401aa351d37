"""`manage.py analyse_reviews`: after another sentiment model went live."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from experiments.models import ModelVersion
from reviews import tasks
from reviews.models import Review
from tests import shop

pytestmark = pytest.mark.django_db
Live = Callable[..., ModelVersion]


def run() -> str:
    said = StringIO()
    call_command("analyse_reviews", stdout=said, verbosity=0)
    return said.getvalue()


@pytest.fixture
def reviews() -> list[Review]:
    product = shop.product()
    return [shop.review(product, text) for text in (shop.GOOD, shop.BAD, shop.GOOD)]


def test_all_are_read_by_the_live_version_and_a_second_run_does_nothing(reviews: list[Review], live: Live) -> None:
    live("sentiment")
    assert run() == "sentiment 1 (tfidf): 3 reviews are analysed.\n"
    live("sentiment")
    assert run() == "sentiment 2 (tfidf): 3 reviews are analysed.\n"
    assert set(Review.objects.values_list("model_version", "sentiment")) == {(2, "positive"), (2, "negative")}
    assert run() == "sentiment 2 (tfidf): 0 reviews are analysed.\n"


def test_stopped_by_the_keyboard_it_goes_on_where_it_was(
    reviews: list[Review], live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    live("sentiment")
    monkeypatch.setattr(tasks, "BATCH", 1)
    plainly: Any = tasks.analysed

    def stopped(but: int | None = None) -> Any:
        yield next(plainly(but))
        raise KeyboardInterrupt

    monkeypatch.setattr("reviews.management.commands.analyse_reviews.analysed", stopped)
    with pytest.raises(CommandError, match="What was analysed is kept"):
        run()
    assert Review.objects.exclude(sentiment="").count() == 1
    monkeypatch.setattr("reviews.management.commands.analyse_reviews.analysed", plainly)
    assert "2 reviews are analysed" in run()


def test_without_a_live_version_it_says_what_to_do(reviews: list[Review]) -> None:
    with pytest.raises(CommandError, match=r"manage\.py train sentiment --promote"):
        run()
