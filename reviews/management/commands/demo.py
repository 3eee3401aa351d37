"""`manage.py demo`: fill an empty database with the demo shop, and make homes for `price` (reviews/demo/)."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone
from tqdm import tqdm

from experiments.management.commands._shared import plain_errors
from pricing.homes import homes_write
from reviews.demo.homes import SYNTHETIC, homes_make
from reviews.demo.shop import SEED, make_shop
from reviews.demo_services import SOURCE, shop_save
from reviews.models import Product


class Command(BaseCommand):
    help = (
        "Make the demo shop: 300 products with pictures, 400 customers, 12,000 ratings, 3,000 reviews, events; and a"
        " file of 2,000 synthetic homes."
    )

    @plain_errors
    def handle(self, *args: Any, **options: Any) -> None:
        self._shop(quiet=options["verbosity"] < 1)
        self._homes()

    def _shop(self, *, quiet: bool) -> None:
        if Product.objects.filter(source=SOURCE).exists():
            self.stdout.write("The demo shop is here already.")
            return
        shop = make_shop(timezone.now())
        with tqdm(total=len(shop.products), desc="drawing", unit=" pictures", leave=False, disable=quiet) as bar:
            shop_save(shop=shop, drawn=bar.update)
        self.stdout.write(
            f"Made {len(shop.products):,} products, {len(shop.customers):,} customers, {len(shop.ratings):,} ratings,"
            f" {len(shop.reviews):,} reviews and {len(shop.events):,} events."
        )

    def _homes(self) -> None:
        path = settings.HOMES
        if path.exists() or path.is_symlink():
            self.stdout.write(f"Homes are here already: {path}.")
            return
        homes = homes_make(SEED)
        homes_write(homes, path)
        self.stdout.write(f"Made {len(homes):,} {SYNTHETIC} homes, at prices by a formula: {path}.")
