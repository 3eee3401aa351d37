"""The web application with micro-batching for the task `image` the other way round, to compare with."""

from experiments.mltask import Batching
from vision.ml.image import IMAGE

object.__setattr__(IMAGE, "batching", None if IMAGE.batching else Batching())

from mlbackend.wsgi import application  # noqa: F401  (granian serves it)
