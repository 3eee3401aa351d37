"""How far a job has got with the log of predictions. Jobs of one name take turns: each step holds the row."""

from datetime import datetime

from experiments.models import Watermark
from experiments.monitoring.models import NOTHING
from experiments.uuid7 import uuid7_time


def watermark_locked(name: str) -> Watermark:
    """The job's row until the end of the transaction; a new one where it has none yet."""
    Watermark.objects.get_or_create(name=name)
    return Watermark.objects.select_for_update().get(name=name)


def reached(name: str) -> datetime | None:
    """Until when predictions are done; None where the job never ran."""
    upto = Watermark.objects.filter(name=name).values_list("upto", flat=True).first()
    return None if upto in (None, NOTHING) else uuid7_time(upto)
