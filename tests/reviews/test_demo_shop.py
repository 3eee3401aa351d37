"""`manage.py demo` on an empty database, once for the whole module, and what models learn from it."""

import io
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import transaction
from PIL import Image
from pytest_django import DjangoDbBlocker

from experiments.errors import Conflict
from experiments.mltask import no_progress
from nlp.ml.sentiment import TfidfSentiment
from recommendations.datasets import recommend
from recommendations.ml.baselines import Popularity
from recommendations.ml.hybrid import Ease
from recommendations.ml.metrics import ranking_scores
from reviews.datasets import sentiment
from reviews.demo.shop import make_shop
from reviews.demo_services import shop_save
from reviews.models import Event, Product, Rating, Review, Seller
from reviews.trend import trends_rebuild
from tests import shop

MADE = {Seller: 20, Product: 300, get_user_model(): 400, Rating: 12_000, Review: 3_000, Event: 20_000}


@dataclass
class Made:
    said: str
    seconds: float


def run() -> str:
    said = io.StringIO()
    call_command("demo", verbosity=0, stdout=said)
    return said.getvalue()


def counts() -> dict[Any, int]:
    return {model: model.objects.count() for model in MADE}


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Made]:
    with django_db_blocker.unblock(), transaction.atomic():
        start = time.perf_counter()
        said = run()
        yield Made(said, time.perf_counter() - start)
        transaction.set_rollback(True)


def test_it_makes_the_whole_shop_and_says_so(demo: Made) -> None:
    assert counts() == MADE
    said = "Made 300 products, 400 customers, 12,000 ratings, 3,000 reviews and 20,000 events."
    assert demo.said.splitlines()[0] == said
    assert len(set(Product.objects.values_list("category", flat=True))) == 10


def test_it_takes_less_than_a_minute(demo: Made) -> None:
    assert demo.seconds < 60


def test_every_product_has_a_picture_a_price_and_a_seller(demo: Made) -> None:
    assert not Product.objects.filter(price=None).exists()
    assert not Product.objects.filter(seller=None).exists()
    pictures = set()
    for product in Product.objects.all():
        with Image.open(Path(project.MEDIA_ROOT) / product.image.name) as picture:
            assert picture.format == "PNG"
            pictures.add(picture.tobytes()[:30_000])
    assert len(pictures) > 100


def test_its_customers_cannot_log_in(demo: Made) -> None:
    assert not any(user.has_usable_password() or user.is_staff for user in get_user_model().objects.all())


def test_its_counts_and_trends_are_those_of_its_events(demo: Made) -> None:
    views = Counter(Event.objects.filter(kind="view").values_list("product_id", flat=True))
    assert all(views[pk] == count for pk, count in Product.objects.values_list("pk", "view_count"))
    assert trends_rebuild() == 0
    assert not Product.objects.filter(trend=0, view_count__gt=0).exists()


def test_a_second_run_changes_nothing(demo: Made) -> None:
    before, files = counts(), sorted(Path(project.MEDIA_ROOT).rglob("*.png"))
    assert run().startswith("The demo shop is here already.\n")
    assert counts() == before
    assert sorted(Path(project.MEDIA_ROOT).rglob("*.png")) == files


def test_recommendations_on_it_beat_popularity(demo: Made) -> None:
    split = recommend()
    model, baseline = (one.fit(split.fit, progress=no_progress) for one in (Ease(), Popularity()))
    found, popular = model.evaluate(split.test), ranking_scores(baseline, split.test)
    assert found["ndcg@10"] > 2 * popular["ndcg@10"] > 0
    assert found["coverage@10"] > popular["coverage@10"]


def test_sentiment_on_it_is_learnable_and_not_trivial(demo: Made) -> None:
    split = sentiment()
    scores = TfidfSentiment().fit(split.fit, progress=no_progress).evaluate(split.test)
    assert 0.8 < scores["macro_f1"] < 0.97


# Each of these starts from an empty database again.


def small() -> Any:
    made = make_shop(datetime(2026, 1, 2, tzinfo=UTC))
    return replace(made, products=made.products[:3], ratings=(), reviews=(), events=())


@pytest.mark.django_db
def test_an_interrupted_run_leaves_neither_rows_nor_pictures() -> None:
    before = sorted(Path(project.MEDIA_ROOT).rglob("*.*"))

    def interrupted() -> None:
        assert len(sorted(Path(project.MEDIA_ROOT).rglob("*.*"))) > len(before)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shop_save(shop=small(), drawn=interrupted)
    assert not any(counts().values())
    assert sorted(Path(project.MEDIA_ROOT).rglob("*.*")) == before


@pytest.mark.django_db
def test_a_customers_name_that_is_taken_leaves_neither_rows_nor_pictures() -> None:
    made, before = small(), sorted(Path(project.MEDIA_ROOT).rglob("*.*"))
    shop.user(made.customers[7].username)
    with pytest.raises(Conflict):
        shop_save(shop=made, drawn=lambda: None)
    assert {model for model, count in counts().items() if count} == {get_user_model()}
    assert sorted(Path(project.MEDIA_ROOT).rglob("*.*")) == before


@pytest.mark.django_db
def test_a_seller_that_is_there_already_is_a_clear_error() -> None:
    Seller.objects.create(name=make_shop(datetime(2026, 1, 2, tzinfo=UTC)).sellers[0].name)
    with pytest.raises(CommandError, match="are in this database already"):
        run()
    assert not Product.objects.exists()
