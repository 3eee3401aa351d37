"""What the benchmarks share: servers as real processes, and wrk as the load."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MANAGE = [sys.executable, str(ROOT / "manage.py")]


@dataclass(frozen=True)
class Load:
    """What wrk saw: answers a second, latencies in milliseconds, answers that were no 2xx, and how many answers in
    all.
    """

    rate: float
    p50: float
    p99: float
    bad: int
    answers: int


@contextmanager
def server(command: Sequence[str], ready: str, **environment: str) -> "Iterator[subprocess.Popen[bytes]]":
    """A server in a process group of its own, ended with everything that it started."""
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, start_new_session=True, cwd=ROOT,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(ready, process)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: "subprocess.Popen[bytes]", seconds: float = 60) -> None:
    """Until anything answers at `url`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit(f"the server of {url} ended with exit code {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"{url} did not answer within {seconds:g} s")


def call(url: str, body: Any = None, token: str = "") -> Any:
    """One JSON request."""
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def load(
    url: str, bodies: Sequence[Any], *, clients: int, seconds: int, tokens: Sequence[str] = ("",), method: str = "POST",
    content_type: str = "application/json",
) -> Load:  # fmt: skip
    """Send the bodies (bytes as they are, None for a request without one, all else as JSON) in turn, each as the next
    of the tokens, with wrk (Debian: apt-get install wrk).
    """
    if not shutil.which("wrk"):
        raise SystemExit("The benchmarks need wrk: apt-get install wrk")
    texts = ",".join("false" if body is None else _lua(body) for body in bodies)
    script = f"""
wrk.method = "{method}"
wrk.headers["Content-Type"] = "{content_type}"
local bodies = {{{texts}}}
local tokens = {{{",".join(_lua(one.encode()) for one in tokens)}}}
local at = 0
request = function()
  at = at + 1
  local token = tokens[at % #tokens + 1]
  if token ~= "" then wrk.headers["Authorization"] = "Bearer " .. token end
  return wrk.format(nil, nil, nil, bodies[at % #bodies + 1] or nil)
end
done = function(summary, latency)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write +
  summary.errors.timeout io.write(string.format("\\nRESULT %f %f %f %d %d\\n", summary.requests / summary.duration *
  1e6,   latency:percentile(50) / 1000, latency:percentile(99) / 1000, bad, summary.requests))
end
"""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "-s", file.name, url]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate, p50, p99, bad, answers = re.findall(r"RESULT (.*)", output)[0].split()
    return Load(float(rate), float(p50), float(p99), int(bad), int(answers))


def _lua(body: Any) -> str:
    """As a literal of Lua."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    plain = (chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\' else f"\\{byte:03d}" for byte in raw)
    return f'"{"".join(plain)}"'
