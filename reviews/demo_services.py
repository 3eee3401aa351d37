"""Writes the demo shop (reviews/demo/ makes it) into the database: all of it or nothing."""

from collections import Counter
from collections.abc import Callable

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models.fields.files import FieldFile

from experiments.errors import Conflict
from reviews.demo.pictures import draw
from reviews.demo.records import Shop
from reviews.models import Event, Product, Rating, Review, Seller
from reviews.trend import trends_rebuild

SOURCE = "demo"
BATCH = 2_000


def shop_save(*, shop: Shop, drawn: Callable[[], object]) -> None:
    """Save a shop; `drawn` is called after each picture. Its customers cannot log in.

    Raises Conflict where one of its sellers or customers is in already.
    """
    pictures: list[FieldFile] = []
    try:
        with transaction.atomic():
            _save(shop, drawn, pictures)
    except BaseException as error:  # Ctrl-C too: files know no transaction
        for picture in pictures:
            picture.delete(save=False)
        if isinstance(error, IntegrityError):
            raise Conflict("Sellers or customers of the demo shop are in this database already.") from error
        raise


def _save(shop: Shop, drawn: Callable[[], object], pictures: list[FieldFile]) -> None:
    sellers = {seller.name: seller for seller in Seller.objects.bulk_create(
        [Seller(name=one.name, rating=float(one.rating)) for one in shop.sellers]
    )}  # fmt: skip
    views = Counter(event.product for event in shop.events if event.kind == "view")
    products = []
    for one in shop.products:
        product = Product(
            source=SOURCE, external_id=one.external_id, name=one.name, description=one.description,
            category=one.category, price=one.price, seller=sellers[one.seller], view_count=views[one.external_id],
        )  # fmt: skip
        product.image.save(f"{one.external_id}.png", ContentFile(draw(one)), save=False)
        pictures.append(product.image)
        products.append(product)
        drawn()
    product_ids = {row.external_id: row.pk for row in Product.objects.bulk_create(products)}
    users = get_user_model().objects.bulk_create(
        get_user_model()(username=one.username, email=one.email, first_name=one.first_name, last_name=one.last_name,
                         date_joined=one.joined, password=make_password(None))
        for one in shop.customers
    )  # fmt: skip
    user_ids = {user.username: user.pk for user in users}
    Rating.objects.bulk_create(
        [
            Rating(source=SOURCE, external_id=str(line), user_id=user_ids[one.customer],
                   product_id=product_ids[one.product], value=one.value, rated_at=one.created)
            for line, one in enumerate(shop.ratings, 1)
        ],
        batch_size=BATCH,
    )  # fmt: skip
    Review.objects.bulk_create(
        [
            Review(source=SOURCE, external_id=str(line), author_id=user_ids[one.customer],
                   product_id=product_ids[one.product], title=one.title, text=one.text, rating=one.rating,
                   created_at=one.created)
            for line, one in enumerate(shop.reviews, 1)
        ],
        batch_size=BATCH,
    )  # fmt: skip
    Event.objects.bulk_create(
        [
            Event(source=SOURCE, external_id=str(line), user_id=user_ids[one.customer],
                  product_id=product_ids[one.product], kind=one.kind, created_at=one.created)
            for line, one in enumerate(shop.events, 1)
        ],
        batch_size=BATCH,
    )  # fmt: skip
    trends_rebuild()
