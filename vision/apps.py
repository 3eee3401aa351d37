from typing import Any

from django.apps import AppConfig
from django.db import transaction
from django.db.models.signals import post_save


class VisionConfig(AppConfig):
    """What is on a picture, and what looks like it."""

    name = "vision"

    def ready(self) -> None:
        from experiments import serving
        from vision.selectors import SEARCHED, searched_version

        serving.keep(SEARCHED, searched_version)
        post_save.connect(_product_saved, sender="reviews.Product", dispatch_uid="vision.product_saved")


def _product_saved(instance: Any, created: bool, update_fields: Any, raw: bool = False, **kwargs: Any) -> None:
    """A saved product may have a new picture: a job finds out. One that lost its picture loses the vector with it."""
    if raw or (update_fields is not None and "image" not in update_fields):
        return
    from vision.models import ImageEmbedding
    from vision.tasks import embed_pictures

    if instance.image:
        transaction.on_commit(lambda: embed_pictures.enqueue(), robust=True)  # the sweep finds it without
    elif not created:
        ImageEmbedding.objects.filter(product_id=instance.pk).delete()
