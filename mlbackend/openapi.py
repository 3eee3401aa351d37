"""The OpenAPI document: made once a process, with what all operations share: errors are problem+json (RFC 9457)."""

from functools import cached_property
from threading import Lock
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.response import Response

FIELD_ERROR = {"field": {"type": "string"}, "code": {"type": "string"}, "detail": {"type": "string"}}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "For people: names the field and the bound."},
        "code": {"type": "string", "description": "For programs: stable."},
        "request_id": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object", "properties": FIELD_ERROR}},
    },
}
ANSWER = {
    "description": "Any error. 429 and 503 carry Retry-After.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def add_problems(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["default"] = ANSWER
    return result


class Document:
    """The same for every caller. drf-spectacular's generator is not safe in several threads, hence the lock."""

    lock = Lock()

    @cached_property
    def made(self) -> Any:
        return SchemaGenerator().get_schema(public=True)

    def get(self) -> Any:
        with self.lock:
            return self.made


document = Document()


class Schema(SpectacularAPIView):
    authentication_classes = ()
    permission_classes = ()
    http_method_names = ["get", "head"]

    def _get_schema_response(self, request: Request) -> Response:
        return Response(document.get(), headers={"Content-Disposition": 'inline; filename="openapi.yaml"'})
