from typing import Any

import pytest
from django.core.management import CommandError, call_command

from experiments.mltask import no_progress
from nlp.ml.sentiment import SentimentInput, TfidfSentiment
from reviews.datasets import sentiment
from reviews.models import Product
from tests import shop

pytestmark = pytest.mark.django_db
PARTS = ("fit", "validation", "test")


def catalogue(count: int, source: str = "file") -> list[Product]:
    """Products of a file, each with two reviews."""
    made = [shop.product(source=source, external_id=str(number)) for number in range(count)]
    for one in made:
        shop.review(one, rating=5)
        shop.review(one, shop.BAD, rating=1)
    return made


def parts() -> dict[str, set[int]]:
    """The products of each part."""
    split = sentiment()
    return {name: set(getattr(split, name).rows["unit"]) for name in PARTS}


def test_no_product_is_in_two_parts_and_each_part_has_its_share() -> None:
    catalogue(300)
    split = sentiment()
    found = parts()
    assert sum(len(units) for units in found.values()) == len(set.union(*found.values())) == 300
    assert sum(len(getattr(split, name)) for name in PARTS) == 600
    assert len(found["test"]) == pytest.approx(60, abs=20)
    assert len(found["validation"]) == pytest.approx(24, abs=15)


def test_a_product_stays_in_its_part_when_others_come_and_go() -> None:
    made = catalogue(60)
    before = parts()
    catalogue(60, source="another file")
    shop.review(made[0], rating=3)
    after = parts()
    for name in PARTS:
        assert before[name] <= after[name]
    Product.objects.filter(pk__in=[one.pk for one in made[::2]]).delete()
    kept = {one.pk for one in made[1::2]}
    for name in PARTS:
        assert parts()[name] & kept == before[name] & kept


def test_an_imported_product_is_in_the_same_part_in_every_database() -> None:
    def by_external_id(part: str) -> set[str]:
        return set(Product.objects.filter(pk__in=parts()[part]).values_list("external_id", flat=True))

    catalogue(40)
    first = {name: by_external_id(name) for name in PARTS}
    Product.objects.all().delete()
    catalogue(40)  # with other ids
    assert {name: by_external_id(name) for name in PARTS} == first


def test_products_made_here_are_told_apart() -> None:
    for one in shop.products(100):
        shop.review(one, rating=5)
    found = parts()
    assert len(set.union(*found.values())) == 100
    assert all(found.values())


@pytest.mark.parametrize(("stars", "positive"), [(5, True), (4, True), (3.5, False), (0.5, False)])
def test_positive_are_four_stars_and_up(stars: float, positive: bool) -> None:
    shop.review(shop.product(), rating=stars, title="Title")
    [row] = [row for name in PARTS for row in getattr(sentiment(), name).rows.itertuples()]
    assert (row.title, row.text, row.positive) == ("Title", shop.GOOD, positive)


def test_reviews_without_stars_are_left_out() -> None:
    shop.review(shop.product())
    assert parts() == {name: set() for name in PARTS}


def test_the_split_names_its_table() -> None:
    assert sentiment().sources == ("reviews.Review",)


def test_the_title_is_learned_from() -> None:
    for number, one in enumerate(shop.products(40)):
        shop.review(
            one, "It came on Monday.", title="Splendid" if number % 2 else "Dreadful", rating=1 + 4 * (number % 2)
        )
    model = TfidfSentiment().fit(sentiment().fit, progress=no_progress)
    inputs = [SentimentInput("It came on Monday.", title) for title in ("Splendid", "Dreadful")]
    assert [output.sentiment for output in model.predict(inputs)] == ["positive", "negative"]


def test_without_reviews_training_says_what_to_do() -> None:
    with pytest.raises(CommandError, match="no rows to fit sentiment on: import some"):
        call_command("train", "sentiment", verbosity=0)


def test_the_examples_cost_one_query(django_assert_num_queries: Any) -> None:
    catalogue(10)
    with django_assert_num_queries(1):
        sentiment()
