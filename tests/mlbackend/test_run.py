"""`manage.py run` as a newcomer meets it: a shop from nothing, a curl to paste, Ctrl-C, and a quick second start.

All of it happens in a database and a data folder of its own.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.db import connection

from tests.waiting import until

pytestmark = pytest.mark.slow
NAME = "test_run"
TOKEN = "the-scraper-s-own-token.0123456789"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Shop:
    """One `manage.py run`, its output and how long it took to be up."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.log = log
        started = time.monotonic()
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "run"]
        with log.open("w") as output:
            self.process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        while "Ctrl-C stops everything" not in log.read_text():
            assert self.process.poll() is None, log.read_text()
            assert time.monotonic() < started + 180, log.read_text()
            time.sleep(0.05)
        self.seconds = time.monotonic() - started
        self.family = psutil.Process(self.process.pid).children(recursive=True)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: Any, django_db_blocker: Any) -> Iterator[dict[str, str]]:
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {NAME}")
    data = str(tmp_path_factory.mktemp("data"))
    yield {**os.environ, "SHOP_DB": NAME, "DATA_DIR": data, "PORT": str(_free_port()), "DEMO_PASSWORD": "it's a demo",
           "METRICS_TOKEN": TOKEN}  # fmt: skip
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")


@pytest.fixture(scope="module")
def first(environment: dict[str, str], tmp_path_factory: Any) -> Iterator[Shop]:
    shop = Shop(environment, tmp_path_factory.mktemp("log") / "first.log")
    yield shop
    if shop.process.poll() is None:
        shop.stop()


def test_a_shop_comes_up_from_nothing_and_says_what_it_did(first: Shop) -> None:
    printed = first.log.read_text()
    assert "Made 300 products, 400 customers, 12,000 ratings, 3,000 reviews" in printed
    assert "sentiment 1 (tfidf) is live" in printed
    assert "recommend 1 (ease) is live" in printed
    assert "image 1 (efficientnet_lite0) is live" in printed
    assert "300 pictures have a vector now" in printed
    assert "Made 2,000 synthetic homes" in printed
    assert "price 1 (network) is live" in printed
    assert "rating 1 (network) is live" in printed
    assert printed.index("image_embedding 1 (efficientnet_lite0) is live") < printed.index(
        "category 1 (logistic) is live"
    )
    assert "detect" not in printed
    assert "customer and staff, password it's a demo" in printed


def test_the_printed_curl_works_when_pasted(first: Shop) -> None:
    lines = re.search(r"Try it:\n(.*?)\n\n", first.log.read_text(), re.DOTALL)
    assert lines
    pasted = subprocess.run(["sh", "-c", lines[1]], capture_output=True, text=True, check=True)
    assert '"sentiment":"' in pasted.stdout, pasted.stdout + pasted.stderr


def test_the_numbers_of_web_server_and_worker_are_one_page(first: Shop, environment: dict[str, str]) -> None:
    def page() -> str:
        url = f"http://127.0.0.1:{environment['PORT']}/metrics"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(answer.read().decode())

    until(lambda: 'mlbackend_live_version{task="review_summary"} 1.0' in page(), within=60)  # the worker alone has it
    answered = 'mlbackend_predictions_total{status="ok",task="sentiment",version="1"} 1.0'
    until(lambda: answered in page())  # the curl's


def test_a_second_run_on_the_same_port_says_so(first: Shop, environment: dict[str, str]) -> None:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "run"]
    second = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert f"Port {environment['PORT']} cannot be used" in second.stderr


def test_a_web_server_that_dies_is_started_again(first: Shop) -> None:
    web = next(one for one in first.family if "granian" in " ".join(one.cmdline()))
    workers = web.children(recursive=True)
    web.kill()
    _, left = psutil.wait_procs(workers, timeout=10)
    assert not left, "workers outlive a killed server and keep its port"
    end = time.monotonic() + 20
    while "starting it again" not in first.log.read_text():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_ctrl_c_leaves_nothing_running_and_the_next_run_is_quick(
    first: Shop, environment: dict[str, str], tmp_path: Path
) -> None:
    started = [*first.family, *psutil.Process(first.process.pid).children(recursive=True)]
    first.stop()
    _, alive = psutil.wait_procs(started, timeout=5)
    assert not alive
    again = Shop(environment, tmp_path / "again.log")
    again.stop()
    assert "Made 300 products" not in again.log.read_text()
    assert again.seconds < 10


def test_no_answer_is_lost_when_the_web_process_is_killed(first: Shop, environment: dict[str, str]) -> None:
    if first.process.poll() is None:
        first.stop()
    command = [sys.executable, str(settings.BASE_DIR / "benchmarks" / "kill.py"), "--kills", "5"]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "5 kills" in found.stdout
    assert "lost: 0" in found.stdout
