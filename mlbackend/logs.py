"""Log lines: one JSON object each in production, readable text elsewhere. Both carry the request id."""

import json
import logging
import time
from datetime import UTC, datetime

from experiments.request_id import request_id


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id.get(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


class PlainFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        record.request_id = request_id.get()[:8]
        return super().format(record)


class OnceAMinute(logging.Filter):
    """Lets one record a minute through from each place in the code: what fails all the time must not bury the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.passed: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        place, now = (record.pathname, record.lineno), time.monotonic()
        if now < self.passed.get(place, -60.0) + 60:
            return False
        self.passed[place] = now
        return True
