"""HTTP for the shop's records: products, reviews, ratings, events."""

from typing import Any

from django.core.files.storage import default_storage
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import generics, mixins, parsers, permissions, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.errors import NotFound
from experiments.fields import FiniteField, TextField, WholeField, serializer_of
from nlp.ml.review_summary import FEWEST, Aspect
from nlp.ml.sentiment import SentimentOutput
from reviews import selectors, services
from reviews.fields import PictureField, StarsField
from reviews.filters import BACKENDS, ProductFilter
from reviews.models import Event, Product, Rating, Review, Seller

MOST_SHOWN = 100


class SellerSerializer(serializers.ModelSerializer[Seller]):
    class Meta:
        model = Seller
        fields = ["id", "name", "rating"]


class SentimentSummarySerializer(serializers.Serializer[Any]):
    positive = serializers.IntegerField()
    negative = serializers.IntegerField()


class ProductSerializer(serializers.ModelSerializer[Product]):
    seller = SellerSerializer(read_only=True)
    seller_id = serializers.PrimaryKeyRelatedField(
        queryset=Seller.objects.all(), source="seller", write_only=True, required=False, allow_null=True,
        pk_field=WholeField(),
    )  # fmt: skip
    image = PictureField(required=False, allow_null=True, help_text="Sent as multipart; null takes it away.")
    rating_average = serializers.FloatField(read_only=True, allow_null=True)
    rating_count = serializers.IntegerField(read_only=True)
    sentiment_summary = SentimentSummarySerializer(read_only=True)

    class Meta:
        model = Product
        fields = ["id", "name", "description", "category", "price", "image", "seller", "seller_id", "rating_average",
                  "rating_count", "view_count", "sentiment_summary"]  # fmt: skip


def product_shown(one: selectors.Shown, request: Request) -> dict[str, Any]:
    """A product as ProductSerializer shows it, which takes ten times as long."""
    return {
        "id": one.id,
        "name": one.name,
        "description": one.description,
        "category": one.category,
        "price": None if one.price is None else f"{one.price:f}",
        "image": request.build_absolute_uri(default_storage.url(one.image)) if one.image else None,
        "seller": {"id": one.seller_id, "name": one.seller_name, "rating": one.seller_rating}
        if one.seller_id
        else None,
        "rating_average": one.rating_average,
        "rating_count": one.rating_count,
        "view_count": one.view_count,
        "sentiment_summary": {"positive": one.positive, "negative": one.negative},
    }


class NSerializer(serializers.Serializer[Any]):
    n = WholeField(min_value=1, max_value=MOST_SHOWN, required=False, default=10)


class FiltersSerializer(serializers.Serializer[Any]):
    category = TextField(max_length=100, required=False)
    price_min = FiniteField(min_value=0, max_value=10**10, required=False)
    price_max = FiniteField(min_value=0, max_value=10**10, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in attrs.items() if value != ""}  # an empty filter filters nothing


class QuerySerializer(FiltersSerializer, NSerializer):
    """How many products, and which: what every list asks for that a model puts in order."""


class ReviewSerializer(serializers.ModelSerializer[Review]):
    user = serializers.CharField(source="author.username", read_only=True, allow_null=True, default=None)
    title = TextField(max_length=300, required=False, default="")
    text = TextField(max_length=10_000, min_length=1)
    rating = StarsField(required=False, allow_null=True, default=None)

    class Meta:
        model = Review
        fields = ["id", "user", "product", "title", "text", "rating", "sentiment", "sentiment_score", "model_version",
                  "created_at"]  # fmt: skip
        read_only_fields = ["product", "sentiment", "sentiment_score", "model_version", "created_at"]


class ProductIdField(serializers.PrimaryKeyRelatedField[Product]):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=Product.objects.all(), pk_field=WholeField(), **kwargs)


class RatingSerializer(serializers.ModelSerializer[Rating]):
    product = ProductIdField()
    value = StarsField()

    class Meta:
        model = Rating
        fields = ["id", "product", "value", "rated_at"]
        read_only_fields = ["rated_at"]


class EventSerializer(serializers.ModelSerializer[Event]):
    product = ProductIdField()

    class Meta:
        model = Event
        fields = ["product", "kind", "prediction_id"]


class StaffWrites(permissions.BasePermission):
    """Anyone reads, staff write."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.method in permissions.SAFE_METHODS or bool(request.user.is_staff)


class AuthorWrites(permissions.IsAuthenticatedOrReadOnly):
    """Anyone reads, the author writes."""

    def has_object_permission(self, request: Request, view: Any, obj: Review) -> bool:
        return request.method in permissions.SAFE_METHODS or obj.author_id == request.user.pk


cited = inline_serializer(
    "CitedSentence",
    {"text": serializers.CharField(), "review_ids": serializers.ListField(child=serializers.IntegerField())},
)
summarised = inline_serializer(
    "ReviewSummary",
    {
        "status": serializers.ChoiceField(["ready", "pending", "too_few_reviews"]),
        "detail": serializers.CharField(help_text="Why there is no summary."),
        "summary": serializers.CharField(),
        "sentences": serializers.ListField(child=cited),
        "review_count": serializers.IntegerField(),
        "sentiment": SentimentSummarySerializer(),
        "aspects": serializer_of(Aspect)(many=True),
        "generated_at": serializers.DateTimeField(allow_null=True),
        "model": serializers.CharField(allow_null=True),
        "version": serializers.IntegerField(allow_null=True),
        "prediction_id": serializers.UUIDField(allow_null=True),
    },
)


@extend_schema(tags=["products"])
class ProductViewSet(viewsets.ModelViewSet[Product]):
    """The catalogue. Anyone reads it, staff write it; a picture is sent as multipart."""

    serializer_class = ProductSerializer
    permission_classes = [StaffWrites]
    parser_classes = (*APIView.parser_classes, parsers.MultiPartParser)
    filter_backends = BACKENDS
    filterset_class = ProductFilter
    search_fields = ["name", "description", "category"]
    ordering_fields = ["id", "name", "price", "created_at", "view_count", "rating_average", "rating_count"]
    lookup_value_converter = "int"

    def get_queryset(self) -> Any:
        return selectors.products()

    def paginate_queryset(self, queryset: Any) -> Any:
        """The ids of the page first: averages and counts are not computed for the pages before it."""
        ids = super().paginate_queryset(queryset.values_list("pk", flat=True))
        return selectors.in_order(selectors.products(), ids or [])

    def perform_create(self, serializer: Any) -> None:
        self._show(serializer, services.product_create(values=serializer.validated_data))

    def perform_update(self, serializer: Any) -> None:
        product = serializer.instance
        self._show(serializer, services.product_update(product=product, changes=serializer.validated_data))

    def perform_destroy(self, instance: Product) -> None:
        services.product_delete(product=instance)

    def _show(self, serializer: Any, saved: Product) -> None:
        serializer.instance = get_object_or_404(self.get_queryset(), pk=saved.pk)  # with its averages and counts

    @extend_schema(responses=ReviewSerializer(many=True))
    @action(detail=True, filter_backends=[], permission_classes=[permissions.AllowAny])
    def reviews(self, request: Request, pk: int) -> Response:
        """The product's reviews, newest first."""
        get_object_or_404(Product.objects.only("pk"), pk=pk)
        page: Any = super().paginate_queryset(selectors.product_reviews(pk))  # type: ignore[arg-type]  # not products
        return self.get_paginated_response(ReviewSerializer(page, many=True).data)

    @extend_schema(responses=summarised)
    @action(detail=True, filter_backends=[], permission_classes=[permissions.AllowAny], url_path="review-summary")
    def review_summary(self, request: Request, pk: int) -> Response:
        """What the product's reviews agree on, where they differ, and what they speak of."""
        found = selectors.review_summary(pk)
        if not found:
            raise NotFound(f"There is no product {pk}.")
        return Response(_summarised(found))


def _summarised(found: selectors.Summarised) -> dict[str, Any]:
    """Before there is a summary: how many reviews there are, and why there is none."""
    few = found.reviews < FEWEST
    waits = f"{found.reviews} of at least {FEWEST} reviews." if few else "It will be made within minutes."
    return {
        "status": "ready" if found.summary is not None else "too_few_reviews" if few else "pending",
        "detail": "" if found.summary is not None else waits,
        "summary": found.summary or "",
        "sentences": [{name: one[name] for name in ("text", "review_ids")} for one in found.sentences],
        "review_count": found.reviews if found.review_count is None else found.review_count,
        "sentiment": {"positive": found.positive or 0, "negative": found.negative or 0},
        "aspects": found.aspects,
        "generated_at": found.generated_at,
        "model": found.model,
        "version": found.version,
        "prediction_id": found.prediction_id,
    }


analysed = inline_serializer(
    "AnalysedReview",
    {
        "success": serializers.BooleanField(),
        "review": ReviewSerializer(),
        "analysis": serializer_of(SentimentOutput)(allow_null=True, help_text="null when it is analysed later"),
        "prediction_id": serializers.UUIDField(allow_null=True),
    },
)


class ReviewCreate(APIView):
    """Review a product: saved and analysed in one step."""

    @extend_schema(tags=["reviews"], request=ReviewSerializer, responses={201: analysed})
    def post(self, request: Request, product_id: int) -> Response:
        product = get_object_or_404(Product, pk=product_id)
        given = ReviewSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        review, answer = services.review_create(author=request.user, product=product, **given.validated_data)
        body = {
            "success": True,
            "review": ReviewSerializer(review).data,
            "analysis": answer.output if answer else None,
            "prediction_id": review.prediction_id,
        }
        return Response(body, 201, headers={"Location": f"/api/v1/reviews/{review.pk}/"})


@extend_schema(tags=["reviews"])
class ReviewDetail(generics.RetrieveUpdateDestroyAPIView[Review]):
    """One review. Its author may change it, then it is analysed again, or delete it; the rating that came with it
    stays.
    """

    serializer_class = ReviewSerializer
    permission_classes = [AuthorWrites]
    queryset = Review.objects.select_related("author")
    http_method_names = ["get", "patch", "delete", "head", "options"]

    def perform_update(self, serializer: Any) -> None:
        serializer.instance = services.review_update(review=serializer.instance, changes=serializer.validated_data)


@extend_schema(tags=["ratings"])
class RatingViewSet(mixins.ListModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[Rating]):
    """One's own ratings."""

    serializer_class = RatingSerializer
    queryset = Rating.objects.none()
    filter_backends = BACKENDS
    filterset_fields = ["product"]
    ordering_fields = ["rated_at", "value"]
    lookup_value_converter = "int"

    def get_queryset(self) -> Any:
        user: Any = self.request.user
        return Rating.objects.filter(user=user)

    @extend_schema(responses={200: RatingSerializer, 201: RatingSerializer})
    def create(self, request: Request) -> Response:
        """Rate a product: 201, or 200 when it replaces one's earlier rating."""
        given = RatingSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        rating, created = services.rating_set(user=request.user, **given.validated_data)
        return Response(RatingSerializer(rating).data, 201 if created else 200)


class EventCreate(APIView):
    """Something the caller did with a product."""

    @extend_schema(tags=["events"], request=EventSerializer, responses={202: None})
    def post(self, request: Request) -> Response:
        given = EventSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        services.event_record(user=request.user, **given.validated_data)
        return Response(status=202)
