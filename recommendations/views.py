"""HTTP for recommendations: for the caller, by one part alone, beside a product, what is trending."""

from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import permissions, serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.assignment import Person
from experiments.fields import WholeField, serializer_of
from recommendations import selectors, services
from recommendations.ml.recommend import Ranked, Weights
from reviews.views import FiltersSerializer, NSerializer, ProductSerializer, QuerySerializer, product_shown

REASONS = {
    "collaborative": "Liked by those who like {}.",
    "content": "Similar to {}.",
    "image": "Looks like {}.",
    "trending": "Many customers look at this now.",
}


class SimilarSerializer(NSerializer):
    by = serializers.ChoiceField(
        ["likes", "image"],
        default="likes",
        help_text="likes: by who likes them and by their words; image: by pictures.",
    )


class RecommendSerializer(NSerializer):
    filters = FiltersSerializer(required=False, default=dict)


class CustomerSerializer(NSerializer):
    user_id = WholeField(required=False, help_text="Staff alone may name somebody else.")


class WeightsSerializer(serializer_of(Weights)):  # type: ignore[misc]  # made at run time
    def validate(self, attrs: Any) -> Any:
        if not any(vars(attrs).values()):
            raise serializers.ValidationError("Expected at least one weight over 0.", "all_zero")
        return attrs


class HybridSerializer(CustomerSerializer):
    weights = WeightsSerializer(required=False, help_text="Instead of those that were learned; only ratios matter.")


class ContentSerializer(NSerializer):
    product_id = WholeField(help_text="The product that the others are to be like.")


class ReasonSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(list(REASONS))
    product = serializers.IntegerField(required=False, help_text="The product of the history that spoke most for it.")
    text = serializers.CharField()


class RecommendedProductSerializer(ProductSerializer):
    score = serializers.FloatField(allow_null=True)
    predicted_rating = serializers.FloatField(allow_null=True)
    similarity_score = serializers.FloatField(allow_null=True, help_text="To the product of the reason, 0 to 1.")
    reason = ReasonSerializer()

    class Meta(ProductSerializer.Meta):
        fields = [*ProductSerializer.Meta.fields, "score", "predicted_rating", "similarity_score", "reason"]


class RecommendedSerializer(serializers.Serializer[Any]):
    recommendations = RecommendedProductSerializer(many=True)
    method = serializers.ChoiceField(
        ["hybrid", "collaborative", "content", "similar", "image", "trending", "trending_fallback"]
    )
    model = serializers.CharField()
    version = serializers.IntegerField(allow_null=True)
    prediction_id = serializers.UUIDField()
    degraded = serializers.BooleanField(help_text="The model could not answer as it was asked.")
    shortfall = serializers.IntegerField(help_text="How many fewer than n: no more products match.")


class TrendingSerializer(serializers.Serializer[Any]):
    recommendations = ProductSerializer(many=True)
    method = serializers.CharField()


def _ranked(ranked: Ranked, because: str | None) -> dict[str, Any]:
    if not ranked.score and ranked.reason != "image":
        reason: dict[str, Any] = {"kind": "trending", "text": REASONS["trending"]}
        return {"score": None, "predicted_rating": None, "similarity_score": None, "reason": reason}
    kind = ranked.reason if because else "trending"
    reason = {"kind": kind, "text": REASONS[kind].format(because)}
    return {
        "score": ranked.score,
        "predicted_rating": ranked.predicted_rating or None,
        "similarity_score": ranked.similarity,
        "reason": {**reason, "product": ranked.because} if because else reason,
    }


def _rendered(found: services.Recommended, request: Request) -> Response:
    rest = {name: value for name, value in vars(found).items() if name != "products"}
    products = [{**product_shown(one, request), **_ranked(ranked, one.more)} for one, ranked in found.products]
    return Response({"recommendations": products, **rest})


class Recommendations(APIView):
    """Products for the caller, best first; what is trending for a caller of whom fewer than 3 products are known. The
    running A/B test has its say.
    """

    @extend_schema(tags=["recommendations"], parameters=[QuerySerializer], responses=RecommendedSerializer)
    def get(self, request: Request) -> Response:
        n, filters = _asked(request)
        found = services.recommend_for(user_id=_caller(request), n=n, filters=filters, tested=Person.of(request.user))
        return _rendered(found, request)


class Recommend(APIView):
    """The same as GET products/recommendations/."""

    @extend_schema(tags=["recommendations"], request=RecommendSerializer, responses=RecommendedSerializer)
    def post(self, request: Request) -> Response:
        given = _valid(RecommendSerializer, request.data)
        return _rendered(
            services.recommend_for(user_id=_caller(request), **given, tested=Person.of(request.user)), request
        )


class Collaborative(APIView):
    """The collaborative part alone."""

    @extend_schema(tags=["recommendations"], request=CustomerSerializer, responses=RecommendedSerializer)
    def post(self, request: Request) -> Response:
        given = _valid(CustomerSerializer, request.data)
        user_id = _customer(request, given)
        weights = services.COLLABORATIVE
        return _rendered(services.recommend_for(user_id=user_id, n=given["n"], filters={}, weights=weights), request)


class Hybrid(APIView):
    """The blend, with the weights that were learned or with these."""

    @extend_schema(tags=["recommendations"], request=HybridSerializer, responses=RecommendedSerializer)
    def post(self, request: Request) -> Response:
        given = _valid(HybridSerializer, request.data)
        user_id, weights = _customer(request, given), given.get("weights")
        return _rendered(services.recommend_for(user_id=user_id, n=given["n"], filters={}, weights=weights), request)


class Content(APIView):
    """Products whose words are like those of this one, which the caller has neither rated nor bought."""

    @extend_schema(tags=["recommendations"], request=ContentSerializer, responses=RecommendedSerializer)
    def post(self, request: Request) -> Response:
        given = _valid(ContentSerializer, request.data)
        return _rendered(services.content_for(user_id=_caller(request), **given), request)


class Similar(APIView):
    """Products that are liked by those who like this one or are like it by their words, or products that look like it.
    Public.
    """

    permission_classes = [permissions.AllowAny]

    @extend_schema(tags=["recommendations"], parameters=[SimilarSerializer], responses=RecommendedSerializer)
    def get(self, request: Request, pk: int) -> Response:
        given = _queried(SimilarSerializer, request)
        similar = services.looks_like if given["by"] == "image" else services.similar_to
        return _rendered(similar(product_id=pk, user_id=request.user.pk, n=given["n"]), request)


class Trending(APIView):
    """What customers look at, buy and rate these days. Public."""

    permission_classes = [permissions.AllowAny]

    @extend_schema(tags=["recommendations"], parameters=[QuerySerializer], responses=TrendingSerializer)
    def get(self, request: Request) -> Response:
        n, filters = _asked(request)
        found = selectors.Candidates(filters).trending(n)
        return Response({"recommendations": [product_shown(one, request) for one in found], "method": "trending"})


def _caller(request: Request) -> int:
    user: Any = request.user  # these views let nobody in without a login
    return int(user.pk)


def _customer(request: Request, given: dict[str, Any]) -> int:
    """Whom the recommendations are for: the caller, or whom staff name."""
    user_id = int(given.get("user_id", _caller(request)))
    if user_id == _caller(request):
        return user_id
    if not request.user.is_staff:
        raise PermissionDenied("Only staff may name another user_id.")
    get_object_or_404(get_user_model(), pk=user_id)
    return user_id


def _asked(request: Request) -> tuple[int, dict[str, Any]]:
    """n and the filters of a query."""
    given = _queried(QuerySerializer, request)
    return given.pop("n"), given


def _queried(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """As on every list, a parameter without a value is as good as none."""
    return _valid(serializer, {name: value for name, value in request.query_params.items() if value})


def _valid(serializer: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    return dict(_made(serializer).run_validation(data))


@cache
def _made(serializer: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """One for all requests: validation keeps no state in it."""
    return serializer()
