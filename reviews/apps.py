from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete


class ReviewsConfig(AppConfig):
    """The shop's own records."""

    name = "reviews"

    def ready(self) -> None:
        post_delete.connect(_review_deleted, sender="reviews.Review", dispatch_uid="reviews.review_deleted")


def _review_deleted(instance: Any, **kwargs: Any) -> None:
    """Its words go with it, wherever they are quoted."""
    from reviews.models import ReviewSummary

    ReviewSummary.objects.filter(product_id=instance.product_id).delete()
