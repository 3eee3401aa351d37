"""`import_reviews`: texts as they were, unanalysed, with or without an author, and the products they name."""

import json
from pathlib import Path

import pytest
from django.utils import timezone

from reviews.models import Product, Rating, Review
from tests.reviews.importing import counts, rejected, run_import

pytestmark = pytest.mark.django_db

HEADER = (
    ",Clothing ID,Age,Title,Review Text,Rating,Recommended IND,Positive Feedback Count,"
    "Division Name,Department Name,Class Name\n"
)
ROWS = """\
0,767,33,,"Soft, light.

I live in it.",4,1,0,General,Bottoms,Pants
1,767,34,Meh,It itches.,2,0,4,General,Bottoms,Pants
2,80,60,Only a title,,3,0,0,General,Dresses,Dresses
3,81,60,Fine,Good enough.,5,0,0,General,Dresses,Dresses
4,82,60,Odd,No department.,1,0,0,,,
"""


@pytest.fixture
def clothing(tmp_path: Path) -> Path:
    file = tmp_path / "clothing.csv"
    file.write_text(HEADER + ROWS)
    return file


def test_the_clothing_reviews_come_without_authors_and_make_their_products(clothing: Path) -> None:
    start = timezone.now()
    assert counts(run_import("reviews", clothing, "--preset", "clothing")) == (4, 0, 1)
    assert list(Product.objects.values_list("source", "external_id", "name", "category", "price")) == [
        ("clothing", "767", "Bottoms / Pants 767", "Pants", None),
        ("clothing", "81", "Dresses 81", "Dresses", None),
        ("clothing", "82", "Garment 82", "", None),
    ]
    first, second, *_ = Review.objects.order_by("id")
    assert (first.source, first.external_id, first.product.external_id) == ("clothing", "0", "767")
    assert (first.title, first.text, first.rating) == ("", "Soft, light.\n\nI live in it.", 4.0)
    assert (first.author, first.sentiment, first.model_version, first.prediction_id) == (None, "", None, None)
    assert start <= first.created_at <= timezone.now()
    assert (second.external_id, second.title) == ("1", "Meh")
    assert not Rating.objects.exists()


def test_a_review_without_text_is_rejected_by_its_line_in_the_file(clothing: Path) -> None:
    run_import("reviews", clothing, "--preset", "clothing")
    assert [row[:7] for row in rejected(clothing)] == [["6", "text", "is blank", "2", "80", "60", "Only a title"]]


def test_run_twice_it_changes_nothing(clothing: Path) -> None:
    run_import("reviews", clothing, "--preset", "clothing")
    before = list(Review.objects.order_by("id").values()), list(Product.objects.order_by("id").values())
    assert counts(run_import("reviews", clothing, "--preset", "clothing")) == (0, 4, 1)
    assert (list(Review.objects.order_by("id").values()), list(Product.objects.order_by("id").values())) == before


def test_an_author_has_one_review_a_product_and_rates_with_it(tmp_path: Path) -> None:
    Product.objects.create(source="shop", external_id="p", name="Pot")
    file = tmp_path / "r.jsonl"
    records: list[dict[str, object]] = [
        {"id": "a", "author": "ann", "rating": 4, "text": "Good.", "created_at": "2023-01-02"},
        {"id": "b", "author": "ann", "rating": 1, "text": "Second thoughts.", "created_at": "2023-01-03"},
        {"id": "c", "author": None, "rating": 2, "text": "Anonymous.", "created_at": "2023-01-04"},
        {"id": "d", "author": "bob", "rating": None, "text": "No stars.", "created_at": "2023-01-05"},
    ]
    file.write_text("".join(json.dumps({**record, "product": "p"}) + "\n" for record in records))
    rules = "id=external_id,author=author,rating=rating,text=text,product=product,created_at=created_at"
    options = ("--source", "shop", "--map", rules)
    for expected in ((3, 0, 1), (0, 3, 1)):
        assert counts(run_import("reviews", file, *options)) == expected
        assert rejected(file)[0][:3] == ["2", "author", "user ann has reviewed product p already: id a"]
        assert list(Review.objects.order_by("id").values_list("external_id", "author__username")) == [
            ("a", "shop-ann"),
            ("c", None),
            ("d", "shop-bob"),
        ]
        rating = Rating.objects.get()
        assert (rating.user.username, rating.value, rating.external_id) == ("shop-ann", 4.0, "review a")
        assert rating.rated_at == Review.objects.get(external_id="a").created_at


def test_a_rating_that_is_there_stays(tmp_path: Path) -> None:
    product = tmp_path / "ratings.csv"
    product.write_text("user,product,value,product.name\nann,p,5,Pot\n")
    run_import("ratings", product, "--source", "shop")
    file = tmp_path / "reviews.csv"
    file.write_text("author,product,text,rating\nann,p,Good.,3\n")
    assert counts(run_import("reviews", file, "--source", "shop")) == (1, 0, 0)
    assert Rating.objects.get().value == 5.0


def test_another_file_under_the_same_source_loses_no_review_without_a_word(tmp_path: Path) -> None:
    Product.objects.create(source="shop", external_id="p", name="Pot")
    first, second = tmp_path / "2023.csv", tmp_path / "2024.csv"
    first.write_text("product,text\np,Good.\n")
    second.write_text("product,text\np,Bad.\np,Fine.\n")
    run_import("reviews", first, "--source", "shop")
    assert counts(run_import("reviews", second, "--source", "shop")) == (1, 0, 1)
    assert rejected(second)[0][:3] == ["2", "external_id", "line 2 of shop is in already, with other content"]
