"""Pictures in the admin: a category is suggested for a product, and what was made of pictures may be looked at."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from experiments.mltask import Image
from reviews import admin as below
from reviews.models import Product
from vision.models import ImageEmbedding
from vision.services import category_suggest, picture_read

admin.site.unregister(Product)  # the room below registered its own, which this one extends


@admin.register(Product)
class ProductAdmin(below.ProductAdmin):
    """A product without category gets one suggested from its picture. Staff write it into the field or leave it."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = list(super().get_readonly_fields(request, obj))
        return [*fields, "suggested_category"] if obj and obj.image and not obj.category else fields

    @admin.display(description="Suggested category")
    def suggested_category(self, obj: Product) -> str:
        return _suggestion(obj, None) or "None: no live model knows this shop's categories from pictures."

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if obj.image and not obj.category and (not change or "image" in form.changed_data):
            said = _suggestion(obj, request.user.pk)
            if said:
                messages.info(request, f"Suggested category for {obj}: {said}. It is written by hand.")


def _suggestion(product: Product, user_id: int | None) -> str:
    found = category_suggest(image=Image(picture_read(str(product.image.name))), user_id=user_id)
    return f"{found.category} ({found.confidence:.0%} sure)" if found else ""


@admin.register(ImageEmbedding)
class ImageEmbeddingAdmin(ModelAdmin):
    """Which pictures have a vector. Jobs make and delete them."""

    list_display = ["product", "version", "seen", "picture", "made_at"]
    list_select_related = ["product"]
    list_filter = [("vector", admin.EmptyFieldListFilter)]
    search_fields = ["product__name", "=digest", "=version"]
    fields = ["product", "version", "picture", "digest", "made_at"]
    ordering = ["-id"]
    list_per_page = 50
    show_full_result_count = False

    @admin.display(boolean=True)
    def seen(self, obj: ImageEmbedding) -> bool:
        return obj.vector is not None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
