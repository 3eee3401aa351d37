"""HTTP for recommendations: for the caller, beside a product, what is trending."""

from typing import Any

from django.contrib.auth import get_user_model
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import permissions, serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.fields import FiniteField, TextField, WholeField
from recommendations import selectors, services
from reviews.models import Product
from reviews.views import ProductSerializer

MOST = 100


class NSerializer(serializers.Serializer[Any]):
    n = WholeField(min_value=1, max_value=MOST, required=False, default=10)


class FiltersSerializer(serializers.Serializer[Any]):
    category = TextField(max_length=100, required=False)
    price_min = FiniteField(min_value=0, max_value=10**10, required=False)
    price_max = FiniteField(min_value=0, max_value=10**10, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in attrs.items() if value != ""}  # an empty filter filters nothing


class QuerySerializer(FiltersSerializer, NSerializer):
    pass


class RecommendSerializer(NSerializer):
    filters = FiltersSerializer(required=False, default=dict)


class CollaborativeSerializer(NSerializer):
    user_id = WholeField(required=False, help_text="Staff alone may name somebody else.")


class ReasonSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(["similar", "trending"])
    product = serializers.IntegerField(required=False, help_text="The rated product that spoke most for this one.")
    text = serializers.CharField()


class RecommendedProductSerializer(ProductSerializer):
    score = serializers.FloatField(allow_null=True)
    predicted_rating = serializers.FloatField(allow_null=True)
    similarity_score = serializers.FloatField(allow_null=True)
    reason = ReasonSerializer()

    class Meta(ProductSerializer.Meta):
        fields = [*ProductSerializer.Meta.fields, "score", "predicted_rating", "similarity_score", "reason"]


class RecommendedSerializer(serializers.Serializer[Any]):
    recommendations = RecommendedProductSerializer(many=True)
    method = serializers.ChoiceField(["collaborative", "similar", "trending", "trending_fallback"])
    model = serializers.CharField()
    version = serializers.IntegerField(allow_null=True)
    prediction_id = serializers.UUIDField()
    degraded = serializers.BooleanField(help_text="The model could not answer.")
    shortfall = serializers.IntegerField(help_text="How many fewer than n: no more products match.")


class TrendingSerializer(serializers.Serializer[Any]):
    recommendations = ProductSerializer(many=True)
    method = serializers.CharField()


def _product(one: services.Recommendation, context: dict[str, Any]) -> dict[str, Any]:
    product = ProductSerializer(one.product, context=context).data
    if not one.ranked:
        reason: dict[str, Any] = {"kind": "trending", "text": "Many customers look at this now."}
        return {**product, "score": None, "predicted_rating": None, "similarity_score": None, "reason": reason}
    reason = {"kind": "similar", "product": one.ranked.because, "text": f"Liked by those who like {one.because}."}
    return {
        **product,
        "score": one.ranked.score,
        "predicted_rating": one.ranked.predicted_rating,
        "similarity_score": one.ranked.similarity,
        "reason": reason,
    }


def _rendered(found: services.Recommended, request: Request) -> Response:
    rest = {name: value for name, value in vars(found).items() if name != "products"}
    return Response({"recommendations": [_product(one, {"request": request}) for one in found.products], **rest})


class Recommendations(APIView):
    """Products for the caller, best first; what is trending for a caller with fewer than 3 ratings."""

    @extend_schema(tags=["recommendations"], parameters=[QuerySerializer], responses=RecommendedSerializer)
    def get(self, request: Request) -> Response:
        n, filters = _asked(request)
        return _rendered(services.recommend_for(user_id=_caller(request), n=n, filters=filters), request)


class Recommend(APIView):
    """The same as GET products/recommendations/."""

    @extend_schema(tags=["recommendations"], request=RecommendSerializer, responses=RecommendedSerializer)
    def post(self, request: Request) -> Response:
        given = _valid(RecommendSerializer, request.data)
        return _rendered(services.recommend_for(user_id=_caller(request), **given), request)


class Collaborative(APIView):
    """The collaborative model alone."""

    @extend_schema(tags=["recommendations"], request=CollaborativeSerializer, responses=RecommendedSerializer)
    def post(self, request: Request) -> Response:
        given = _valid(CollaborativeSerializer, request.data)
        user_id = given.get("user_id", _caller(request))
        if user_id != _caller(request):
            if not request.user.is_staff:
                raise PermissionDenied("Only staff may name another user_id.")
            get_object_or_404(get_user_model(), pk=user_id)
        return _rendered(services.recommend_for(user_id=user_id, n=given["n"], filters={}), request)


class Similar(APIView):
    """Products that are liked by those who like this one. Public."""

    permission_classes = [permissions.AllowAny]

    @extend_schema(tags=["recommendations"], parameters=[NSerializer], responses=RecommendedSerializer)
    def get(self, request: Request, pk: int) -> Response:
        n, _ = _asked(request)
        product = get_object_or_404(Product.objects.only("pk"), pk=pk)
        return _rendered(services.similar_to(product=product, user_id=request.user.pk, n=n), request)


class Trending(APIView):
    """What customers look at, buy and rate these days. Public."""

    permission_classes = [permissions.AllowAny]

    @extend_schema(tags=["recommendations"], parameters=[QuerySerializer], responses=TrendingSerializer)
    def get(self, request: Request) -> Response:
        n, filters = _asked(request)
        found = selectors.trending(selectors.matching(filters), n)
        products = ProductSerializer(found, many=True, context={"request": request}).data
        return Response({"recommendations": products, "method": "trending"})


def _caller(request: Request) -> int:
    user: Any = request.user  # these views let nobody in without a login
    return int(user.pk)


def _asked(request: Request) -> tuple[int, dict[str, Any]]:
    """n and the filters of a query. As on every list, a parameter without a value is as good as none."""
    given = _valid(QuerySerializer, {name: value for name, value in request.query_params.items() if value})
    return given.pop("n"), given


def _valid(serializer: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    given = serializer(data=data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)
