"""What every error answer must be, so that a test says only what is particular to its own."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse


def assert_problem(response: HttpResponse, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    """The answer is RFC 9457 with this status and code; `field` is among its errors. Gives the body."""
    assert response["Content-Type"] == "application/problem+json", response.content[:300]
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code), body
    assert body["type"] == "about:blank"
    assert body["title"] == HTTPStatus(status).phrase
    assert body["detail"]
    assert body["request_id"] == response["X-Request-ID"]
    assert "Traceback" not in response.content.decode()
    if field is not None:
        assert field in [error["field"] for error in body["errors"]], body
        assert all(error["code"] and error["detail"] for error in body["errors"])
    if status in (429, 503):
        assert int(response["Retry-After"]) > 0
    if status == 401:
        assert response["WWW-Authenticate"].startswith("Bearer")
    return body
