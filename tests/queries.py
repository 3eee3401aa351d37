"""Query counts pinned in a file and changed on purpose: `PIN_QUERIES=1 pytest …` writes what was counted."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection
from django.test.utils import CaptureQueriesContext

COUNTS = Path(__file__).with_name("query_counts.json")


@contextmanager
def pinned_queries(name: str) -> Iterator[None]:
    """The code inside makes as many queries as query_counts.json says under `name`."""
    with CaptureQueriesContext(connection) as captured:
        yield
    counts = json.loads(COUNTS.read_text())
    if os.environ.get("PIN_QUERIES"):
        COUNTS.write_text(json.dumps({**counts, name: len(captured)}, indent=2, sort_keys=True) + "\n")
        return
    queries = "\n".join(query["sql"] for query in captured)
    assert len(captured) == counts.get(name), f"{name} makes {len(captured)} queries:\n{queries}"
