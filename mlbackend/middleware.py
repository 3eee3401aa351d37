"""What every request passes first: an id that goes in and comes out, one log line, one count, and the bound on the
body's size.
"""

import logging
import re
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin
from django.utils.encoding import escape_uri_path

from experiments.request_id import request_id
from mlbackend.errors import problem_response
from mlbackend.metrics import request_count

logger = logging.getLogger("mlbackend.request")
Handler = Callable[[HttpRequest], HttpResponse]
ACCEPTED_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
ACCEPTED_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)


class RequestIdMiddleware:
    """Takes the caller's X-Request-ID where it is short and plain, else makes one."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        token = request_id.set(given if ACCEPTED_ID.fullmatch(given) else uuid.uuid4().hex)
        start = time.perf_counter()
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id.get()
            response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001  Django would, after the id is reset
            took = time.perf_counter() - start
            request_count(request, response.status_code, took)
            path = escape_uri_path(request.path)  # a line break in it must not look like a log line
            logger.info("%s %s %d %.1f ms", request.method, path, response.status_code, took * 1000)
            return response
        finally:
            request_id.reset(token)


class BodyLimitMiddleware:
    """Refuses a body over the bound by its announced length, before anything reads it.

    A body that nobody read, as after a 401, is read here: the server would drop the connection over it, and with it the
    next request of a client that keeps it open.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "HTTP_TRANSFER_ENCODING" in request.META:
            return problem_response(411, "A body needs a Content-Length.")
        multipart = request.META.get("CONTENT_TYPE", "").startswith("multipart/")
        bound = settings.MAX_UPLOAD_BYTES if multipart else settings.MAX_BODY_BYTES
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not ACCEPTED_LENGTH.fullmatch(length):
            return problem_response(400, "Content-Length is not a number of bytes.")
        if int(length) > bound:
            return problem_response(413, f"The body is larger than the {bound:,} bytes that are accepted.")
        response = self.get_response(request)
        if length != "0":
            with suppress(OSError):  # the client is gone
                while request.read(65_536):
                    pass
        return response


class OnlyAdmin(MiddlewareMixin):
    """Skips what only the admin has need of: the API knows its callers by token and has no sessions or cookies."""

    def __call__(self, request: HttpRequest) -> Any:
        if request.path.startswith("/admin/"):
            return super().__call__(request)
        return self.get_response(request)


class AdminSession(OnlyAdmin, SessionMiddleware):
    pass


class AdminAuthentication(OnlyAdmin, AuthenticationMiddleware):
    pass


class AdminMessages(OnlyAdmin, MessageMiddleware):
    pass
