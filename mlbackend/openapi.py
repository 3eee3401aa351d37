"""Adds to the OpenAPI document what every operation shares: errors are problem+json (RFC 9457)."""

from typing import Any

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
