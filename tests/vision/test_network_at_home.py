"""What ONNX Runtime does beside its work."""

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from tests import networks

RUN = """
import sys
from pathlib import Path
import numpy as np
from experiments.network import Network
print(Network(Path(sys.argv[1])).run(np.ones((1, 3, 32, 32), np.float32))[0].shape)
"""


def test_it_reports_nothing_and_leaves_nothing_in_the_home_folder(tmp_path: Path) -> None:
    home, network = tmp_path / "home", networks.classifier(tmp_path / "n.onnx")
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    command = [sys.executable, "-c", RUN, str(network)]
    done = subprocess.run(command, env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list(home.rglob("*")) == []
