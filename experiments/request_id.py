"""The id of the request being answered, so that the prediction log and the log lines of one call can be found
together.
"""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
