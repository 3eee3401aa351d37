"""The one error table: whatever goes wrong, the answer is RFC 9457 problem+json with a stable `code` and the request
id.

DRF views come through `exception_handler`; what Django raises outside of them comes through the handlers that urls.py
and the settings name. Both answer with plain responses, so that no renderer can give an error another shape.
"""

import logging
import math
import sys
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views import csrf, defaults
from rest_framework import exceptions
from rest_framework.views import set_rollback

from experiments.errors import Conflict, DomainError, Invalid, NotFound, Unavailable
from experiments.request_id import request_id
from mlbackend.codecs import dumps

logger = logging.getLogger("mlbackend.errors")
PROBLEM = "application/problem+json"
STATUS: dict[type[DomainError], int] = {Invalid: 400, NotFound: 404, Conflict: 409, Unavailable: 503, DomainError: 400}
CODES = {
    400: "bad_request",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    411: "length_required",
    413: "body_too_large",
    500: "internal_error",
    503: "unavailable",
}


def problem(status: int, detail: str, *, code: str = "", **more: Any) -> dict[str, Any]:
    """The body of an error answer."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code or CODES.get(status, "error"),
        "request_id": request_id.get(),
        **more,
    }


def problem_response(
    status: int, detail: str, *, code: str = "", headers: dict[str, str] | None = None, **more: Any
) -> HttpResponse:
    body = dumps(problem(status, detail, code=code, **more))
    response = HttpResponse(body, status=status, content_type=PROBLEM, headers=headers)
    if status == 503:
        response.setdefault("Retry-After", str(Unavailable.retry_after))
    return response


def _field_errors(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """DRF's nested error detail as a flat list: `{"field": "instances.3.text", "code": "max_length", "detail": …}`."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _field_errors(inner, path if name == "non_field_errors" else f"{path}.{name}".lstrip("."))
    elif isinstance(detail, list):
        for position, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from _field_errors(inner, f"{path}.{position}".lstrip(".") if nested else path)
    else:
        yield {"field": path, "code": getattr(detail, "code", "invalid"), "detail": str(detail)}


def _invalid(errors: list[dict[str, str]]) -> HttpResponse:
    first = errors[0] if errors else {"field": "", "detail": "The input is not valid."}
    detail = f"{first['field']}: {first['detail']}" if first["field"] else first["detail"]
    return problem_response(400, detail, code="invalid", errors=errors)


def _domain(error: DomainError) -> HttpResponse:
    if isinstance(error, Invalid):
        return _invalid([{"field": error.field, "code": error.field_code, "detail": error.detail}])
    status = next(status for kind, status in STATUS.items() if isinstance(error, kind))
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Unavailable) else None
    return problem_response(status, error.detail, code=error.code, headers=headers, **error.extra)


def _api(error: exceptions.APIException) -> HttpResponse:
    if isinstance(error, exceptions.ValidationError):
        return _invalid(list(_field_errors(error.detail)))
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(math.ceil(wait))
    if isinstance(error.detail, dict):  # simplejwt's own shape
        detail, code = str(error.detail.get("detail", "")), str(error.detail.get("code", ""))
    else:
        detail, code = str(error.detail), str(error.get_codes())
    code = "" if code == exceptions.APIException.default_code else code
    return problem_response(error.status_code, detail, code=code, headers=headers)


def _database_unavailable(error: Exception) -> HttpResponse:
    logger.error("The database cannot answer: %s", error)
    return problem_response(503, "The database cannot answer now.")


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's hook. None lets the error go on to Django, which logs it and answers through `server_error`."""
    set_rollback()
    match error:
        case Http404():
            return problem_response(404, "Not found.")
        case DomainError():
            return _domain(error)
        case exceptions.APIException():
            return _api(error)
        case OperationalError() | InterfaceError():
            return _database_unavailable(error)
        case IntegrityError():  # what a request rests on went away while it ran: its product, its user
            logger.warning("A write lost a race.", exc_info=error)
            return problem_response(409, "Something that this rests on was changed at the same time.")
        case DataError():
            logger.warning("A value does not fit its column.", exc_info=error)
            return problem_response(400, "A value is out of the range that can be stored.")
        case ValueError() if "NUL" in str(error):  # psycopg2 says so before the database sees the text
            return problem_response(400, "Text may not contain NUL characters.")
    return None


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return problem_response(413, "The fields of the form are larger than is accepted.")
    return problem_response(400, "The request is not valid.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/admin/"):
        return defaults.permission_denied(request, exception)
    return problem_response(403, "You may not do this.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Only pages with forms are checked; whoever posts elsewhere outside of the API is no browser."""
    if request.path.startswith("/admin/"):
        return csrf.csrf_failure(request, reason)
    return problem_response(403, "You may not do this.")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/admin/"):
        return defaults.page_not_found(request, exception)
    slash = "" if request.path.endswith("/") else " Paths end in a slash."
    return problem_response(404, f"There is nothing at {request.path[:200]}.{slash}")


def server_error(request: HttpRequest) -> HttpResponse:
    error = sys.exception()  # Django calls this while it handles the error, without handing it over
    if isinstance(error, OperationalError | InterfaceError):
        return _database_unavailable(error)
    return problem_response(500, "Something went wrong here. It was logged under the request id.")
