"""A real browser for tests marked slow, and what it finds wrong with a page's accessibility."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
NEEDS_CHROMIUM = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium or chromedriver is not installed")
FLAGS = ["headless=new", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking",
         "disable-component-update", "disable-sync", "disable-dev-shm-usage"]  # fmt: skip
AXE = Path(__file__).parent / "vendor/axe-core/axe-4.14.1.min.js"
FOUND = """
const done = arguments[arguments.length - 1];
axe.run().then(({violations}) => done(
  violations.filter(one => ["serious", "critical"].includes(one.impact))
    .flatMap(one => one.nodes.map(node => `${one.id}: ${node.html} ${node.failureSummary}`))));
"""


@contextmanager
def chromium(folder: Path) -> Iterator[Any]:
    """Its profile is in the folder."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in [*FLAGS, f"user-data-dir={folder}"]:
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(executable_path=str(DRIVER)))
    yield driver
    driver.quit()


def looks(driver: Any, width: int, scheme: str, height: int = 900) -> None:
    """From here on the screen is so many pixels wide, and the person prefers `light` or `dark`."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    prefers = {"name": "prefers-color-scheme", "value": scheme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [prefers]})


def barriers(driver: Any) -> list[str]:
    """What axe calls serious or critical on the page that is shown."""
    driver.execute_script(AXE.read_text())
    return list(driver.execute_async_script(FOUND))
