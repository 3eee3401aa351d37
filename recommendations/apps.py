from typing import Any

from django.apps import AppConfig
from django.db import transaction
from django.db.models.signals import post_save


class RecommendationsConfig(AppConfig):
    """What to show to whom."""

    name = "recommendations"

    def ready(self) -> None:
        post_save.connect(_product_saved, sender="reviews.Product", dispatch_uid="recommendations.product_saved")


def _product_saved(instance: Any, update_fields: Any, raw: bool = False, **kwargs: Any) -> None:
    """A saved product may be new to the live version, or have new words: a job finds out."""
    if raw or (update_fields is not None and not {"name", "category", "description"} & set(update_fields)):
        return
    from recommendations.models import NewProduct
    from recommendations.tasks import describe_new_products

    NewProduct.objects.filter(product_id=instance.pk).delete()
    transaction.on_commit(lambda: describe_new_products.enqueue(), robust=True)  # the sweep finds it without
