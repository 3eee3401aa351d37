"""How lists of the shop's records are filtered, searched and put in order."""

from typing import Any

from django.db.models import F, QuerySet
from django_filters import rest_framework as django_filters
from rest_framework import filters
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from reviews.models import Product

LONGEST_SEARCH = 200  # characters


class ProductFilter(django_filters.FilterSet):
    price_min = django_filters.NumberFilter(field_name="price", lookup_expr="gte", min_value=0, max_value=10**10)
    price_max = django_filters.NumberFilter(field_name="price", lookup_expr="lte", min_value=0, max_value=10**10)

    class Meta:
        model = Product
        fields = ["category"]


class BoundedSearch(filters.SearchFilter):
    def get_search_terms(self, request: Request) -> list[str]:
        if len(request.query_params.get(self.search_param, "")) > LONGEST_SEARCH:
            raise ValidationError({self.search_param: f"Expected at most {LONGEST_SEARCH} characters."}, "max_length")
        return super().get_search_terms(request)


class StableOrdering(filters.OrderingFilter):
    """What has no value comes last in either direction, and equal ones are in the order of their ids: so pages neither
    repeat nor miss a row.
    """

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        asked = self.get_ordering(request, queryset, view)
        if not asked:
            return queryset
        columns = [(F(name.lstrip("-")), name.startswith("-")) for name in asked]
        order = [one.desc(nulls_last=True) if down else one.asc(nulls_last=True) for one, down in columns]
        return queryset.order_by(*order, "id")


BACKENDS = [django_filters.DjangoFilterBackend, BoundedSearch, StableOrdering]
