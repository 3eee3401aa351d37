from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from reviews.models import Event, Product, Rating, Review, ReviewSummary, Seller
from reviews.trend import trend_add
from tests import shop
from tests.reviews.test_product_pictures import picture, stored

pytestmark = pytest.mark.django_db
FACTS = ["review", "rating", "event"]


@pytest.fixture
def boss(staff: APIClient) -> Client:
    """Somebody who may do all, in the admin."""
    staff.user.is_superuser = True
    staff.user.save()
    client = Client()
    client.force_login(staff.user)
    return client


def listed(model: str) -> str:
    return reverse(f"admin:reviews_{model}_changelist")


def edited(model: str, pk: int) -> str:
    return reverse(f"admin:reviews_{model}_change", args=[pk])


def form(product: Product, **changes: object) -> dict[str, object]:
    seller = product.seller_id or ""
    return {"name": product.name, "description": "", "category": "", "price": "", "seller": seller, **changes}


def fill(count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        lamp = shop.product(f"Lamp {number}", seller=Seller.objects.create(name=f"Seller {number}"))
        who = shop.user(f"customer{number}")
        shop.review(lamp, by=who)
        shop.rating(lamp, by=who)
        shop.event(lamp, by=who)


@pytest.mark.parametrize("model", ["product", "seller", *FACTS])
def test_a_list_costs_the_same_whatever_it_holds(
    boss: Client, model: str, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    fill(2)
    with django_assert_max_num_queries(6) as few:  # session, user, how many, the page
        assert "2 " in boss.get(listed(model)).content.decode()
    fill(20, first=2)
    with django_assert_num_queries(len(few)):
        assert boss.get(listed(model)).status_code == 200


@pytest.mark.parametrize(
    ("model", "query", "found"),
    [
        ("product", "lamp 1", 1),
        ("product", "lamps", 3),
        ("product", "e-2", 1),
        ("product", "nothing", 0),
        ("seller", "seller 1", 1),
        ("review", "customer1", 1),
        ("rating", "lamp 1", 1),
        ("event", "customer", 3),
    ],
)
def test_rows_are_found(boss: Client, model: str, query: str, found: int) -> None:
    fill(3)
    Product.objects.update(category="lamps")
    Product.objects.filter(name="Lamp 2").update(external_id="e-2")
    answer = boss.get(listed(model), {"q": query})
    assert answer.context["cl"].result_count == found


@pytest.mark.parametrize(
    ("model", "query", "found"),
    [
        ("product", {"price__isempty": "1"}, 1),
        ("product", {"image__isempty": "0"}, 0),
        ("review", {"sentiment__exact": "positive"}, 1),
        ("event", {"kind__exact": "cart"}, 1),
    ],
)
def test_rows_are_filtered(boss: Client, model: str, query: dict[str, str], found: int) -> None:
    lamp, shade = shop.product(price=5), shop.product()
    shop.review(lamp, sentiment="positive")
    shop.review(shade, sentiment="negative")
    shop.event(lamp, "cart")
    shop.event(lamp, "view")
    assert boss.get(listed(model), query).context["cl"].result_count == found


def test_a_product_is_made_and_changed(boss: Client) -> None:
    made = boss.post(reverse("admin:reviews_product_add"), {"name": "Lamp", "price": "5"})
    assert made.status_code == 302
    lamp = Product.objects.get()
    assert (lamp.name, lamp.price) == ("Lamp", 5)
    seller = Seller.objects.create(name="Light & Co")
    changed = boss.post(edited("product", lamp.pk), form(lamp, name="Shade", seller=seller.pk))
    assert changed.status_code == 302, changed.context["errors"]
    lamp.refresh_from_db()
    assert (lamp.name, lamp.price, lamp.seller) == ("Shade", None, seller)


def test_a_price_below_zero_is_refused(boss: Client) -> None:
    lamp = shop.product()
    assert boss.post(edited("product", lamp.pk), form(lamp, price="-1")).context["errors"]
    lamp.refresh_from_db()
    assert lamp.price is None


def test_what_is_counted_while_the_form_is_open_stays(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from reviews.admin import ProductAdmin

    lamp = shop.product()
    save = ProductAdmin.save_model

    def seen_meanwhile(*args: Any) -> None:
        trend_add(product_id=lamp.pk, weight=1.0, at=timezone.now(), views=1)
        save(*args)

    monkeypatch.setattr(ProductAdmin, "save_model", seen_meanwhile)
    assert boss.post(edited("product", lamp.pk), form(lamp, name="Shade")).status_code == 302
    row = Product.objects.get()
    assert (row.name, row.view_count, row.trend > 0) == ("Shade", 1, True)


def test_what_the_shop_counts_cannot_be_edited(boss: Client) -> None:
    lamp = shop.product(source="file", external_id="7", view_count=3)
    boss.post(edited("product", lamp.pk), form(lamp, source="x", external_id="8", view_count=9, trend=9))
    row = Product.objects.get()
    assert (row.source, row.external_id, row.view_count, row.trend) == ("file", "7", 3, 0)


def test_a_picture_is_replaced_and_taken_away(boss: Client, django_capture_on_commit_callbacks: Any) -> None:
    for path in stored():
        path.unlink()
    lamp = shop.product()
    for name in ("a.png", "b.png"):
        with django_capture_on_commit_callbacks(execute=True):
            boss.post(edited("product", lamp.pk), form(lamp, image=SimpleUploadedFile(name, picture())))
        [path] = stored()
        assert path.name.endswith(f"-{name}")
    with django_capture_on_commit_callbacks(execute=True):
        boss.post(edited("product", lamp.pk), form(lamp, **{"image-clear": "on"}))
    assert (Product.objects.get().image.name, stored()) == ("", [])


@pytest.mark.parametrize("model", FACTS)
def test_facts_are_looked_at_and_never_made_or_changed(boss: Client, model: str) -> None:
    fill(1)
    row = {"review": Review, "rating": Rating, "event": Event}[model].objects.get()
    page = boss.get(edited(model, row.pk))
    assert page.status_code == 200
    assert "Lamp 0" in page.content.decode()
    assert boss.get(reverse(f"admin:reviews_{model}_add")).status_code == 403
    assert boss.post(edited(model, row.pk), {"value": 5, "text": "mine", "kind": "cart"}).status_code == 403


@pytest.mark.parametrize("model", FACTS)
def test_facts_can_be_deleted(boss: Client, model: str) -> None:
    fill(1)
    rows = {"review": Review, "rating": Rating, "event": Event}[model].objects
    boss.post(reverse(f"admin:reviews_{model}_delete", args=[rows.get().pk]), {"post": "yes"})
    assert not rows.exists()


def test_before_a_product_is_deleted_its_rows_are_counted_and_not_listed(
    boss: Client, django_assert_max_num_queries: Any
) -> None:
    lamp = shop.product()
    for _ in range(30):
        shop.rating(lamp, by=shop.user())
    with django_assert_max_num_queries(10):
        page = boss.get(reverse("admin:reviews_product_delete", args=[lamp.pk])).content.decode()
    assert "30" in page
    assert "4.0 for" not in page


@pytest.mark.parametrize("way", ["page", "action"])
def test_a_deleted_product_takes_its_rows_and_picture_along(
    boss: Client, way: str, django_capture_on_commit_callbacks: Any
) -> None:
    lamp, other = shop.product(), shop.product()
    lamp.image.save("gone.png", SimpleUploadedFile("gone.png", picture()))
    shop.rating(lamp)
    with django_capture_on_commit_callbacks(execute=True):
        if way == "page":
            boss.post(reverse("admin:reviews_product_delete", args=[lamp.pk]), {"post": "yes"})
        else:
            sent = {"action": "delete_selected", "_selected_action": [lamp.pk], "post": "yes"}
            boss.post(listed("product"), sent)
    assert list(Product.objects.all()) == [other]
    assert not Rating.objects.exists()
    assert "gone.png" not in [path.name for path in stored()]


def test_staff_without_the_right_see_no_records(staff: APIClient) -> None:
    client = Client()
    client.force_login(staff.user)
    lamp = shop.product()
    assert client.get(listed("product")).status_code == 403
    assert client.post(reverse("admin:reviews_product_delete", args=[lamp.pk]), {"post": "yes"}).status_code == 403
    assert Product.objects.exists()


def test_a_summary_shows_its_sentences_and_quotes_with_links_to_their_reviews(boss: Client) -> None:
    review = shop.review(shop.product("Lamp"), by=shop.user("alice"))
    said = {"text": "<b>Bright</b>", "review_ids": [review.pk], "positive": True}
    found = {"name": "light", "positive": 3, "negative": 1, "quotes": [{"text": "So dim", "review_id": review.pk}]}
    ReviewSummary.objects.create(
        product=review.product, summary="All say so.", sentences=[said], aspects=[found], review_count=4, positive=3,
        negative=1, model="points", version=1, prediction_id=uuid4(), read_from=uuid4(),
    )  # fmt: skip
    page = boss.get(edited("reviewsummary", review.product_id)).content.decode()
    link = f'<a href="{edited("review", review.pk)}">{review.pk}</a>'
    assert f"“&lt;b&gt;Bright&lt;/b&gt;” {link}" in page
    assert f"light: 3 well, 1 badly<br>“So dim” {link}" in page
