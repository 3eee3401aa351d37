"""Processes that end with the one that started them, also where that one is killed; and where they count."""

import ctypes
import os
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil

PR_SET_PDEATHSIG = 1  # linux/prctl.h
FOLDER_OF_COUNTS = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client looks for it when it is imported
PREFIX = "mlbackend-metrics-"


def end_with_parent() -> None:
    """Have this process sent SIGTERM when its parent ends. Linux alone can; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def folder_of_counts() -> str:
    """Where the processes that this one starts count together for /metrics: what the environment says, else a new
    folder. Those of processes that are no more go.
    """
    if given := os.environ.get(FOLDER_OF_COUNTS):
        return given
    for old in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        pid = old.name.removeprefix(PREFIX).partition("-")[0]
        with suppress(OverflowError):  # no process has such a number
            if pid.isdecimal() and (int(pid) == os.getpid() or not psutil.pid_exists(int(pid))):
                shutil.rmtree(old, ignore_errors=True)  # another user's stays
    return tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")
