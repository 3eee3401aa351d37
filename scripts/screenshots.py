"""`make screenshots`: the pictures of the docs, of the pages as a real headless Chromium shows them.

A database of its own is made anew and dropped at the end, with the day that monitored_day.py makes up.
"""

import os
import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.shops import choose, make_database

DATABASE = "screenshots"
choose(DATABASE)
os.environ.setdefault("LOG_LEVEL", "ERROR")

import django

django.setup()

from django.contrib.auth import get_user_model
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.db import connection
from django.test import Client
from django.test.testcases import LiveServerThread
from PIL import Image

from scripts.monitored_day import make_day
from tests.browser import chromium, looks

IMAGES = ROOT / "docs/images"
SECOND_TASK = "#task-2"
PICTURES = {  # width, height, colours, and where on the page
    "light": (1_280, 1_400, "light", ""),
    "dark": (1_280, 1_400, "dark", SECOND_TASK),
    "phone": (390, 1_400, "light", SECOND_TASK),
}
COLOURS = 64  # of a picture: with so few the file is small


def main() -> None:
    make_database(DATABASE)
    server = LiveServerThread("127.0.0.1", StaticFilesHandler)
    try:
        make_day()
        server.daemon = True
        server.start()
        server.is_ready.wait()
        with TemporaryDirectory() as profile, chromium(Path(profile)) as driver:
            _log_in(driver, f"http://127.0.0.1:{server.port}")
            for name, (*look, place) in PICTURES.items():
                _take(driver, f"http://127.0.0.1:{server.port}/admin/monitoring/{place}", look, f"monitoring-{name}")
    finally:
        server.terminate()
        connection.close()
        connection.settings_dict["NAME"] = "postgres"
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def _log_in(driver: Any, address: str) -> None:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("owner", password=None))
    driver.get(f"{address}/admin/login/")
    driver.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value})


def _take(driver: Any, page: str, look: Sequence[Any], name: str) -> None:
    width, height, scheme = look
    looks(driver, width, scheme, height)
    driver.get("about:blank")  # else a page that differs by its anchor alone is not asked for again
    driver.get(page)
    driver.execute_async_script("document.fonts.ready.then(arguments[0])")
    picture = Image.open(BytesIO(driver.get_screenshot_as_png())).convert("RGB")
    IMAGES.mkdir(parents=True, exist_ok=True)
    file = IMAGES / f"{name}.png"
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    print(f"{file.relative_to(ROOT)}, {file.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
