"""The shop's own records. Every imported row keeps its `(source, external_id)` and its own time."""

import secrets

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Floor
from django.utils import timezone

from nlp.ml.sentiment import POSITIVE_FROM


class Imported(models.Model):
    """Where an imported row came from. Empty for what was made here."""

    source = models.CharField(max_length=64, blank=True, editable=False)
    external_id = models.CharField(max_length=128, blank=True, editable=False)

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id"], condition=~Q(source=""), name="%(class)s_imported_once"
            )
        ]


def _in_halves(field: str, name: str) -> models.CheckConstraint:
    doubled = F(field) * 2.0
    return models.CheckConstraint(
        condition=Q(**{f"{field}__range": (0.5, 5)}) & Q(**{field: Floor(doubled) / 2.0}), name=name
    )


class Seller(models.Model):
    name = models.CharField(max_length=200, unique=True)
    rating = models.FloatField(null=True, blank=True, help_text="Stars, 1 to 5.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


def picture_path(product: "Product", filename: str) -> str:
    """A name that no picture had before: what was made of a picture is known by it."""
    return f"products/{secrets.token_hex(4)}-{filename}"


class Product(Imported):
    name = models.CharField(max_length=300)
    description = models.TextField(blank=True, max_length=20_000)
    category = models.CharField(max_length=100, blank=True)
    price = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    image = models.ImageField(upload_to=picture_path, blank=True)
    seller = models.ForeignKey(Seller, models.SET_NULL, null=True, blank=True, related_name="products")
    view_count = models.PositiveIntegerField(default=0, editable=False)
    trend = models.FloatField(default=0, editable=False, help_text="Time-decayed interest, see reviews/trend.py.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(Imported.Meta):
        ordering = ["id"]
        indexes = [
            models.Index(fields=["category", "price"]),
            models.Index(fields=["price"]),
            models.Index(fields=["-trend", "id"], name="product_trend"),
        ]
        constraints = [
            *Imported.Meta.constraints,
            models.CheckConstraint(condition=Q(price__gte=0) | Q(price=None), name="price_not_negative"),
        ]

    def __str__(self) -> str:
        return self.name


class Review(Imported):
    class Sentiment(models.TextChoices):
        POSITIVE = "positive"
        NEGATIVE = "negative"

    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="reviews")
    product = models.ForeignKey(Product, models.CASCADE, related_name="reviews")
    title = models.CharField(max_length=300, blank=True)
    text = models.TextField(max_length=10_000)
    rating = models.FloatField(null=True, blank=True, help_text="Stars, 0.5 to 5 in halves.")
    # Empty until a model has answered; the worker finds such rows and analyses them.
    sentiment = models.CharField(max_length=16, choices=Sentiment, blank=True, editable=False)
    sentiment_score = models.FloatField(null=True, editable=False, help_text="Probability of positive.")
    model_version = models.PositiveIntegerField(null=True, editable=False)
    prediction_id = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(Imported.Meta):
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["product", "-created_at", "-id"], name="review_of_product"),
            models.Index(fields=["product", "sentiment"], name="review_sentiment"),
            models.Index(fields=["id"], condition=Q(sentiment=""), name="review_unanalysed"),
        ]
        constraints = [
            *Imported.Meta.constraints,
            models.UniqueConstraint(
                fields=["author", "product"], condition=Q(author__isnull=False), name="one_review_a_user_a_product"
            ),
            _in_halves("rating", "review_rating_in_halves"),
        ]

    def __str__(self) -> str:
        return self.title or self.text[:60]

    @property
    def stated_sentiment(self) -> str:
        """What the writer's own stars say, in the words of `sentiment`; empty without stars."""
        if self.rating is None:
            return ""
        return self.Sentiment.POSITIVE.value if self.rating >= POSITIVE_FROM else self.Sentiment.NEGATIVE.value


class ReviewSummary(models.Model):
    """What a job made of the reviews of a product. Deleted with any review that it may quote, and made anew."""

    product = models.OneToOneField(Product, models.CASCADE, primary_key=True, related_name="+")
    summary = models.TextField()
    sentences = models.JSONField(help_text="Each with the ids of the reviews that it rests on.")
    aspects = models.JSONField()
    review_count = models.PositiveIntegerField()
    positive = models.PositiveIntegerField()
    negative = models.PositiveIntegerField()
    model = models.CharField(max_length=64)
    version = models.PositiveIntegerField()
    prediction_id = models.UUIDField()
    read_from = models.UUIDField(help_text="Reviews that were analysed from this id on may be missing.")
    generated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "review summaries"

    def __str__(self) -> str:
        return self.summary[:60]


class Rating(Imported):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="ratings")
    product = models.ForeignKey(Product, models.CASCADE, related_name="ratings")
    value = models.FloatField(help_text="Stars, 0.5 to 5 in halves.")
    rated_at = models.DateTimeField(default=timezone.now)

    class Meta(Imported.Meta):
        ordering = ["-rated_at", "-id"]
        indexes = [
            models.Index(fields=["product"], include=["value"], name="rating_of_product"),
            models.Index(fields=["user", "-rated_at"], name="rating_of_user"),
        ]
        constraints = [
            *Imported.Meta.constraints,
            models.UniqueConstraint(fields=["user", "product"], name="one_rating_a_user_a_product"),
            _in_halves("value", "rating_in_halves"),
        ]

    def __str__(self) -> str:
        return f"{self.value} for {self.product_id}"


class Event(Imported):
    """Something a user did with a product; feeds trending, implicit preference and experiments."""

    class Kind(models.TextChoices):
        VIEW = "view"
        CLICK = "click"
        CART = "cart"
        PURCHASE = "purchase"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="events")
    product = models.ForeignKey(Product, models.CASCADE, related_name="events")
    kind = models.CharField(max_length=16, choices=Kind)
    prediction_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(Imported.Meta):
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["user", "product", "kind"], name="event_of_user"),
            models.Index(fields=["user", "-id"], name="event_of_user_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.product_id}"
