"""What this room stores: the products' pictures as vectors, and with which network's vectors they are searched."""

from django.db import models
from django.utils import timezone
from pgvector.django import HalfVectorField, HnswIndex

from experiments.models import ModelVersion
from reviews.models import Product
from vision.ml.embedding import DIMENSIONS


class ImageEmbedding(models.Model):
    """A product's picture as one version of `image_embedding` sees it. A picture that cannot be read, or that the
    network fails on, has no vector, and the row says that it was tried.
    """

    product = models.ForeignKey(Product, models.CASCADE, related_name="+")
    version = models.PositiveIntegerField(help_text="Of the task image_embedding.")
    picture = models.CharField(max_length=100, help_text="The file's name: a picture with another one is a new one.")
    digest = models.CharField(max_length=64, help_text="sha256 of the file; empty when it could not be opened.")
    vector = HalfVectorField(dimensions=DIMENSIONS, null=True)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["product", "version"], name="one_vector_a_product_a_version")]
        indexes = [
            HnswIndex(fields=["vector"], m=16, ef_construction=64, opclasses=["halfvec_cosine_ops"],
                      name="looks_like"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.product_id} as image_embedding {self.version} sees it"


class Searched(models.Model):
    """One row: the version with whose vectors pictures are searched. That is the live one, once every picture has its
    vector; until then the one before stays.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="+")
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "searched"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_version_is_searched")]

    def __str__(self) -> str:
        return str(self.version)
