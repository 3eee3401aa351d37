"""The shop's records in the admin. Products and sellers are edited; what customers wrote and did are facts, which may
be looked at and deleted.

Made for large tables: no count of all rows, orders that an index gives, foreign keys by search.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from unfold.admin import ModelAdmin

from reviews import services
from reviews.models import Event, Product, Rating, Review, ReviewSummary, Seller


class LargeTableAdmin(ModelAdmin):
    ordering = ["-id"]
    list_per_page = 50
    show_full_result_count = False


class FactAdmin(LargeTableAdmin):
    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Seller)
class SellerAdmin(LargeTableAdmin):
    list_display = ["name", "rating"]
    search_fields = ["name"]
    ordering = ["name"]


@admin.register(Product)
class ProductAdmin(LargeTableAdmin):
    list_display = ["name", "category", "price", "seller", "view_count", "source"]
    list_select_related = ["seller"]
    list_filter = [("price", admin.EmptyFieldListFilter), ("image", admin.EmptyFieldListFilter)]
    search_fields = ["name", "category", "=external_id"]
    autocomplete_fields = ["seller"]
    readonly_fields = ["source", "external_id", "view_count", "trend", "created_at"]

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        """A change writes what was edited and nothing else: views are counted while the form is open."""
        if not change:
            return super().save_model(request, obj, form, change)
        services.product_update(product=obj, changes={name: getattr(obj, name) for name in form.changed_data})
        return None

    def delete_model(self, request: HttpRequest, obj: Product) -> None:
        services.product_delete(product=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        for product in queryset:
            services.product_delete(product=product)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What goes with the products, in numbers: a product may have more ratings than a page holds."""
        counts = {
            "reviews": Review.objects.filter(product__in=objs).count(),
            "ratings": Rating.objects.filter(product__in=objs).count(),
            "events": Event.objects.filter(product__in=objs).count(),
        }
        return [str(one) for one in objs], counts, set(), []


@admin.register(Review)
class ReviewAdmin(FactAdmin):
    list_display = ["__str__", "product", "author", "rating", "sentiment", "sentiment_score", "created_at"]
    list_select_related = ["product", "author"]
    list_filter = ["sentiment"]
    search_fields = ["^author__username", "product__name", "=external_id"]


@admin.register(ReviewSummary)
class ReviewSummaryAdmin(FactAdmin):
    """Jobs make them; one that is deleted is made anew."""

    list_display = ["product", "review_count", "positive", "negative", "model", "version", "generated_at"]
    list_select_related = ["product"]
    search_fields = ["product__name"]
    ordering = ["product_id"]
    fields = ["product", "summary", "said", "found", "review_count", "positive", "negative", "model", "version",
              "prediction_id", "generated_at"]  # fmt: skip
    readonly_fields = ["said", "found"]

    @admin.display(description="sentences")
    def said(self, summary: ReviewSummary) -> str:
        rows = ((one["text"], _reviews(one["review_ids"])) for one in summary.sentences)
        return format_html_join("", "<p>“{}” {}</p>", rows)

    @admin.display(description="aspects")
    def found(self, summary: ReviewSummary) -> str:
        rows = ((one["name"], one["positive"], one["negative"], _quotes(one["quotes"])) for one in summary.aspects)
        return format_html_join("", "<p>{}: {} well, {} badly{}</p>", rows)


@admin.register(Rating)
class RatingAdmin(FactAdmin):
    list_display = ["product", "user", "value", "rated_at"]
    list_select_related = ["product", "user"]
    search_fields = ["^user__username", "product__name", "=external_id"]


@admin.register(Event)
class EventAdmin(FactAdmin):
    list_display = ["kind", "product", "user", "prediction_id", "created_at"]
    list_select_related = ["product", "user"]
    list_filter = ["kind"]
    search_fields = ["^user__username", "product__name", "=external_id"]


def _quotes(several: list[dict[str, Any]]) -> str:
    return format_html_join("", "<br>“{}” {}", ((one["text"], _reviews([one["review_id"]])) for one in several))


def _reviews(ids: list[int]) -> str:
    """Links to them."""
    links = ((reverse("admin:reviews_review_change", args=[number]), number) for number in ids)
    return format_html_join(" ", '<a href="{}">{}</a>', links)
