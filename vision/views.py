"""HTTP for pictures: what is on one, what looks like it. They come as multipart."""

from typing import Any

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import parsers, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.assignment import Person
from experiments.fields import UploadField, serializer_of
from experiments.mltask import Image, to_json
from experiments.serving import Answer
from experiments.views import rendered
from reviews.views import ProductSerializer, QuerySerializer, product_shown
from vision import services
from vision.ml.category import Share
from vision.ml.detection import DetectOutput
from vision.ml.image import ImageInput, ImageOutput, Label

PictureSerializer = serializer_of(ImageInput)
SOURCE: dict[str, Any] = {
    "model": serializers.CharField(),
    "version": serializers.IntegerField(),
    "prediction_id": serializers.UUIDField(),
}


class SearchSerializer(QuerySerializer):
    image = UploadField()


classification = inline_serializer(
    "Classification",
    {"predictions": serializer_of(Label)(many=True), "top_prediction": serializer_of(Label)(allow_null=True)},
)
classified = inline_serializer(
    "ClassifiedImage",
    {
        "success": serializers.BooleanField(),
        "classification": classification,
        "shop_category": serializer_of(Share)(allow_null=True, help_text="null without a model that knows them"),
        **SOURCE,
    },
)
detected = type("DetectedObjects", (serializer_of(DetectOutput),), SOURCE)
similar = inline_serializer(
    "SimilarPicture",
    {"product": ProductSerializer(), "similarity": serializers.FloatField(help_text="Cosine, 1: the same picture.")},
)
alike = inline_serializer(
    "SimilarPictures",
    {
        "results": serializers.ListField(child=similar),
        "shortfall": serializers.IntegerField(help_text="How many fewer than n: no more products match."),
        **SOURCE,
    },
)


class PictureView(APIView):
    parser_classes = [parsers.MultiPartParser]

    def picture(self, request: Request) -> Image:
        given: ImageInput = PictureSerializer().run_validation(request.data)
        return given.image


class ClassifyImage(PictureView):
    """What is on a picture: the five likeliest classes, and the likeliest of the shop's own categories."""

    @extend_schema(tags=["pictures"], request=PictureSerializer, responses=classified)
    def post(self, request: Request) -> Response:
        answer, category = services.image_classify(image=self.picture(request), **_who(request))
        output: ImageOutput = answer.output
        labels = to_json(output.predictions)
        return Response(
            {
                "success": True,
                "classification": {"predictions": labels, "top_prediction": labels[0] if labels else None},
                "shop_category": to_json(category),
                **_source(answer),
            }
        )


class SearchByImage(PictureView):
    """The products whose pictures look most like this one."""

    @extend_schema(tags=["pictures"], request=SearchSerializer, responses=alike)
    def post(self, request: Request) -> Response:
        form = SearchSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = dict(form.validated_data)
        image, n = given.pop("image"), given.pop("n")
        found, answer = services.image_search(image=image, n=n, filters=given, user_id=_caller(request))
        results = [{"product": product_shown(one, request), "similarity": one.more} for one in found]
        return Response({"results": results, "shortfall": n - len(found), **_source(answer)})


class Detect(PictureView):
    """The objects on a picture, each with its box."""

    @extend_schema(tags=["pictures"], request=PictureSerializer, responses=detected)
    def post(self, request: Request) -> Response:
        return Response(rendered(services.image_detect(image=self.picture(request), **_who(request))))


def _source(answer: Answer[Any]) -> dict[str, Any]:
    return {"model": answer.model, "version": answer.version, "prediction_id": answer.prediction_id}


def _who(request: Request) -> dict[str, Any]:
    return {"user_id": _caller(request), "tested": Person.of(request.user)}


def _caller(request: Request) -> int:
    user: Any = request.user  # these views let nobody in without a login
    return int(user.pk)
