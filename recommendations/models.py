"""What this room stores: what products are like that came after the training of the live version."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from reviews.models import Product


class NewProduct(models.Model):
    """A product that the live version did not learn from: its vector under that version's vocabulary, kept as the
    products of the version that it is most like. Written by a job when the product is saved.
    """

    product = models.OneToOneField(Product, models.CASCADE, primary_key=True, related_name="+")
    version = models.PositiveIntegerField(help_text="Of the task recommend.")
    like = ArrayField(models.BigIntegerField(), help_text="Ids of products.")
    similarity = ArrayField(models.FloatField(), help_text="Squared cosine to each of them.")

    def __str__(self) -> str:
        return f"{self.product_id} under recommend {self.version}"
