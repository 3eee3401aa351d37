"""Alarms and their rules in a real browser, on a phone and on a wide screen, in the light and in the dark: nobody is
shut out, and nothing is wider than the screen.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from selenium.webdriver.common.by import By

from experiments.models import ModelVersion
from tests.browser import NEEDS_CHROMIUM, barriers, chromium, looks
from tests.experiments.alarmed import HALF, live, minutes, rule
from tests.experiments.rolled import after
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), NEEDS_CHROMIUM]
WITHIN_S = 60.0  # others may be at work on this machine
RULES, ALARMS = "/admin/experiments/alarmrule/", "/admin/experiments/alarm/"


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("chromium")) as made:
        yield made


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1_440, "light"), (1_440, "dark")])
def test_nobody_is_shut_out_and_nothing_is_wider_than_the_screen(
    driver: Any, office: Client, live_server: Any, promoted: Callable[..., ModelVersion], width: int, scheme: str
) -> None:
    for days in (3, 2):
        live(promoted, after(days=-days))
    rule("well", metric="latency_p95", threshold=4.0, relative=True)
    rule("soon", for_minutes=10)
    broken = rule("errors, and what is done about them", action="rollback")
    minutes(0, 1, version=2, **HALF)
    minutes(1, 2, version=1, **HALF)
    looks(driver, width, scheme)
    driver.get(f"{live_server.url}/admin/login/")
    driver.add_cookie({"name": "sessionid", "value": office.cookies["sessionid"].value})
    fired = broken.alarms.earliest("pk")
    for path in (RULES, f"{RULES}add/", f"{RULES}{broken.pk}/change/", ALARMS, f"{ALARMS}{fired.pk}/change/"):
        driver.get(live_server.url + path)
        until(lambda: driver.find_element(By.TAG_NAME, "h1").is_displayed(), WITHIN_S)
        assert ("dark" in driver.find_element(By.TAG_NAME, "html").get_attribute("class")) == (scheme == "dark")
        assert barriers(driver) == [], path
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width, path
