"""The settings of the project, with the app of the bad models."""

from mlbackend.settings import *  # noqa: F403
from mlbackend.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "benchmarks.injected"]
