"""Numbers of several processes on one page, and the folder where they meet."""

import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from mlbackend.metrics import Processes
from mlbackend.processes import folder_of_counts

# A process that counts by the name that it is given, says so, and ends when its input does.
COUNTS = """
import sys
from prometheus_client import Counter, Gauge, Histogram
Counter("asked", "", ["of"]).labels("lamps").inc(int(sys.argv[1]))
Histogram("took", "", buckets=[1, 2]).observe(1.5)
Gauge("waiting", "", multiprocess_mode="livesum").set(int(sys.argv[1]))
Gauge("version", "", multiprocess_mode="livemin").set(int(sys.argv[1]))
print("counted", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def counting(tmp_path: Path) -> Iterator["list[subprocess.Popen[str]]"]:
    """Two processes that run and have counted 3 and 4 in the folder."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", COUNTS, number], env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number in ("3", "4")
    ]  # fmt: skip
    for process in processes:
        assert process.stdout.readline() == "counted\n"
    yield processes
    for process in processes:
        process.communicate()


def values(folder: Path) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(Processes(folder))
    return {
        sample.name + "".join(sample.labels.values()): sample.value
        for metric in registry.collect()
        for sample in metric.samples
    }


def test_counts_add_up_and_gauges_are_those_of_all(tmp_path: Path, counting: "list[subprocess.Popen[str]]") -> None:
    assert values(tmp_path) == {
        "asked_totallamps": 7, "took_bucket1.0": 0, "took_bucket2.0": 2, "took_bucket+Inf": 2, "took_count": 2,
        "took_sum": 3, "waiting": 7, "version": 3,
    }  # fmt: skip


def test_a_process_that_was_killed_leaves_its_counts_and_takes_its_gauges_along(
    tmp_path: Path, counting: "list[subprocess.Popen[str]]"
) -> None:
    counting[0].kill()
    counting[0].wait()
    for _ in range(2):
        found = values(tmp_path)
        assert (found["asked_totallamps"], found["took_count"]) == (7, 2)
        assert (found["waiting"], found["version"]) == (4, 4)
    assert len(list(tmp_path.glob("gauge_*"))) == 2


def test_a_file_that_a_process_has_just_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "counter_1.db").touch()
    assert values(tmp_path) == {}


def test_a_damaged_file_is_left_out_and_the_others_are_read(
    tmp_path: Path, counting: "list[subprocess.Popen[str]]"
) -> None:
    (tmp_path / "counter_4711.db").write_bytes(struct.pack("i", 100) + bytes(96))
    assert values(tmp_path)["asked_totallamps"] == 7


def test_a_folder_that_is_gone_shows_nothing(tmp_path: Path) -> None:
    assert values(tmp_path / "gone") == {}


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    return tmp_path


def test_each_start_has_a_new_folder_that_nobody_else_may_read(temporary: Path) -> None:
    (temporary / f"mlbackend-metrics-{os.getpid()}-before" / "inside").mkdir(parents=True)
    folder = Path(folder_of_counts())
    assert list(temporary.iterdir()) == [folder]
    assert not list(folder.iterdir())
    assert folder.stat().st_mode & 0o777 == 0o700


def test_folders_of_processes_that_ended_go_and_others_stay(temporary: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    others = ("mlbackend-metrics-lamp-x", "mlbackend-metrics-99999999999-x", "lamps")
    kept = [f"mlbackend-metrics-{os.getppid()}-x", *others]
    for name in (*kept, f"mlbackend-metrics-{ended.pid}-x"):
        (temporary / name).mkdir()
    made = Path(folder_of_counts()).name
    assert {one.name for one in temporary.iterdir()} == {*kept, made}


def test_a_folder_that_the_environment_names_is_taken(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "/run/counts")
    assert folder_of_counts() == "/run/counts"
    assert not list(temporary.iterdir())
