"""What came of answers that are neither right nor wrong, such as which recommendations were followed: kept as rows.

An app measures that with a function `measures(window)` in its `quality.py`, which is found by its name. How right
answers are, where there is a truth, is in experiments/estimated_quality.py.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from experiments.discovery import modules
from experiments.estimated_quality import WINDOWS
from experiments.log_sample import Window
from experiments.models import QualityMeasure


@dataclass(frozen=True)
class Measure:
    """`n` is how many it was measured on."""

    task: str
    version: int
    name: str
    value: float
    n: int


def measures_make(*, now: datetime) -> int:
    """Measure over each of WINDOWS, up to now; gives how many figures were found."""
    found = [
        QualityMeasure(**asdict(one), window_start=now - length, window_end=now, made_at=now)
        for length in WINDOWS
        for one in measures_of(Window(now - length, now))
    ]
    return len(QualityMeasure.objects.bulk_create(found))


def measures_of(window: Window) -> list[Measure]:
    """Of all tasks and versions."""
    return [one for module in modules("quality") for one in getattr(module, "measures", _nothing)(window)]


def _nothing(window: Window) -> list[Measure]:
    return []
