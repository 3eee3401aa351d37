"""Domain errors: what can go wrong, in words a caller can act on. They know nothing of HTTP; mlbackend/errors.py maps
them.
"""

from typing import ClassVar


class DomainError(Exception):
    """Base of all. `detail` is shown to callers, so it names the field, the bound or the thing that is missing."""

    code: ClassVar[str] = "error"

    def __init__(self, detail: str, **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra  # more members of the answer, such as a link


class Invalid(DomainError):
    """The input is wrong. `field` names the place."""

    code = "invalid"

    def __init__(self, field: str, detail: str, code: str = "invalid") -> None:
        super().__init__(detail)
        self.field = field
        self.field_code = code


class NotFound(DomainError):
    code = "not_found"


class Conflict(DomainError):
    code = "conflict"


class Unavailable(DomainError):
    """Cannot answer now; the same call may succeed after `retry_after` seconds."""

    code = "unavailable"
    retry_after: ClassVar[int] = 5


class ModelUnavailable(Unavailable):
    """No live version of this task, or it failed on this input."""

    code = "model_unavailable"


class ModelFailed(ModelUnavailable):
    """The live version failed on this input; it may well answer another one."""


class QueueFull(Unavailable):
    """More work waits than the bound allows."""

    code = "queue_full"
    retry_after = 1
