"""How often one caller may call: a count per window in the cache, one atomic increment a request.

DRF's own throttles keep every timestamp of the window and rewrite the list each time, which costs more the higher the
rate is. A view may name its bound with `throttle_scope`; else it is `user` or, without a login, `anon`. The counts lie
in the default cache, which is each process's own unless a shared one is configured: then the bound holds per process.
"""

from typing import Any, cast

from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class WindowThrottle(SimpleRateThrottle):
    def __init__(self) -> None:
        """The rate depends on the request, so it is read in `allow_request`."""

    def allow_request(self, request: Request, view: Any) -> bool:
        known = request.user.is_authenticated
        self.scope = getattr(view, "throttle_scope", None) or ("user" if known else "anon")
        limit, window = cast("tuple[int, int]", self.parse_rate(self.THROTTLE_RATES[self.scope]))
        now = self.timer()
        self.reset = window - now % window
        who = f"user:{request.user.pk}" if known else self.get_ident(request)
        return self._count(f"throttle:{self.scope}:{who}:{int(now // window)}", window) <= limit

    def _count(self, key: str, window: int) -> int:
        try:
            return int(cache.incr(key))
        except ValueError:  # the first of this window; of two at once one adds
            return 1 if cache.add(key, 1, timeout=window) else int(cache.incr(key))

    def wait(self) -> float:
        return self.reset
