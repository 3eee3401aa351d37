"""HTTP for prices: one home or many in a request, the places that are known, and the edition for browsers with a page
that runs it.
"""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from django.views.generic import TemplateView
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import permissions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.errors import NotFound
from experiments.fields import serializer_of
from experiments.mltask import bounds
from experiments.views import predict_view
from pricing import selectors
from pricing.ml.conformal import LEAST, MOST, USUAL
from pricing.ml.price import PRICE, PriceInput
from pricing.ml.tabular import Column

SHOWN_OTHERS, SHOWN_CHARACTERS = 5, 100  # of fields that there are not
FOR_EVER = "public, max-age=31536000, immutable"
TYPES = {"json": "application/json", "bin": "application/octet-stream"}


class PriceSerializer(serializer_of(PriceInput)):  # type: ignore[misc]  # made at run time
    """A home, in a place that the live version knows unless any is allowed. What is misspelled is refused: it would
    change the price unseen.
    """

    def run_validation(self, data: Any = serializers.empty) -> PriceInput:
        others = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if others:
            said = f"There is no such field. There are {', '.join(self.fields)}."
            refused = {name[:SHOWN_CHARACTERS]: said for name in others[:SHOWN_OTHERS]}
            raise serializers.ValidationError(refused, "unknown_field")
        given: PriceInput = super().run_validation(data)
        known = selectors.places().known
        if given.location not in known and not given.allow_unknown:
            said = (
                f"{given.location!r} is none of the {len(known):,} known locations. GET {reverse('price-locations')}"
                " lists them; allow_unknown: true answers for any other."
            )
            raise serializers.ValidationError({"location": said}, "unknown")
        return given


predict_price = predict_view(PRICE, PriceSerializer)


class PriceLocationsSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    count = serializers.IntegerField()
    locations = serializers.ListField(child=serializers.CharField())


class PricePreprocessingSerializer(serializers.Serializer[Any]):
    columns = serializer_of(Column)(many=True)
    locations = serializers.ListField(child=serializers.CharField(), help_text="The first has the number 1.")
    target = serializer_of(Column)()
    currency = serializers.CharField()
    area_unit = serializers.CharField()


class PriceIntervalSerializer(serializers.Serializer[Any]):
    coverages = serializers.ListField(child=serializers.FloatField())
    usual = serializers.FloatField()
    lower = serializers.ListField(child=serializers.FloatField(), help_text="Where each ends, in scales.")
    upper = serializers.ListField(child=serializers.FloatField())


class PriceBrowserEditionSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    model = serializers.CharField()
    format = serializers.CharField(help_text="tfjs-layers: for tf.loadLayersModel of TensorFlow.js.")
    model_url = serializers.CharField(help_text="Its content never changes.")
    sha256 = serializers.CharField(help_text="Of model.json, which names its weights by their digest.")
    bytes = serializers.IntegerField(help_text="To download: model.json and the weights.")
    preprocessing = PricePreprocessingSerializer()
    interval = PriceIntervalSerializer()


@method_decorator(conditional_page, "dispatch")
class PublicView(APIView):
    """For anyone, and for pages of any origin; who has it already is told so (304)."""

    permission_classes = [permissions.AllowAny]

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {**super().default_response_headers, "Access-Control-Allow-Origin": "*"}


class Locations(PublicView):
    """The locations that the live version of price knows. Public."""

    @extend_schema(tags=["price"], operation_id="price_locations", responses=PriceLocationsSerializer)
    def get(self, request: Request) -> Response:
        version, known = selectors.places()
        body = {"version": version, "count": len(known), "locations": list(known)}
        return Response(body, headers={"Cache-Control": "no-cache"})


class BrowserEdition(PublicView):
    """All that a browser needs to run the live version of price itself. Public."""

    @extend_schema(tags=["price"], operation_id="price_browser", responses=PriceBrowserEditionSerializer)
    def get(self, request: Request) -> Response:
        edition = selectors.browser_edition()
        url = reverse("price-browser-file", args=[edition["sha256"], selectors.MODEL])
        return Response({**edition, "model_url": url}, headers={"Cache-Control": "no-cache"})


class BrowserFile(PublicView):
    """A file of the model that runs in a browser, of any version: a page goes on with the version that it began with.
    Public.
    """

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        return super().perform_content_negotiation(request, force=True)  # a file is what it is, whatever was accepted

    @extend_schema(
        tags=["price"],
        operation_id="price_browser_file",
        responses={(200, "application/json"): OpenApiTypes.OBJECT, (200, TYPES["bin"]): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, sha256: str, name: str) -> HttpResponse:
        files = selectors.browser_files(sha256)
        if name not in files:
            raise NotFound(f"The model has no file of this name. It has {', '.join(files)}.")
        headers = {"Cache-Control": FOR_EVER, "ETag": f'"{sha256}"'}
        return HttpResponse(files[name], content_type=TYPES[name.rpartition(".")[2]], headers=headers)


class PricePage(TemplateView):
    """A home is priced as it is typed, in the browser alone; a button asks the server too."""

    template_name = "pricing/price.html"
    extra_context = {"bounds": bounds(PriceInput), "coverages": (LEAST, 0.8, USUAL, 0.95, MOST), "usual": USUAL}
